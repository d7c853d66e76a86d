"""JSON as written in documentation: with comments, trailing commas and unquoted names."""

import json
import re
from typing import Any

import yaml

__all__ = ["read_relaxed"]

_IGNORED = re.compile(
    r"""("(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')"""  # texts are kept
    r"|//[^\n]*|/\*.*?\*/"
    r"|,(?=(?:\s|//[^\n]*|/\*.*?\*/)*[}\]])",
    re.DOTALL,
)
# An ellipsis of the writer: `...` or `…` among members or items.
_ELLIPSIS = re.compile(r"""("(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')|,?\s*(?:\.{3}|…)\s*(?=[\]},\n])""", re.DOTALL)
_LONGEST = 1_000_000


def read_relaxed(text: str) -> Any:
    """Parse a JSON, JSON5 or nearly-JSON text. Raises ValueError with the reason when it is none of these."""
    if len(text) > _LONGEST:
        raise ValueError(f"it is longer than {_LONGEST:,} characters")
    strict_json = _IGNORED.sub(lambda match: match[1] or "", _ELLIPSIS.sub(lambda match: match[1] or "", text))
    try:
        return json.loads(strict_json)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    except ValueError as error:
        reason = str(error)
    if not strict_json.lstrip().startswith(("{", "[")):
        raise ValueError(reason)
    try:
        # Single quotes and names without quotes are YAML as well; tabs are not.
        return json.loads(json.dumps(yaml.safe_load(strict_json.replace("\t", " "))))
    except (yaml.YAMLError, TypeError, ValueError, RecursionError):
        raise ValueError(reason) from None
