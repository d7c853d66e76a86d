# pyright: basic, reportMissingImports=false
"""Tests of an app whose client is made at import: `pytest.ini` starts the mock before, for the whole run."""

from studio import variations

CAT = "https://example.org/cat.png"


def test_two_variations():
    # Without the fixture in its arguments; the test is judged all the same.
    assert len(variations(CAT, "a hat", count=2)) == 2


def test_a_busy_service_gives_none(bodydouble):
    bodydouble.answer(status=429)
    assert variations(CAT, "a hat") == []
