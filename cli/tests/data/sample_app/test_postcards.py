import pytest
from postcards import TooBusy, decorate


def test_two_copies_are_two_pictures(bodydouble):
    assert len(decorate("https://example.org/cat.png", "Happy birthday", copies=2)) == 2
    assert "Happy birthday" in bodydouble.requests[0].body["prompt"]


def test_a_busy_service_raises_too_busy(bodydouble):
    bodydouble.answer(status=429)
    with pytest.raises(TooBusy):
        decorate("https://example.org/cat.png", "Happy birthday")
