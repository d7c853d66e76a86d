"""What can go wrong here."""

__all__ = ["UnsupportedSchema"]


class UnsupportedSchema(ValueError):
    """No body can be made: the contract has no such schema, it contradicts itself, or a pattern is beyond Python's ``re``."""
