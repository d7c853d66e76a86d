"""The time that one call and the later downloads of its pictures may take together.

It is carried along by the pictures, beside their data, so that a result stays plain: neither printed, compared nor
pickled.
"""

__all__ = ["Allowance", "Carrier", "allowance_of", "carry"]


class Allowance:
    """Seconds left, None for no limit; the time between two calls of a client is not counted."""

    __slots__ = ("left_s",)

    def __init__(self, left_s: float | None) -> None:
        self.left_s = left_s


class Carrier:
    """What can carry an allowance."""

    __slots__ = ("_allowance",)


def carry(carrier: Carrier, allowance: Allowance | None) -> None:
    """Let a frozen picture carry the allowance of its call."""
    object.__setattr__(carrier, "_allowance", allowance)


def allowance_of(carrier: object) -> Allowance | None:
    """What is carried, None when nothing is."""
    return getattr(carrier, "_allowance", None)
