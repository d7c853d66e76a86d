"""Reading a document: a file, a URL or bytes; JSON or YAML."""

from pathlib import Path
from typing import Any

import orjson

from bodydouble_spec._errors import UnreadableDocument

__all__ = ["is_url", "parse_document", "read_source"]

_MAX_BYTES = 32 * 1024 * 1024
_TIMEOUT_S = 20.0
_MAX_NODES = 1_000_000
_MAX_DEPTH = 300


def is_url(source: str) -> bool:
    """Whether a source is an http(s) URL rather than a path."""
    return source.lower().startswith(("http://", "https://"))


def read_source(source: str | Path) -> bytes:
    """The bytes behind a path or URL (32 MB at most). Raises UnreadableDocument when they cannot be had."""
    if isinstance(source, str) and is_url(source):
        return _fetch(source)
    path = Path(source)
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise UnreadableDocument(f"{path}: larger than {_MAX_BYTES // 2**20} MB; that is no contract")
        return path.read_bytes()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UnreadableDocument(f"{source}: {reason}; name a readable OpenAPI file or an http(s) URL") from None


def parse_document(data: bytes) -> tuple[Any, str | None]:
    """The parsed JSON or YAML, and None; or None and one sentence that says why it is neither."""
    try:
        document = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        json_problem = f"not JSON (line {error.lineno}, column {error.colno}: {error.msg})"
        document, yaml_problem = _parse_yaml(data)
        if yaml_problem is not None:
            return None, f"{json_problem} and {yaml_problem}"
        if not isinstance(document, dict):
            return None, f"{json_problem}, and as YAML it is no object"
    problem = _too_large(document)
    return (None, problem) if problem else (document, None)


def _fetch(url: str) -> bytes:
    import httpx

    data = bytearray()
    try:
        with httpx.stream("GET", url, timeout=_TIMEOUT_S, follow_redirects=True) as response:
            if not response.is_success:
                raise UnreadableDocument(f"{url}: the server answered {response.status_code}; check the URL")
            for chunk in response.iter_bytes():
                data += chunk
                if len(data) > _MAX_BYTES:
                    raise UnreadableDocument(f"{url}: larger than {_MAX_BYTES // 2**20} MB; that is no contract")
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        reason = str(error) or type(error).__name__
        raise UnreadableDocument(f"{url}: {reason}; check the address and the network, or use a local copy") from None
    return bytes(data)


def _parse_yaml(data: bytes) -> tuple[Any, str | None]:
    import yaml

    from bodydouble_spec._yaml import JsonCompatibleLoader

    try:
        document: Any = yaml.load(data, Loader=JsonCompatibleLoader)  # noqa: S506 - a SafeLoader with fewer types
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = "" if mark is None else f" (line {mark.line + 1}, column {mark.column + 1})"
        return None, f"not YAML{where}"
    except (ValueError, RecursionError):
        return None, "not YAML"
    return document, None


def _too_large(document: Any) -> str | None:
    """Why a document cannot be walked: YAML aliases can make a small file unfold without end, and nesting can be absurd."""
    nodes = 0
    level = [document]
    for _ in range(_MAX_DEPTH):
        level = [
            child
            for value in level
            if isinstance(value, dict | list)
            for child in (value.values() if isinstance(value, dict) else value)
        ]
        nodes += len(level)
        if not level:
            return None
        if nodes > _MAX_NODES:
            return f"the document unfolds to more than {_MAX_NODES} values"
    return f"the document is nested more than {_MAX_DEPTH} levels deep"
