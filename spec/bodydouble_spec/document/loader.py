"""Reading of a document: a file, a URL, bytes or a Python object; JSON or YAML."""

import gc
import json
import re
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson

from bodydouble_spec.errors import UnreadableDocument
from bodydouble_spec.limits import DOCUMENT_LIMITS
from bodydouble_spec.values import is_array, is_object

__all__ = [
    "Downloaded",
    "copy_document",
    "download_size",
    "is_url",
    "parse_document",
    "read_document",
    "read_source",
    "without_collection",
]

Downloaded = Callable[[int, int | None], None]
"""A listener to a download: the bytes received so far, and those of all, None where the server does not say."""
_LONG_NUMBER = re.compile(rb"[0-9]{19}")


@contextmanager
def without_collection() -> Generator[None]:
    """Keep the garbage collector from reading hundreds of thousands of new objects again and again."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def is_url(source: str) -> bool:
    """Return whether a source is an http(s) URL rather than a path."""
    return source.lower().startswith(("http://", "https://"))


def read_source(source: str | Path, on_download: Downloaded | None = None) -> bytes:
    """Read the bytes at a path or URL (32 MB at most). Raises UnreadableDocument when that fails."""
    if isinstance(source, str) and is_url(source):
        return _fetch(source, on_download)
    try:
        with Path(source).open("rb") as file:
            data = file.read(DOCUMENT_LIMITS.max_bytes + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UnreadableDocument(f"{source}: {reason}; name a readable file or an http(s) URL") from None
    _refuse_large(len(data), str(source))
    return data


def read_document(source: str | Path) -> Any:
    """Read JSON or YAML at a path or URL. Raises UnreadableDocument when it cannot be read or is neither."""
    document, problem = parse_document(read_source(source))
    if problem is not None:
        raise UnreadableDocument(f"{source}: {problem}")
    return document


def parse_document(data: bytes) -> tuple[Any, str | None]:
    """Parse JSON or YAML: return the value and None, or None and the reason in one sentence."""
    if not data.strip():
        return None, "the document is empty"
    try:
        document = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        json_problem = f"not JSON (line {error.lineno}, column {error.colno}: {error.msg})"
        document, yaml_problem = _parse_yaml(data)
        if yaml_problem is not None:
            return None, f"{json_problem} and {yaml_problem}"
        if not is_object(document):
            return None, f"{json_problem}, and as YAML it is not an object"
    problem = _too_large(document)
    return (None, problem) if problem else (_with_exact_numbers(document, data), None)


def _with_exact_numbers(document: Any, data: bytes) -> Any:
    """Return a document with its whole numbers beyond 64 bits, which orjson rounds; as it is where Python refuses their length."""
    if _LONG_NUMBER.search(data) is None:
        return document
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return document


def copy_document(document: Any) -> tuple[Any, str | None]:
    """Copy a Python object as its JSON, with text for every key; or return None and the reason why that fails."""
    problem = _too_large(document)
    if problem is not None:
        return None, problem
    try:
        return json.loads(json.dumps(document)), None
    except (TypeError, ValueError, RecursionError) as error:
        return None, f"the document cannot be written as JSON: {str(error)[:120]}"


def _fetch(url: str, on_download: Downloaded | None) -> bytes:
    import httpx

    data = bytearray()
    try:
        with httpx.stream("GET", url, timeout=DOCUMENT_LIMITS.fetch_s, follow_redirects=True) as response:
            if not response.is_success:
                raise UnreadableDocument(f"{url}: the server answered {response.status_code}; check the URL")
            for chunk in response.iter_bytes():
                data += chunk
                _refuse_large(len(data), url)
                if on_download is not None:
                    on_download(len(data), download_size(response.headers))
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        reason = str(error) or type(error).__name__
        raise UnreadableDocument(f"{url}: {reason}; check the address and the network, or use a local copy") from None
    return bytes(data)


def download_size(headers: Mapping[str, str]) -> int | None:
    """Return the size of an answer's content in bytes, or None where its headers do not say."""
    length = headers.get("content-length", "")
    return int(length) if length.isdecimal() and "content-encoding" not in headers else None


def _refuse_large(size_bytes: int, source: str) -> None:
    if size_bytes > DOCUMENT_LIMITS.max_bytes:
        raise UnreadableDocument(
            f"{source}: larger than {DOCUMENT_LIMITS.max_bytes // 2**20} MB, the limit for a contract"
        )


def _parse_yaml(data: bytes) -> tuple[Any, str | None]:
    import yaml

    from bodydouble_spec.document.yaml_reader import JsonCompatibleLoader

    try:
        document: Any = yaml.load(data, Loader=JsonCompatibleLoader)  # noqa: S506 - a SafeLoader with fewer types
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        return None, "not YAML" if mark is None else f"not YAML (line {mark.line + 1}, column {mark.column + 1})"
    except (yaml.YAMLError, ValueError, RecursionError):
        return None, "not YAML"
    return document, None


def _too_large(document: Any) -> str | None:
    """Return why a document is too large to walk: YAML aliases can expand without end, and nesting can be absurd."""
    nodes, depth = 1, 0
    level: list[Any] = [document] if is_object(document) or is_array(document) else []
    while level:
        depth += 1
        if depth > DOCUMENT_LIMITS.max_levels:
            return f"the document is nested more than {DOCUMENT_LIMITS.max_levels} levels deep"
        # Checked before a level is made, so that none is larger than that.
        nodes += sum(map(len, level))
        if nodes > DOCUMENT_LIMITS.max_values:
            return f"the document expands to more than {DOCUMENT_LIMITS.max_values} values"
        level = [
            child
            for value in level
            for child in (value.values() if is_object(value) else value)
            if isinstance(child, (dict, list))
        ]
    return None
