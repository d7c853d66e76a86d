"""The log line of a call: what was asked for, what came of it, and why."""

import logging
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from bodydouble_mockserver import MockServer, Settings, create_app
from bodydouble_spec import Contract

Call = Callable[..., httpx.Response]
Edit = Callable[..., dict[str, Any]]
PICTURE = "data:image/png;base64," + "iVBORw0KGgoA" * 40


@pytest.fixture
def line(contract: Contract, call: Call, edit: Edit, caplog: pytest.LogCaptureFixture) -> Callable[..., str]:
    def line_of(
        path: str = "/v1/images/generations", *, fail_rate: float = 0.0, play: Any = None, **request: Any
    ) -> str:
        app: MockServer = create_app(contract, Settings(log=True, fail_rate=fail_rate))
        if play is not None:
            app.play(play)
        with caplog.at_level(logging.INFO, "bodydouble.mockserver"):
            call(app, path, **{"json": edit(prompt="a red door"), **request})
        return caplog.records[-1].getMessage()

    return line_of


def test_a_picture_is_logged_with_prompt_and_url(line: Callable[..., str]) -> None:
    assert '"a red door" http' in line()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"num_images": 9}, "request.num_images: 9 is too large; it must be at most 4 (request-maximum)"),
        ({"n": 2}, "did you mean num_images? (request-undocumented-property)"),
        ({"aspect_ratio": "7:5"}, "request.aspect_ratio: "),
    ],
)
def test_the_reason_has_the_words_of_the_finding(
    line: Callable[..., str], edit: Edit, changes: dict[str, Any], words: str
) -> None:
    assert words in line(json=edit(**changes))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"headers": {"prefer": "code=429"}}, "[Prefer: code=429] refused: Too Many Requests"),
        ({"play": {"answers": [{"status": 503}]}}, " 503 "),
        ({"play": {"answers": [{"status": 503}]}}, "[scripted: code=503]"),
        ({"fail_rate": 1.0}, "[--fail-rate: 50"),
        ({"play": {"limits": {"credits": 0}}}, "refused: You've run out of credits"),
    ],
)
def test_what_was_injected_is_named(line: Callable[..., str], options: dict[str, Any], words: str) -> None:
    assert words in line(**options)


def test_neither_key_nor_picture_is_logged(line: Callable[..., str], edit: Edit) -> None:
    text = line(json=edit(prompt=f"canary-key {PICTURE}", image_urls=[PICTURE, "nonsense"]), key="canary-key")
    assert ("canary" in text, "base64," in text) == (False, False)


def test_nothing_is_formatted_where_nobody_reads_the_log(
    contract: Contract, call: Call, edit: Edit, caplog: pytest.LogCaptureFixture
) -> None:
    app = create_app(contract, Settings(log=True))
    with caplog.at_level(logging.WARNING, "bodydouble.mockserver"):
        call(app, json=edit())
    assert caplog.records == []
