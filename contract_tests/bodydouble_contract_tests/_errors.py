"""What can go wrong here."""

__all__ = ["CannotVerify", "UnsupportedSchema"]


class UnsupportedSchema(ValueError):
    """No body can be made: the contract has no such schema, it contradicts itself, or a pattern is beyond Python's ``re``."""


class CannotVerify(ValueError):
    """A verification cannot begin as it was asked for; the text says why and what to do. Nothing was sent."""
