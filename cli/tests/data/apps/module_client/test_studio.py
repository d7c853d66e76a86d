# pyright: basic, reportMissingImports=false
import pytest
from studio import variations

CAT = "https://example.org/cat.png"


def test_two_variations():
    assert len(variations(CAT, "a hat", count=2)) == 2


def test_a_busy_service_gives_none(bodydouble):
    bodydouble.answer(status=429)
    assert variations(CAT, "a hat") == []


@pytest.mark.parametrize("count", [1, 9])
def test_any_number_of_variations(count):
    assert len(variations(CAT, "a hat", count)) <= count
