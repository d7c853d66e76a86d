"""The page in a real Chromium: live rows, forms, the key, widths, colours, keyboard and screen readers."""

import base64
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from importlib.resources import files
from pathlib import Path
from typing import Any

import httpx
import pytest
from bodydouble_mockserver import MockServer, Settings, create_app
from bodydouble_spec import Contract
from playwright.sync_api import Browser, BrowserContext, Page, expect

Edit = Callable[..., dict[str, Any]]
Ask = Callable[..., httpx.Response]
KEY = "the-control-key"
PAGES = ("", "try", "script", "limits", "contract")
HOSTILE = "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"


@pytest.fixture(scope="module")
def mock(contract: Contract) -> MockServer:
    return create_app(contract, Settings(seed=1))


@pytest.fixture(scope="module")
def address(mock: MockServer, serve: Callable[..., AbstractContextManager[str]]) -> Iterator[str]:
    with serve(mock) as origin:
        yield origin


@pytest.fixture(autouse=True)
def empty(mock: MockServer) -> None:
    mock.reset()


@pytest.fixture
def ask(address: str, edit: Edit) -> Ask:
    """Return a function that makes a call as an app does."""

    def send(**body: Any) -> httpx.Response:
        return httpx.post(
            f"{address}/v1/images/generations", json=edit(**body), headers={"authorization": "Bearer key"}
        )

    return send


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport={"width": 1000, "height": 800})
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """Open a tab; what the browser refuses or a script fails at, fails the test."""
    page = context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda message: problems.append(message.text) if "Security Policy" in message.text else None)
    yield page
    assert problems == []


def open_page(page: Page, address: str, name: str = "") -> Page:
    page.goto(f"{address}/_bodydouble/{name}")
    return page


def expect_thumbnails(page: Page, count: int) -> None:
    """Wait until so many small pictures are shown."""
    pictures = page.locator("img.thumb")
    expect(pictures).to_have_count(count)
    for number in range(count):
        expect(pictures.nth(number)).to_have_js_property("naturalWidth", 128)


def test_a_call_appears_by_itself_with_its_pictures_and_a_script_as_prompt_stays_text(
    page: Page, address: str, ask: Ask, png: bytes
) -> None:
    open_page(page, address)
    expect(page.locator("#live")).to_have_text("Live")
    ask(prompt=HOSTILE, image_urls=[f"data:image/png;base64,{base64.b64encode(png).decode()}"])
    row = page.locator(".call")
    expect(row.locator(".prompt")).to_have_text(HOSTILE)
    expect_thumbnails(page, 2)
    row.locator(".target").click()
    expect(page.locator(".prompt")).to_have_text(HOSTILE)
    assert (page.title(), page.locator("main img[src=x]").count()) == ("POST /v1/images/generations · bodydouble", 0)


def test_a_paused_journal_waits_and_then_shows_what_came(page: Page, address: str, ask: Ask) -> None:
    open_page(page, address)
    expect(page.locator("#live")).to_have_text("Live")
    page.get_by_role("button", name="Pause").click()
    ask()
    ask()
    expect(page.locator("#live")).to_have_text("Paused, 2 new")
    # Rows are added a tenth of a second after they came.
    page.wait_for_timeout(200)
    assert (page.locator(".call").count(), page.locator("#live").text_content()) == (0, "Paused, 2 new")
    page.get_by_role("button", name="Resume").click()
    expect(page.locator(".call")).to_have_count(2)
    page.get_by_role("button", name="Clear").click()
    expect(page.locator("#empty")).to_be_visible()


def test_new_calls_pass_the_filters(page: Page, address: str, ask: Ask) -> None:
    open_page(page, address, "?status=4xx")
    expect(page.locator("#live")).to_have_text("Live")
    ask()
    ask(num_images=9)
    expect(page.locator(".call")).to_have_count(1)
    expect(page.locator(".call .badge.error")).to_have_text("1 error")


def test_a_dropped_picture_and_a_prompt_give_a_picture(page: Page, address: str, png: bytes, tmp_path: Path) -> None:
    picture = tmp_path / "a.png"
    picture.write_bytes(png)
    open_page(page, address, "try")
    page.get_by_label("prompt *").fill("A lighthouse at dusk")
    box = page.locator(".drop").bounding_box()
    assert box is not None
    session: Any = page.context.new_cdp_session(page)
    dragged = {"items": [], "files": [str(picture)], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        place = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
        session.send("Input.dispatchDragEvent", {"type": kind, **place, "data": dragged})
    expect(page.get_by_alt_text("a.png")).to_be_visible()
    page.get_by_label("aspect_ratio").select_option("16:9")
    page.get_by_role("button", name="Send").click()
    expect(page.locator("#result .status")).to_have_text("200")
    expect(page.locator("#result img")).to_have_js_property("naturalWidth", 1344)
    # The form keeps its picture for the next try.
    expect(page.get_by_alt_text("a.png")).to_be_visible()


def test_a_scripted_429_is_seen_by_an_app_and_on_the_page(page: Page, address: str, ask: Ask) -> None:
    open_page(page, address, "script")
    page.get_by_role("combobox", name="Status").fill("429")
    page.get_by_label("Times").fill("2")
    page.get_by_role("button", name="Add").click()
    expect(page.locator(".answers .left")).to_have_text("2 of 2 left")
    assert ask().status_code == 429
    page.reload()
    expect(page.locator(".answers .left")).to_contain_text("1 of 2 left")
    open_page(page, address, "try")
    page.get_by_label("prompt *").fill("A lighthouse")
    page.get_by_role("button", name="Send").click()
    expect(page.locator("#result .status")).to_have_text("429")
    open_page(page, address, "script")
    page.get_by_role("button", name="Remove answer").click()
    expect(page.locator(".empty")).to_have_text("Nothing is scripted.")


def test_the_root_leads_to_the_page(page: Page, address: str) -> None:
    page.goto(address)
    assert page.url == f"{address}/_bodydouble/"


def test_the_page_follows_the_colours_of_the_system(page: Page, address: str) -> None:
    open_page(page, address)

    def lightness() -> int:
        shown: int = page.evaluate("Number(getComputedStyle(document.body).backgroundColor.match(/\\d+/)[0])")
        return shown

    page.emulate_media(color_scheme="light")
    light = lightness()
    page.emulate_media(color_scheme="dark")
    assert (light > 240, lightness() < 40) == (True, True)


def test_no_page_is_wider_than_a_narrow_screen(page: Page, address: str, ask: Ask) -> None:
    ask(prompt="a" * 200, image_urls=["https://example.org/" + "b" * 100] * 20, num_images=4)
    ask(num_images=9)
    page.set_viewport_size({"width": 360, "height": 740})
    open_page(page, address)
    calls = [link.get_attribute("href") or "" for link in page.locator(".target").all()]
    for path in [f"/_bodydouble/{name}" for name in PAGES] + calls:
        page.goto(address + path)
        # With a scroll bar, the document is narrower than the screen.
        assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0, path


# The most rows that one task of the browser added.
WATCH_ROWS = """() => {
  window.mostRows = 0;
  new MutationObserver(changes => {
    const rows = changes.flatMap(change => [...change.addedNodes]).filter(node => node.className?.startsWith("call"));
    window.mostRows = Math.max(window.mostRows, rows.length);
  }).observe(document.getElementById("calls"), { childList: true, subtree: true });
}"""


def test_rows_come_few_at_a_time_and_only_some_stay(page: Page, address: str) -> None:
    with httpx.Client() as client:
        for _ in range(205):
            client.get(f"{address}/v1/elsewhere")
        open_page(page, address)
        rows = page.locator(".call")
        expect(page.locator("#live")).to_have_text("Live")
        assert rows.count() == 20
        page.evaluate(WATCH_ROWS)
        for count in (*range(40, 201, 20), 205):
            page.evaluate("scrollTo(0, document.body.scrollHeight)")
            expect(rows).to_have_count(count)
        expect(page.locator("#older")).to_be_hidden()
        for _ in range(7):
            client.get(f"{address}/v1/elsewhere")
        # What is read is not pushed away.
        expect(page.locator("#newer")).to_have_text("7 new calls")
        assert rows.count() == 205
        page.locator("#newer").click()
        expect(rows).to_have_count(187)
    expect(page.locator("#newer")).to_be_hidden()
    expect(page.locator("#older")).to_be_visible()
    assert 0 < page.evaluate("mostRows") <= 5
    lists = [shown.locator(".call").count() for shown in page.locator(".list").all()]
    assert lists == [7, *[20] * 9]


def test_the_form_is_used_by_keyboard_alone(page: Page, address: str) -> None:
    open_page(page, address, "try")
    reached: list[str] = []
    for _ in range(14):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.textContent.trim() || document.activeElement.name"))
    assert reached[:2] == ["Skip to the content", "bodydouble"]
    assert [
        name for name in dict.fromkeys(reached) if name in ("body:prompt", "body:image_urls", "More fields", "Send")
    ] == ["body:prompt", "body:image_urls", "More fields", "Send"]
    page.get_by_role("button", name="Send").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#result .status")).to_have_text("400")


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_axe_finds_nothing_serious(page: Page, address: str, ask: Ask, colours: Any) -> None:
    ask(prompt="A lighthouse")
    ask(num_images=9, n=2)
    httpx.post(f"{address}/_bodydouble/script", data={"status": "429", "times": "2"})
    page.emulate_media(color_scheme=colours)
    axe = files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
    open_page(page, address)
    calls = [link.get_attribute("href") or "" for link in page.locator(".target").all()]
    found: list[str] = []
    # In the other colours, only contrasts can differ; every kind of text is on these pages.
    names = PAGES if colours == "light" else ("", "try", "contract")
    rules = "" if colours == "light" else "{runOnly: ['color-contrast']}"
    for path in [f"/_bodydouble/{name}" for name in names] + calls[:1]:
        page.goto(address + path)
        page.evaluate("for (const part of document.querySelectorAll('details')) part.open = true")
        page.evaluate(axe)
        violations = page.evaluate(f"axe.run({rules}).then(found => found.violations)")
        found += [
            f"{path}: {item['id']} ({item['impact']}) {[node['html'][:120] for node in item['nodes'][:3]]}"
            for item in violations
            if item["impact"] in ("serious", "critical")
        ]
    assert found == []


def test_the_control_key_is_entered_once_and_kept_for_the_tab(
    browser: Browser, contract: Contract, serve: Callable[..., AbstractContextManager[str]], edit: Edit, png: bytes
) -> None:
    mock = create_app(contract, Settings(seed=1, control_key=KEY))
    with serve(mock) as address:
        context = browser.new_context()
        page = open_page(context.new_page(), address)
        page.get_by_label("Key").fill("another key")
        page.get_by_role("button", name="Open").click()
        expect(page.get_by_role("alert")).to_have_text("The key was not accepted.")
        page.get_by_label("Key").fill(KEY)
        page.get_by_role("button", name="Open").click()
        expect(page.locator("#live")).to_have_text("Live")
        uri = f"data:image/png;base64,{base64.b64encode(png).decode()}"
        body = edit(image_urls=[uri])
        httpx.post(f"{address}/v1/images/generations", json=body, headers={"authorization": "Bearer key"})
        expect_thumbnails(page, 2)
        page.get_by_role("link", name="Script").click()
        page.get_by_role("combobox", name="Status").fill("429")
        page.get_by_role("button", name="Add").click()
        expect(page.locator(".answers .left")).to_have_text("1 of 1 left")
        page.reload()
        expect(page.locator(".answers .left")).to_have_text("1 of 1 left")
        page.go_back()
        expect(page.locator(".call")).to_have_count(1)
        with page.expect_download() as download:
            page.get_by_role("link", name="Export").click()
        assert download.value.path().read_bytes() == mock.journal.line(1)
        another_tab = open_page(context.new_page(), address)
        expect(another_tab.get_by_label("Key")).to_be_visible()
        context.close()
