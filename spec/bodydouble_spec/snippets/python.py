"""A request as Python code with the library requests."""

import base64
from collections.abc import Mapping, Sequence
from pprint import pformat
from typing import Any

from bodydouble_spec.operation import KeyPlace
from bodydouble_spec.snippets.curl import FORM, FormPart, header_text, request_path

__all__ = ["python_code"]

_MOCK = "http://127.0.0.1:8000"
_WIDTH = 100


def python_code(
    method: str,
    path: str,
    *,
    origin: str | None = None,
    headers: Mapping[str, str] | None = None,
    body: Any = None,
    form: Sequence[FormPart] | None = None,
    places: Sequence[KeyPlace] = (),
) -> str:
    """Return a program that sends a request and prints the answer; every text is a literal of Python.

    ``origin`` precedes ``path``; None uses ``AIMLAPI_BASE_URL`` (with ``/v1`` or without), or the mock's usual address. ``body`` is JSON, None for no
    body, and ``form`` the fields of a form in its place. The key is read from ``AIMLAPI_KEY`` for each of the ``places`` that have it.
    """
    sent_headers = {name: _literal(header_text(value)) for name, value in (headers or {}).items()}
    own: dict[str, str] = {}
    for place in places:
        if place.is_basic:
            own["auth"] = 'tuple(f"{key}:".split(":")[:2])'
        elif place.location == "header":
            sent_headers[header_text(place.name)] = (
                f"{_literal(f'{header_text(place.scheme)} ')} + key" if place.scheme else "key"
            )
        else:
            own["params" if place.location == "query" else "cookies"] = f"{{{_literal(place.name)}: key}}"
    arguments = [_literal(header_text(method)), f"base + {_literal(request_path(path))}"]
    if sent_headers:
        arguments.append(
            f"headers={{{', '.join(f'{_literal(name)}: {value}' for name, value in sent_headers.items())}}}"
        )
    arguments += [f"{name}={value}" for name, value in own.items()]
    if form is not None:
        arguments.append(_form(form))
    elif body is not None:
        arguments.append(f"json={pformat(body, width=_WIDTH, sort_dicts=False)}")
    base = f'os.environ.get("AIMLAPI_BASE_URL", "{_MOCK}").removesuffix("/v1")' if origin is None else _literal(origin)
    lines = [
        *(["import base64"] if "base64." in arguments[-1] and form is not None else []),
        *(["import os"] if origin is None or places else []),
        "",
        "import requests",
        "",
        f"base = {base}",
        *(['key = os.environ["AIMLAPI_KEY"]'] if places else []),
        "response = requests.request(",
        *(f"    {_indented(argument)}," for argument in arguments),
        ")",
        "print(response.status_code, response.text)",
        "",
    ]
    return "\n".join(lines).lstrip("\n")


def _form(form: Sequence[FormPart]) -> str:
    if all(part.kind == FORM for part in form):
        return f"data={pformat([(part.name, part.value) for part in form], width=_WIDTH)}"
    return f"files=[{', '.join(f'({_literal(part.name)}, {_file(part)})' for part in form)}]"


def _file(part: FormPart) -> str:
    if isinstance(part.value, bytes):
        encoded = base64.b64encode(part.value).decode()
        return f'("picture", base64.b64decode("{encoded}"), {_literal(part.kind)})'
    # Without a name, a field is no file.
    return f"(None, {_literal(part.value)})"


def _literal(value: str | None) -> str:
    return repr(value)


def _indented(text: str) -> str:
    return text.replace("\n", "\n    ")
