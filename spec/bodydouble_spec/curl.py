"""A request as a curl command, for the journal, findings and reports."""

import shlex
from collections.abc import Mapping

__all__ = ["curl_command", "header_text", "request_path"]

_MOCK = "http://127.0.0.1:8000"
# Linux limits an argument to 128 kB; a longer body comes from standard input.
_MAX_ARGUMENT_CHARACTERS = 100_000
_END = "END_OF_BODY"


def curl_command(
    method: str,
    path: str,
    *,
    origin: str | None = None,
    headers: Mapping[str, str] | None = None,
    body: str | None = None,
    with_key: bool = False,
) -> str:
    """Return a command for a POSIX shell, with every text quoted.

    ``origin`` precedes ``path``; None uses ``$AIMLAPI_BASE_URL`` (with ``/v1`` or without), or the mock's address on
    port 8000. ``body`` is the text to send, None for no body. ``with_key`` sends ``$AIMLAPI_KEY`` as bearer key: a key
    is never written out. Control characters are removed from method, path and headers, which cannot have any.
    """
    target = shlex.quote(f"{origin or ''}{request_path(path)}")
    base = "" if origin is not None else '"${base%/v1}"'
    words = [f"curl --globoff --request {shlex.quote(header_text(method))} {base}{target}"]
    if with_key:
        words.append('--header "Authorization: Bearer $AIMLAPI_KEY"')
    words += [f"--header {shlex.quote(f'{name}: {header_text(value)}')}" for name, value in (headers or {}).items()]
    ending = ""
    if body is not None and len(body) <= _MAX_ARGUMENT_CHARACTERS:
        # --data would read a file for a body with a leading @.
        words.append(f"--data-raw {shlex.quote(body)}")
    elif body is not None:
        end = _END
        while end in body:
            end += "_"
        words.append(f"--data-binary @- <<'{end}'")
        ending = f"\n{body}\n{end}"
    # The base URL may end in /v1 or not; the path begins with the version.
    variable = "" if origin is not None else f"base=${{AIMLAPI_BASE_URL:-{_MOCK}}}\n"
    return variable + " \\\n  ".join(words) + ending + "\n"


def request_path(path: str) -> str:
    """Return a path for a request line that cannot replace the host of the base URL ("@elsewhere.example")."""
    text = header_text(path)
    return text if text.startswith("/") else f"/{text}"


def header_text(text: str) -> str:
    """Return a text for a request line or header, without control characters."""
    return "".join(character for character in text if character.isprintable())
