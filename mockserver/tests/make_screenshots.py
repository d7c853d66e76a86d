"""Make the screenshots in docs/images: ``python -m mockserver.tests.make_screenshots``."""

import base64
import io
from pathlib import Path
from typing import Any

import httpx
from bodydouble_mockserver import Settings, create_app
from bodydouble_mockserver.pictures import PictureSpec, Render, SourceImage, draw
from bodydouble_mockserver.server import Server, server_config
from PIL import Image, ImageDraw
from playwright.sync_api import Page, ViewportSize, sync_playwright

from spec.tests.browser import run_chromium
from spec.tests.servers import serve_asgi

_FOLDER = Path(__file__).parents[2] / "docs" / "images"
# Twelve minutes past noon on a day in June 2026, and the time that one call takes.
_START, _STEP_S = 1_781_266_320.0, 7.0
_COLOURS = 256
_COLOURS_OF_PHOTOS = (("#9cc9e8", "#2f6f9f"), ("#f2a97e", "#5b3f6b"))
_PAINTED = """async () => {
  const seen = [...document.images].filter(image => image.getBoundingClientRect().top < innerHeight);
  await Promise.all(seen.map(image => image.decode().catch(() => null)));
  await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
}"""
_SHOWN = """() => [...document.images].every(image => image.complete || image.getBoundingClientRect().top > innerHeight)
  && document.getElementById("live")?.textContent !== "" """


def _photo(sky: str, sea: str) -> str:
    """Draw a sun over the sea, as a data URI."""
    image = Image.new("RGB", (480, 360), sky)
    pen = ImageDraw.Draw(image)
    pen.ellipse((300, 60, 380, 140), fill="#ffe9a8")
    pen.rectangle((0, 220, 480, 360), fill=sea)
    pen.polygon([(60, 220), (150, 120), (240, 220)], fill="#3d4b5c")
    file = io.BytesIO()
    image.save(file, "PNG")
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"


# Prompts of the drawn pictures: what they show is that a picture follows its request, in every script.
_PROMPTS = ("Put a lighthouse on the hill", "丘の上に灯台を置いてください", "पहाड़ी पर एक प्रकाशस्तंभ बनाएँ")
_DRAWN_WIDTH, _GAP = 360, 12


def _save_drawn(name: str, render: Render) -> None:
    """Draw pictures of one request each beside each other."""
    inputs = [base64.b64decode(_photo(*colours).partition(",")[2]) for colours in _COLOURS_OF_PHOTOS]
    sources = tuple(SourceImage(f"image {number}", data) for number, data in enumerate(inputs, 1))
    wide = Image.new("RGB", (len(_PROMPTS) * (_DRAWN_WIDTH + _GAP) - _GAP, _DRAWN_WIDTH), "white")
    for number, prompt in enumerate(_PROMPTS):
        spec = PictureSpec(
            1024,
            1024,
            prompt,
            sources[: 1 + number % 2],
            0,
            1,
            "google/gemini-2.5-flash-image-edit",
            3 + number,
            render,
        )
        drawn = Image.open(io.BytesIO(draw(spec)))
        drawn.thumbnail((_DRAWN_WIDTH, _DRAWN_WIDTH))
        wide.paste(drawn, (number * (_DRAWN_WIDTH + _GAP), 0))
    wide.save(_FOLDER / f"{name}.jpg", quality=88)


def _make_calls(address: str) -> None:
    """Make calls of every kind, as apps do."""
    coast, evening = (_photo(*colours) for colours in _COLOURS_OF_PHOTOS)

    def call(prompt: str, *pictures: str, prefer: str = "", **more: Any) -> None:
        body = {"model": "google/gemini-2.5-flash-image-edit", "prompt": prompt, "image_urls": pictures, **more}
        headers = {"authorization": "Bearer any-key-you-like", **({"prefer": prefer} if prefer else {})}
        httpx.post(f"{address}/v1/images/generations", json=body, headers=headers)

    call("Put a lighthouse on the hill", coast)
    call("A postcard: write “Greetings from the coast” along the lower edge", coast, aspect_ratio="16:9", num_images=3)
    call("Turn the day into an evening", "https://example.org/coast.png", prefer="code=429, retry-after=7")
    call("Turn the day into an evening", "https://example.org/coast.png", aspect_ratio="4:3")
    call("Nine variants, please", evening, num_images=9, size="1024x1024")
    call("<script>alert('a prompt stays text')</script>", evening)
    call("Both pictures as one, side by side", coast, evening, aspect_ratio="21:9", num_images=2)
    for answer in ({"status": 429, "times": 2, "retry-after": 7}, {"fault": "reset-mid-body"}, {"delay": "30..60"}):
        httpx.post(f"{address}/_bodydouble/scenarios", json={"answers": [answer]}).raise_for_status()


def _save(page: Page, name: str) -> None:
    """Take a picture of what is visible, with few colours, so that it is small."""
    page.evaluate("scrollTo(0, 0)")
    # Pictures out of sight are not loaded; a picture that is seen may come late.
    page.wait_for_function(_SHOWN)
    page.evaluate(_PAINTED)
    shown = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    shown.quantize(_COLOURS, dither=Image.Dither.NONE).save(_FOLDER / f"{name}.png", optimize=True)


def main() -> None:
    """Serve a mock with calls, and take the pictures."""
    ticks = iter(range(1_000_000))
    mock = create_app(settings=Settings(seed=7, clock=lambda: _START + _STEP_S * next(ticks)))
    _FOLDER.mkdir(exist_ok=True)
    _save_drawn("pictures", Render.CARDS)
    _save_drawn("pictures-demo", Render.DEMO)
    with (
        serve_asgi(Server(server_config(mock))) as address,
        run_chromium() as chromium,
        sync_playwright() as playwright,
    ):
        _make_calls(address)
        browser = playwright.chromium.connect_over_cdp(chromium)
        wide: ViewportSize = {"width": 1100, "height": 760}
        light = browser.new_context(viewport=wide, color_scheme="light", bypass_csp=True).new_page()
        dark = browser.new_context(viewport=wide, color_scheme="dark", bypass_csp=True).new_page()
        phone = browser.new_context(
            viewport={"width": 360, "height": 740}, color_scheme="dark", bypass_csp=True
        ).new_page()
        light.goto(f"{address}/_bodydouble/")
        _save(light, "page-journal")
        phone.goto(f"{address}/_bodydouble/")
        _save(phone, "page-phone")
        light.goto(f"{address}/_bodydouble/calls/{mock.journal.identifier(5)}")
        _save(light, "page-call")
        dark.goto(f"{address}/_bodydouble/calls/{mock.journal.identifier(2)}")
        _save(dark, "page-call-dark")
        light.goto(f"{address}/_bodydouble/script")
        _save(light, "page-script")
        httpx.delete(f"{address}/_bodydouble/scenarios")
        light.goto(f"{address}/_bodydouble/try")
        light.get_by_label("prompt *").fill("Put a lighthouse on the hill")
        picture = base64.b64decode(_photo("#9cc9e8", "#2f6f9f").partition(",")[2])
        light.locator("input[type=file]").set_input_files(
            {"name": "coast.png", "mimeType": "image/png", "buffer": picture}
        )
        light.get_by_role("button", name="Send").click()
        light.locator("#result .status").wait_for()
        _save(light, "page-try")
        light.goto(f"{address}/_bodydouble/contract")
        _save(light, "page-contract")
        browser.close()


if __name__ == "__main__":
    main()
