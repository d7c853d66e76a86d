"""Errors that this package raises."""

__all__ = ["CannotVerify", "TooLarge", "UnsupportedSchema"]


class UnsupportedSchema(ValueError):
    """No body can be made: the contract has no such schema, it contradicts itself, or a pattern is beyond Python's ``re``."""


class TooLarge(UnsupportedSchema):
    """No body is made, because the smallest one is too large."""


class CannotVerify(ValueError):
    """A verification cannot begin with these arguments; the message gives the reason and the remedy. Nothing was sent."""
