# pyright: basic, reportMissingImports=false
"""Tests of an app with the address of the service in its code."""

from greeting import decorate

CAT = "https://example.org/cat.png"


def test_two_copies_are_two_pictures_of_one_request(bodydouble):
    assert len(decorate(CAT, "Happy birthday", 2)) == 2
    assert len(bodydouble.requests) == 1


def test_without_credits_there_is_no_picture(bodydouble):
    bodydouble.answer(status=403)
    assert decorate(CAT, "Happy birthday", 1) == []
