# pyright: basic, reportMissingImports=false
"""Tests of an app that saves pictures, with retries."""

from downloads import edit, save

CAT = "https://example.org/cat.png"


def test_a_busy_service_is_asked_again(bodydouble):
    bodydouble.answer(status=503, times=2)
    assert len(edit(CAT, "a hat", 1)) == 1
    assert len(bodydouble.requests) == 3


# The app sends its key to the host of the pictures, and `n`, which the service does not know: two warnings, with which a test passes.
def test_a_download_that_breaks_off_is_made_again(bodydouble, tmp_path):
    bodydouble.answer(fault="wrong-length", match={"path": "/generations/*"})
    (url,) = edit(CAT, "a hat", 1)
    save(url, tmp_path / "cat.png")
    assert (tmp_path / "cat.png").read_bytes().startswith(b"\x89PNG")
