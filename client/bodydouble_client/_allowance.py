"""The deadline that one call shares with the later downloads of its pictures.

Images keep it outside their dataclass fields, so it is neither printed, compared nor pickled.
"""

__all__ = ["Deadline", "HasDeadline", "attach_deadline", "deadline_of"]


class Deadline:
    """The seconds that remain, None for no limit. Only time spent inside the client counts."""

    __slots__ = ("remaining_s",)

    def __init__(self, remaining_s: float | None) -> None:
        self.remaining_s = remaining_s


class HasDeadline:
    """A base class for objects that a deadline can be attached to."""

    __slots__ = ("_deadline",)


def attach_deadline(holder: HasDeadline, deadline: Deadline | None) -> None:
    """Attach a deadline to a frozen object."""
    object.__setattr__(holder, "_deadline", deadline)


def deadline_of(holder: object) -> Deadline | None:
    """Return the attached deadline, None without one."""
    return getattr(holder, "_deadline", None)
