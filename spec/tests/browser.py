"""One Chromium for all tests of a process; each module of tests connects to it."""

import re
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Generator
from contextlib import contextmanager

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
_OPTIONS = (
    "--headless=new",
    "--remote-debugging-port=0",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
    "about:blank",
)
PATIENCE_S = 60


@contextmanager
def run_chromium() -> Generator[str]:
    """Run Chromium as a process, and give the address that Playwright connects to."""
    assert CHROMIUM is not None
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile,
        subprocess.Popen(
            [CHROMIUM, f"--user-data-dir={profile}", *_OPTIONS],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
        ) as process,
    ):
        assert process.stderr is not None
        late = threading.Timer(PATIENCE_S, process.kill)
        late.start()
        try:
            said = ""
            while not (found := re.search(r"DevTools listening on (ws://\S+)", said)):
                line = process.stderr.readline()
                assert line, f"Chromium ended without an address: {said[-2000:]}"
                said += line
            late.cancel()
            # What it says later must not fill the pipe.
            threading.Thread(target=process.stderr.read, daemon=True).start()
            yield found[1]
        finally:
            late.cancel()
            process.terminate()
            try:
                process.wait(PATIENCE_S)
            except subprocess.TimeoutExpired:
                process.kill()
