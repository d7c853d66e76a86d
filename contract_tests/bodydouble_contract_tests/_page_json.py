"""JSON as people write it in documentation: with comments, with a comma too many, with names that nobody quoted."""

import json
import re
from typing import Any

import yaml

__all__ = ["read_relaxed"]

_NOTHING = re.compile(
    r"""("(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')"""  # texts stay as they are
    r"|//[^\n]*|/\*.*?\*/"
    r"|,(?=(?:\s|//[^\n]*|/\*.*?\*/)*[}\]])",
    re.DOTALL,
)
# A place where the writer left something out: `...` or `…` among members or items.
_LEFT_OUT = re.compile(r"""("(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')|,?\s*(?:\.{3}|…)\s*(?=[\]},\n])""", re.DOTALL)
_LONGEST = 1_000_000


def read_relaxed(text: str) -> Any:
    """The value of a JSON, JSON5 or nearly-JSON text. Raises ValueError with the reason when it is none of these."""
    if len(text) > _LONGEST:
        raise ValueError(f"it is longer than {_LONGEST:,} characters")
    plain = _NOTHING.sub(lambda match: match[1] or "", _LEFT_OUT.sub(lambda match: match[1] or "", text))
    try:
        return json.loads(plain)
    except RecursionError:
        raise ValueError("it is nested too deep") from None
    except ValueError as error:
        reason = str(error)
    if not plain.lstrip().startswith(("{", "[")):
        raise ValueError(reason)
    try:
        # Single quotes and names without quotes are YAML as well; tabs are not.
        return json.loads(json.dumps(yaml.safe_load(plain.replace("\t", " "))))
    except (yaml.YAMLError, TypeError, ValueError, RecursionError):
        raise ValueError(reason) from None
