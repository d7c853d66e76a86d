"""The arguments of ``@pytest.mark.bodydouble``, checked, because a misspelt one would be ignored."""

from collections.abc import Iterable
from dataclasses import dataclass, fields

import pytest

__all__ = ["MarkerOptions"]


@dataclass(frozen=True, slots=True)
class MarkerOptions:
    """The options of a test; ``openai=None`` uses the setting of the run."""

    allow_invalid: bool = False
    allow_unused: bool = False
    allow_real_host: bool = False
    openai: bool | None = None

    @classmethod
    def from_marks(cls, marks: Iterable[pytest.Mark]) -> "MarkerOptions":
        """Combine the options of all marks on a test, the closest first; the closest mark with an option wins.

        Raises ValueError, which lists the known options.
        """
        known = [item.name for item in fields(cls)]
        example = f"@pytest.mark.bodydouble takes {', '.join(known)}, each True or False"
        given: dict[str, bool] = {}
        for mark in marks:
            if mark.args:
                raise ValueError(f"{mark.args[0]!r:.60} needs a name; {example}")
            for name, value in mark.kwargs.items():
                if name not in known:
                    raise ValueError(f"unknown argument {name!r:.60}; {example}")
                if not isinstance(value, bool):
                    raise ValueError(f"{name}={value!r:.60} is neither True nor False; {example}")
                given.setdefault(name, value)
        return cls(**given)
