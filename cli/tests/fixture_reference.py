"""The page on the pytest fixture, written from the plugin: fixtures, members, answers, marker arguments, settings and options."""

import inspect
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import fields
from typing import Any

from bodydouble import pytest_plugin
from bodydouble.fixture import Bodydouble, MarkerOptions
from bodydouble.fixture.options import AnswerOptions
from bodydouble_spec import Exchange

__all__ = ["fixture_page"]

_FIXTURES = {"bodydouble": "test", "bodydouble_server": "run", "bodydouble_recording": "test"}
# What a test has no use for: the plugin calls these itself.
_INTERNAL = {"unused", "close"}
_REQUEST = {
    "id": "the id of the exchange, as in the log and on the page",
    "time": "when it came: ISO 8601, UTC, with milliseconds",
    "method": "the method",
    "path": "the path with its query; `route` is the path alone",
    "operation": "the operation, as `POST /v1/images/generations`; `None` for a route that is in no contract",
    "key": "a short salted hash of the API key; `None` without a key",
    "headers": "the headers that are kept, by lower-case name",
    "body": "the JSON body; a picture in Base64 is described by its size and hash",
    "raw": "any other body: `bytes`, `sha256` and the beginning as `text`",
    "findings": "what is wrong with the request: `id`, `severity`, `pointer`, `message` and more",
    "answer": "the answer: `status`, `headers` and `body`; `status` of the request is the same",
    "duration_s": "seconds until the answer",
    "matched": "the scripted answer that was used",
    "applied": "the effects of a `Prefer` header or a script",
    "contract": "the contract, where several are served",
    "kind": "`picture` for the file of a picture, `None` for a call",
    "key_in": "the places of the keys, where the contract has others than a bearer key",
    "extra": "members of a recorded line that this version does not know",
}
_ANSWERS = {
    "status": "the status, from 200 to 599",
    "times": "the number of requests that it answers; `None` for all that follow. Default: 1",
    "body": "the body, as JSON",
    "headers": "headers to add or replace",
    "match": "the requests that it is for: `prompt`, `model`, `key`, `header`, `path`, `method`, `call`, `kind`, and JSON pointers of the body",
    "delay_s": 'seconds before the answer, or a range such as `"1..3"`',
    "retry_after": "the header `Retry-After`, in seconds",
    "fault": "a broken connection or body, by its name in [Prefer](prefer.md)",
    "violation": "a named deviation from the contract; `True` where `body` is one on purpose",
    "dialect": "another form of success",
    "envelope": "another form of error: `problem` or `legacy`",
    "images": "`url`, `b64_json` or `both`",
    "operation": 'the operation that it is for, as `"POST /path"`',
    "model": "the model that it is for",
    "contract": "the contract that it is for",
    "path": "the path of a route that is in no contract; its answers are not validated",
}
_ANSWER = (
    "The options of `.answer(…)`. A value that is not valid raises an exception at the line of the call, which lists the valid ones. A function in front of "
    "them makes the answer when it is used, from `method`, `path`, `headers`, `parsed` (the body) and `number` of the request: "
    '`.answer(lambda request: {"status": 429 if request.number < 3 else 200}, times=None)`.'
)
_RECORDING = (
    "`@pytest.mark.bodydouble_recording(…)` takes `mode` (as `--bodydouble-record`), `folder` (that of the recording, below the folder of the test) and "
    "`ignore` (JSON pointers of values in requests that do not count)."
)
_ARGUMENTS = {
    "allow_invalid": "requests that break the contract do not fail the test",
    "allow_unused": "scripted answers that are never used do not fail the test",
    "allow_real_host": "the test may call the real service",
    "openai": "sets `OPENAI_BASE_URL` and `OPENAI_API_KEY` too; for all tests: `bodydouble_openai`",
    "intercept": "answers for the real host itself ([My app has the URL in it](../address-in-code.md)); for all tests: `bodydouble_intercept`",
    "allow": 'a list of finding ids, models and routes (`*` for any characters) that do not fail the test: `["request-maximum", "some/model", "/v1/tts"]`',
    "contract": "the contract to serve, or a list of several: files, folders or URLs; for all tests: `bodydouble_contract`",
    "overlay": "the overlay for them, or `none`; for all tests: `bodydouble_overlay`",
    "fail_on": "the severity that fails the test: `error`, `warning`, `info` or `never`; for all tests: `bodydouble_fail_on`",
}


class _Recorder:
    """Takes the options and settings that the plugin adds to pytest's parser."""

    def __init__(self) -> None:
        self.options: list[tuple[str, str]] = []
        self.settings: list[tuple[str, str, Any]] = []

    def getgroup(self, _name: str) -> "_Recorder":
        """Return the recorder itself, for all groups."""
        return self

    def addoption(self, name: str, *, metavar: str = "", choices: Iterable[str] = (), **described: Any) -> None:
        """Take an option."""
        value = metavar or " / ".join(choices)
        self.options.append((f"{name} {value}".rstrip(), described["help"]))

    def addini(self, name: str, text: str, *, default: Any, **_others: Any) -> None:
        """Take a setting."""
        self.settings.append((name, text, default))


def fixture_page(notice: str) -> Iterator[str]:
    """Yield the lines of the page. Raises ValueError for an argument of the plugin that this module does not describe, or describes in vain."""
    yield from (notice, "", "# The pytest fixture", "")
    yield "`pip install bodydouble` installs the plugin; nothing needs to be imported or registered. How it is used: [Test your app](../testing.md)."
    yield from ("", "## Fixtures", "", "| fixture | one for each | purpose |", "|---|---|---|")
    for name, scope in _FIXTURES.items():
        yield f"| `{name}` | {scope} | {_markdown(getattr(pytest_plugin, name).__doc__)} |"
    yield from ("", "## Members", "", "| member | purpose |", "|---|---|")
    yield "| `.url` | The address of the mock, without a slash at the end. |"
    yield from (f"| `.{name}` | {text} |" for name, text in _members())
    yield from ("", "The type, for annotations, is `bodydouble.pytest_plugin.Bodydouble`.")
    yield from _table(
        "## Requests", "The attributes of each item of `.requests` and `.pictures`:", _names(Exchange), _REQUEST
    )
    yield from _table("## Answers", _ANSWER, AnswerOptions.__annotations__, _ANSWERS)
    rule = "An argument that is not valid fails its test and no other."
    yield from _table(
        "## The marker",
        f"The arguments of `@pytest.mark.bodydouble(…)`, for a test, a class or a module. {rule}",
        _names(MarkerOptions),
        _ARGUMENTS,
    )
    yield from ("", _RECORDING)
    recorder: Any = _Recorder()
    pytest_plugin.pytest_addoption(recorder)
    yield from ("", "## Settings", "", "In `pytest.ini`, or in `pyproject.toml` below `[tool.pytest.ini_options]`:", "")
    yield from ("| setting | effect | default |", "|---|---|---|")
    for name, text, default in recorder.settings:
        yield f"| `{name}` | {text} | {f'`{str(default).lower()}`' if default not in ('', []) else ''} |"
    yield from ("", "## Options", "", "| option of pytest | effect |", "|---|---|")
    yield from (f"| `{name}` | {text} |" for name, text in recorder.options)


def _members() -> Iterator[tuple[str, str]]:
    for name, member in vars(Bodydouble).items():
        if name.startswith("_") or name in _INTERNAL:
            continue
        shown = "answer(status=429)" if name == "answer" else name if isinstance(member, property) else f"{name}()"
        yield shown, _markdown(inspect.getdoc(member))


def _names(described: Callable[..., Any]) -> list[str]:
    return [field.name for field in fields(described)]  # type: ignore[arg-type]


def _table(title: str, text: str, names: Iterable[str], described: Mapping[str, str]) -> Iterator[str]:
    if {*names} != {*described}:
        raise ValueError(f"{title}: {sorted({*names} ^ {*described})}")
    yield from ("", title, "", text, "", "| name | meaning |", "|---|---|")
    yield from (f"| `{name}` | {words} |" for name, words in described.items())


def _markdown(docstring: str | None) -> str:
    """Return the first paragraph of a docstring as one line."""
    paragraph = inspect.cleandoc(docstring or "").partition("\n\n")[0]
    return re.sub(r"``?([^`]+)``?", r"`\1`", " ".join(paragraph.split()))
