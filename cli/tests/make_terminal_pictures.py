"""Make the pictures of the terminal in docs/images: ``python -m cli.tests.make_terminal_pictures``."""

import io
import os
import pty
import re
import shutil
import subprocess
import sys
import tempfile
import termios
from pathlib import Path

import httpx
from PIL import Image
from playwright.sync_api import Browser, sync_playwright
from rich.console import Console
from rich.terminal_theme import DIMMED_MONOKAI
from rich.text import Text

from spec.tests.browser import run_chromium

_IMAGES = Path(__file__).parents[2] / "docs" / "images"
_SAMPLE = Path(__file__).parent / "data" / "sample_app"
_COLUMNS = 80
_COLOURS = 128
_PAGE = """<style>a {{ color: inherit }}</style><body style="margin:0;background:{background}"><pre id="shown" style="margin:0;padding:14px 18px;display:inline-block;
color:{foreground};background:{background};font:14px/1.35 'DejaVu Sans Mono',monospace">{code}</pre></body>"""
# An app that goes on without a picture, and so hides what was wrong.
_TEST = """import contextlib
from postcards import decorate


def test_nine_copies(bodydouble):
    with contextlib.suppress(Exception):
        decorate("https://example.org/cat.png", "Happy birthday", copies=9)
"""


def _save(browser: Browser, name: str, command: str, output: str) -> None:
    """Take a picture of a command with what it printed, in a terminal of 80 columns."""
    console = Console(record=True, width=_COLUMNS, file=io.StringIO())
    console.print(Text.from_ansi(f"$ {command}\n{output.rstrip()}"))
    html = console.export_html(theme=DIMMED_MONOKAI, inline_styles=True, code_format=_PAGE)
    page = browser.new_page(viewport={"width": 760, "height": 400}, device_scale_factor=1.5)
    page.set_content(html)
    shown = Image.open(io.BytesIO(page.locator("#shown").screenshot())).convert("RGB")
    shown.quantize(_COLOURS, dither=Image.Dither.NONE).save(_IMAGES / f"{name}.png", optimize=True)


def _serve() -> str:
    """Return what a mock prints in a terminal for its start and four calls."""
    body = {"model": "google/gemini-2.5-flash-image-edit", "prompt": "a dinosaur in a café"}
    urls = {"image_urls": ["https://example.org/dinosaur.png"]}
    key = {"authorization": "Bearer any-key-you-like"}
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (40, _COLUMNS))
    command = [sys.executable, "-m", "bodydouble", "serve", "--port", "0"]
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs) as process:
        printed = _read(ours, "OPENAI_API_KEY")
        address = re.search(r"http://[\d.:]+", printed)
        url = f"{address[0] if address else ''}/v1/images/generations"
        for changes, headers in (({}, key), ({"num_images": 9}, key), ({}, {**key, "prefer": "code=429"}), ({}, {})):
            httpx.post(url, json={**body, **urls, **changes}, headers=headers)
        printed += _read(ours, "request-key-missing")
        process.terminate()
    return printed.replace(address[0] if address else "", "http://127.0.0.1:8000").replace("\r\n", "\n")


def _read(terminal: int, last: str) -> str:
    """Read what is printed up to the line with a text."""
    printed = b""
    while not (last in printed.decode() and printed.endswith(b"\n")):
        printed += os.read(terminal, 1 << 16)
    return printed.decode()


def _failing_test() -> str:
    """Return what pytest prints for a test whose app breaks the contract."""
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(_SAMPLE / "postcards.py", folder)
        Path(folder, "test_many.py").write_text(_TEST, encoding="utf-8")
        command = [sys.executable, "-m", "pytest", "-q", "--color=yes", "--tb=short", "-p", "no:cacheprovider"]
        return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False).stdout


def main() -> None:
    """Run the commands, and take the pictures."""
    # pytest writes as in a terminal.
    os.environ |= {"FORCE_COLOR": "1", "COLUMNS": str(_COLUMNS), "TERM": "xterm-256color"}
    with run_chromium() as chromium, sync_playwright() as playwright:
        browser = playwright.chromium.connect_over_cdp(chromium)
        _save(browser, "terminal-serve", "bodydouble serve", _serve())
        _save(browser, "terminal-test", "pytest -q", _failing_test())
        browser.close()


if __name__ == "__main__":
    main()
