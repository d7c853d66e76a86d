"""Access to the page: from the root, with a control key, from other hosts, and where the control routes are off."""

import base64
import html
import re
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from bodydouble_mockserver import MockServer, Settings, create_app
from bodydouble_spec import Contract

Call = Callable[..., httpx.Response]
BROWSER = {"accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
KEY = "the-control-key"
PAGES = ("", "try", "script", "limits", "contract", "calls/none")


@pytest.fixture(scope="module")
def mock(contract: Contract) -> MockServer:
    return create_app(contract, Settings(seed=1))


@pytest.fixture(scope="module")
def keyed(contract: Contract, call: Call, edit: Callable[..., dict[str, Any]], png: bytes) -> MockServer:
    """Create a server with a control key and a call with two pictures in its journal."""
    mock = create_app(contract, Settings(seed=1, control_key=KEY))
    call(mock, json=edit(image_urls=[f"data:image/png;base64,{base64.b64encode(png).decode()}"]))
    return mock


def links(page: httpx.Response) -> list[str]:
    """Return what a browser opens without a key: pictures, events, the download."""
    quoted: list[str] = re.findall(r'(?:src|href|data-events)="(/_bodydouble/[^"]+)"', html.unescape(page.text))
    return [url for url in quoted if re.match("/_bodydouble/(pictures|rows|requests)", url)]


@pytest.mark.parametrize("path", ["/", "/_bodydouble"])
def test_a_browser_that_opens_the_root_comes_to_the_page(mock: MockServer, call: Call, path: str) -> None:
    opened = call(mock, path, method="GET", key=None, headers=BROWSER)
    assert (opened.status_code, opened.headers["location"]) == (307, "/_bodydouble/")


@pytest.mark.parametrize(
    "accept", ["*/*", "application/json", "application/json, text/plain, */*", "application/json, text/html"]
)
def test_a_client_of_the_api_gets_the_404_of_the_vendor_at_the_root(mock: MockServer, call: Call, accept: str) -> None:
    refused = call(mock, "/", method="GET", headers={"accept": accept})
    assert (refused.status_code, refused.json()["error"]["name"]) == (404, "NotFoundException")


def test_at_other_hosts_and_without_control_the_root_is_that_of_the_vendor(
    mock: MockServer, contract: Contract, call: Call
) -> None:
    elsewhere = call(mock, "/", method="GET", headers={**BROWSER, "host": "api.aimlapi.com"})
    closed = call(create_app(contract, Settings(control=False)), "/", method="GET", headers=BROWSER)
    assert [answer.headers["content-type"] for answer in (elsewhere, closed)] == [
        "application/problem+json; charset=utf-8"
    ] * 2


@pytest.mark.parametrize("page", PAGES)
def test_no_page_is_open_to_other_hosts_or_without_control(
    mock: MockServer, contract: Contract, call: Call, page: str
) -> None:
    path = f"/_bodydouble/{page}"
    assert call(mock, path, method="GET", headers={**BROWSER, "host": "elsewhere.example"}).status_code == 403
    closed = create_app(contract, Settings(control=False))
    assert "--no-control" in call(closed, path, method="GET", headers=BROWSER).json()["error"]


@pytest.mark.parametrize("page", PAGES)
def test_with_a_control_key_a_browser_gets_the_form_for_it_and_nothing_else(
    keyed: MockServer, call: Call, page: str
) -> None:
    path = f"/_bodydouble/{page}"
    asked = call(keyed, path, method="GET", key=None, headers=BROWSER)
    assert (asked.status_code, 'id="key-form"' in asked.text, "generations" in asked.text) == (401, True, False)
    assert call(keyed, path, method="GET", key=None).json()["error"].startswith("/_bodydouble/ needs the control key")
    assert 'id="key-form"' not in call(keyed, path, method="GET", key=KEY, headers=BROWSER).text


def test_the_style_and_the_script_of_that_form_need_no_key(keyed: MockServer, call: Call) -> None:
    for name in ("page.css", "page.js", "icon.svg"):
        assert call(keyed, f"/_bodydouble/static/{name}", method="GET", key=None).status_code == 200
    for name in ("none", "..%2fparts.py"):
        assert call(keyed, f"/_bodydouble/static/{name}", method="GET", key=None).status_code == 404


def test_pictures_and_the_export_open_by_their_links_alone_and_for_one_path(keyed: MockServer, call: Call) -> None:
    found = links(call(keyed, "/_bodydouble/", method="GET", key=KEY))
    opened = [url for url in found if "/rows" not in url]
    assert (len(found), len(opened)) == (4, 3)
    for url in opened:
        assert call(keyed, url, method="GET", key=None).status_code == 200
        assert call(keyed, url, method="GET", key=None, headers={"host": "elsewhere.example"}).status_code == 403
        path, _, proof = url.rpartition("proof=")
        assert call(keyed, path, method="GET", key=None).status_code == 401
        assert call(keyed, f"/_bodydouble/requests?proof={proof}", method="GET", key=None).status_code == 401
    assert KEY not in " ".join(found)


def test_a_link_allows_no_change(keyed: MockServer, call: Call) -> None:
    (rows,) = [url for url in links(call(keyed, "/_bodydouble/", method="GET", key=KEY)) if "/rows" in url]
    proof = rows.rpartition("proof=")[2]
    assert call(keyed, f"/_bodydouble/clear?proof={proof}", key=None).status_code == 401
    assert call(keyed, rows, key=None).status_code == 401
    assert len(keyed.journal.numbers()) == 1


def test_without_a_control_key_links_are_plain(mock: MockServer, call: Call) -> None:
    assert "proof=" not in call(mock, "/_bodydouble/", method="GET", key=None).text


def test_a_page_of_another_origin_cannot_send_the_forms(mock: MockServer, call: Call) -> None:
    for path in ("clear", "script", "script/remove", "limits", "try"):
        refused = call(
            mock, f"/_bodydouble/{path}", key=None, headers={"origin": "https://elsewhere.example"}, data={"a": "b"}
        )
        assert refused.status_code == 403
