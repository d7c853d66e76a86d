"""The journal on the page, without a browser: what is in it, and what is not done by reading it."""

import base64
import io
import re
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from bodydouble_mockserver import MockServer, Settings, create_app
from bodydouble_spec import Contract
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

Call = Callable[..., httpx.Response]
Edit = Callable[..., dict[str, Any]]
HOSTILE = "<script>document.title='owned'</script><img src=x onerror=alert(1)>\u202e"


@pytest.fixture
def mock(contract: Contract) -> MockServer:
    return create_app(contract, Settings(seed=1))


@pytest.fixture
def get(mock: MockServer, call: Call) -> Callable[[str], httpx.Response]:
    return lambda path: call(mock, path, method="GET", key=None)


Get = Callable[[str], httpx.Response]


def sources(html: str) -> list[str]:
    return re.findall(r'<img [^>]*src="([^"]+)"', html)


def test_a_call_is_a_row_with_its_prompt_as_text(mock: MockServer, call: Call, edit: Edit, get: Get) -> None:
    call(mock, json=edit(prompt=HOSTILE, num_images=9))
    html = get("/_bodydouble/").text
    assert "&lt;script&gt;document.title=" in html
    assert ("<script>document" in html, "\u202e" in html) == (False, False)
    assert '<span class="status bad">400</span>' in html
    assert "1 error" in html


def test_every_page_allows_scripts_and_styles_of_this_server_only(get: Get) -> None:
    for path in ["/_bodydouble/", "/_bodydouble/calls/none", "/_bodydouble/static/page.js"]:
        headers = get(path).headers
        assert headers["content-security-policy"].startswith("default-src 'none'; script-src 'self'; style-src 'self'")
        assert headers["x-content-type-options"] == "nosniff"
    assert re.search(r"<script(?! src=)|<style| style=| on\w+=", get("/_bodydouble/").text) is None


@pytest.mark.parametrize("images", ["url", "b64_json"])
def test_pictures_are_shown_small_and_large_and_reading_them_leaves_no_trace(
    mock: MockServer, call: Call, edit: Edit, get: Get, png: bytes, images: str
) -> None:
    uri = f"data:image/png;base64,{base64.b64encode(png).decode()}"
    call(mock, json=edit(image_urls=[uri], num_images=2), headers={"prefer": f"images={images}"})
    thumbnails = sources(get("/_bodydouble/").text)
    assert len(thumbnails) == 3
    sizes = [Image.open(io.BytesIO(get(source).content)).size for source in thumbnails]
    assert sizes == [(128, 128)] * 3
    (identifier,) = re.findall(r'data-id="([^"]+)"', get("/_bodydouble/").text)
    large = [get(source) for source in sources(get(f"/_bodydouble/calls/{identifier}").text)]
    assert large[0].content == png
    assert [Image.open(io.BytesIO(answer.content)).size for answer in large[1:]] == [(1024, 1024)] * 2
    assert {answer.headers["content-security-policy"] for answer in large} == {"default-src 'none'; sandbox"}
    assert len(mock.journal.numbers()) == 1


def test_a_document_with_scripts_is_not_sent_as_a_picture(mock: MockServer, call: Call, edit: Edit, get: Get) -> None:
    svg = base64.b64encode(b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>").decode()
    call(mock, json=edit(image_urls=[f"data:image/svg+xml;base64,{svg}"]))
    (first, *_) = sources(get("/_bodydouble/").text)
    assert get(first.partition("?")[0]).status_code == 404


def test_a_call_in_full_has_findings_headers_bodies_and_code(
    mock: MockServer, call: Call, edit: Edit, get: Get
) -> None:
    call(mock, json=edit(num_images=9, prompt="a\r\n\tb"), headers={"user-agent": "an-app/1"})
    identifier = mock.journal.identifier(1)
    html = get(f"/_bodydouble/calls/{identifier}").text
    for text in (
        "9 is too large; it must be at most 4",
        "change <code>request.num_images</code> in the app",
        "an-app/1",
        "Invalid payload provided",
        "curl --globoff --request POST http://127.0.0.1/v1/images/generations",
        "import requests",
    ):
        assert text in html.replace("&#39;", "'")
    assert 'dir="auto" tabindex="0">a\n\tb</p>' in html
    assert 'dir="auto">a b</p>' in get("/_bodydouble/").text


def test_the_filters_are_those_of_the_journal(mock: MockServer, call: Call, edit: Edit, get: Get) -> None:
    call(mock, json=edit())
    call(mock, json=edit(num_images=9))
    assert get("/_bodydouble/?findings=true&status=4xx&path=/v1/*&kind=call").text.count('class="call"') == 1
    refused = get("/_bodydouble/?status=abc")
    assert (refused.status_code, "write a status like 429" in refused.text) == (400, True)


def test_older_calls_are_on_the_next_page(mock: MockServer, call: Call, get: Get) -> None:
    for _ in range(21):
        call(mock, "/v1/elsewhere", method="GET")
    first = get("/_bodydouble/?status=404").text
    (older,) = re.findall(r'id="older" href="([^"]+)"', first)
    rest = get(older.replace("&amp;", "&")).text
    assert (first.count('class="call"'), rest.count('class="call"')) == (20, 1)
    assert ("data-events" not in rest, '<p class="older" hidden>' in rest) == (True, True)


def test_the_exported_lines_are_the_journal(mock: MockServer, call: Call, edit: Edit, get: Get) -> None:
    call(mock, json=edit())
    call(mock, json=edit(num_images=9))
    exported = get("/_bodydouble/requests.jsonl")
    assert exported.content == b"".join(mock.journal.line(number) or b"" for number in mock.journal.numbers())
    assert exported.headers["content-disposition"] == 'attachment; filename="journal.jsonl"'
    assert get("/_bodydouble/requests.jsonl?status=400").content == mock.journal.line(2)


def test_the_journal_is_cleared(mock: MockServer, call: Call, get: Get) -> None:
    call(mock, "/v1/elsewhere", method="GET")
    cleared = call(mock, "/_bodydouble/clear")
    assert (cleared.status_code, cleared.headers["location"]) == (303, "/_bodydouble/")
    assert "No calls yet" in get("/_bodydouble/").text


def test_whatever_an_app_sends_is_shown_as_text(
    mock: MockServer, call: Call, edit: Edit, get: Get, json_values: st.SearchStrategy[Any]
) -> None:
    @settings(max_examples=15)
    @given(value=json_values, text=st.text(max_size=20))
    def check(value: Any, text: str) -> None:
        hostile = f"<hostile>{text}\"'><hostile>"
        call(mock, json=edit(prompt=hostile, aspect_ratio=value, image_urls=[f"https://{text}/<hostile>"]))
        call(mock, json=[value, hostile], headers={"user-agent": "<hostile>", "prefer": 'code="<hostile>"'})
        last = mock.journal.numbers()[-2:]
        pages = [
            get("/_bodydouble/"),
            *(get(f"/_bodydouble/calls/{mock.journal.identifier(number)}") for number in last),
        ]
        assert [(page.status_code, "<hostile" in page.text) for page in pages] == [(200, False)] * 3

    check()
