"""A request as a curl command: the one writer, for the journal, for findings and for reports."""

import shlex
from collections.abc import Mapping

__all__ = ["curl_command", "header_text", "request_path"]

_MOCK = "http://127.0.0.1:8000"
# Linux takes no longer argument than 128 kB; a longer body comes from standard input.
_LONGEST_ARGUMENT = 100_000
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
    """A command for a POSIX shell, in which every text is quoted.

    ``origin`` is what stands before ``path``; None takes that of ``$AIMLAPI_BASE_URL`` (with ``/v1`` or without), or the mock's on
    port 8000. ``body`` is the text that is sent, None for no body. ``with_key`` sends ``$AIMLAPI_KEY`` as bearer key: no key is ever written.
    Control characters are left out of method, path and headers, which can have none.
    """
    target = shlex.quote(f"{origin or ''}{request_path(path)}")
    base = "" if origin is not None else '"${base%/v1}"'
    words = [f"curl --globoff --request {shlex.quote(header_text(method))} {base}{target}"]
    if with_key:
        words.append('--header "Authorization: Bearer $AIMLAPI_KEY"')
    words += [f"--header {shlex.quote(f'{name}: {header_text(value)}')}" for name, value in (headers or {}).items()]
    ending = ""
    if body is not None and len(body) <= _LONGEST_ARGUMENT:
        # Never read from a file: --data would take a leading @ for a name.
        words.append(f"--data-raw {shlex.quote(body)}")
    elif body is not None:
        end = _END
        while end in body:
            end += "_"
        words.append(f"--data-binary @- <<'{end}'")
        ending = f"\n{body}\n{end}"
    # Both spellings of the base URL are in use; the path begins with its version.
    variable = "" if origin is not None else f"base=${{AIMLAPI_BASE_URL:-{_MOCK}}}\n"
    return variable + " \\\n  ".join(words) + ending + "\n"


def request_path(path: str) -> str:
    """A path for a request line, which must not be able to turn the base URL's host into another one ("@elsewhere.example")."""
    shown = header_text(path)
    return shown if shown.startswith("/") else f"/{shown}"


def header_text(text: str) -> str:
    """A text for a request line or header: without control characters, which neither has."""
    return "".join(character for character in text if character.isprintable())
