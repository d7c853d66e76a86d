"""A request as a curl command, for the journal, findings and reports."""

import base64
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote, quote_plus

from bodydouble_spec.operation import KeyPlace, Security
from bodydouble_spec.text import DATA_URI

__all__ = ["FORM", "MULTIPART", "FormPart", "curl_command", "header_text", "request_path", "with_picture_file"]

FORM, MULTIPART = "application/x-www-form-urlencoded", "multipart/form-data"

_MOCK = "http://127.0.0.1:8000"
# Linux limits an argument to 128 kB; a longer body comes from standard input.
_MAX_ARGUMENT_CHARACTERS = 100_000
_END = "END_OF_BODY"
_KEY = "$AIMLAPI_KEY"
_TOKEN = re.compile("[A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True)
class FormPart:
    """A field of a form: a text, or the bytes of a file. ``kind`` is the media type of a file, ``FORM`` for a field in a URL's encoding, else None."""

    name: str
    value: str | bytes
    kind: str | None = None


def curl_command(
    method: str,
    path: str,
    *,
    origin: str | None = None,
    headers: Mapping[str, str] | None = None,
    body: str | None = None,
    form: Sequence[FormPart] | None = None,
    security: Security | None = None,
) -> str:
    """Return a command for a POSIX shell, with every text quoted.

    ``origin`` precedes ``path``; None uses ``$AIMLAPI_BASE_URL`` (with ``/v1`` or without), or the mock's address on
    port 8000. ``body`` is the text to send, None for no body, and ``form`` the fields of a form in its place. ``security`` sends ``$AIMLAPI_KEY`` where the contract has
    the key, None sends no key: it is never written out. Control characters are removed from method, path and headers, which cannot have any.
    """
    places = () if security is None else security.preferred
    target = _with_keys(f"{origin or ''}{request_path(path)}", places)
    base = "" if origin is not None else '"${base%/v1}"'
    words = [f"curl --globoff --request {shlex.quote(header_text(method))} {base}{target}"]
    words += [option for place in places for option in _key_options(place)]
    words += [f"--header {shlex.quote(f'{name}: {header_text(value)}')}" for name, value in (headers or {}).items()]
    files: list[str] = []
    for part in form or ():
        option, file = _form_option(part, len(files) + 1)
        words.append(option)
        files += filter(None, [file])
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
    return variable + "".join(files) + " \\\n  ".join(words) + ending + "\n"


def with_picture_file(command: str) -> str:
    """Return a command that takes the picture from the file ``picture.png``, or whatever its type is, in place of each data URI.

    A body that comes from standard input stays as it is, since the shell inserts nothing there.
    """
    first = DATA_URI.search(command)
    if first is None or "--data-binary @-" in command:
        return command
    kind = first[1] or "image/png"
    file = f"picture.{kind.rpartition('/')[2].partition('+')[0]}"
    variable = f"PICTURE=\"data:{kind};base64,$(base64 < {file} | tr -d '\\n')\"\n"
    # The body is in single quotes, which end for the variable and begin again behind it.
    return variable + DATA_URI.sub("'\"$PICTURE\"'", command)


def _form_option(part: FormPart, number: int) -> tuple[str, str]:
    """Return the option for a field of a form, and the line before the command that writes its file, empty without one."""
    if isinstance(part.value, bytes):
        path = f"${{TMPDIR:-/tmp}}/bodydouble-{number}"
        encoded = base64.b64encode(part.value).decode()
        name = shlex.quote(f"{_quoted_name(part.name)}=@")
        kind = shlex.quote(f";type={part.kind}")
        return f'--form {name}"{path}"{kind}', f'printf %s {shlex.quote(encoded)} | base64 -d > "{path}"\n'
    if part.kind == FORM:
        return f"--data-raw {shlex.quote(f'{quote_plus(part.name)}={quote_plus(part.value)}')}", ""
    return f"--form-string {shlex.quote(f'{_quoted_name(part.name)}={part.value}')}", ""


def _quoted_name(name: str) -> str:
    # The name of a field of curl ends at its first equals sign.
    return header_text(name).replace("=", "")


def _with_keys(target: str, places: Sequence[KeyPlace]) -> str:
    """Return the quoted URL, with the key in its query where it belongs there."""
    quoted, separator = shlex.quote(target), "&" if "?" in target else "?"
    for place in places:
        if place.location == "query":
            quoted += shlex.quote(separator + quote(place.name, safe="") + "=") + f'"{_KEY}"'
            separator = "&"
    return quoted


def _key_options(place: KeyPlace) -> list[str]:
    if place.location == "query":
        return []
    if place.location == "cookie":
        return [f'--cookie {shlex.quote(header_text(f"{place.name}="))}"{_KEY}"']
    if place.is_basic:
        return [f'--user "{_KEY}"']  # USER:PASSWORD; curl asks for the password where the key is only the user
    name, scheme = header_text(place.name), header_text(place.scheme)
    if _TOKEN.fullmatch(name + scheme):
        return [f'--header "{name}: {f"{scheme} " if scheme else ""}{_KEY}"']
    return [f'--header {shlex.quote(f"{name}: {scheme} ")}"{_KEY}"']


def request_path(path: str) -> str:
    """Return a path for a request line that cannot replace the host of the base URL ("@elsewhere.example")."""
    text = header_text(path)
    return text if text.startswith("/") else f"/{text}"


def header_text(text: str) -> str:
    """Return a text for a request line or header, without control characters."""
    return "".join(character for character in text if character.isprintable())
