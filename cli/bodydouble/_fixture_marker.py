"""The arguments of ``@pytest.mark.bodydouble``, checked: one that is misspelt would otherwise have no effect in silence."""

from collections.abc import Iterable
from dataclasses import dataclass, fields

import pytest

__all__ = ["MarkerOptions"]


@dataclass(frozen=True, slots=True)
class MarkerOptions:
    """What a test says it means; ``openai`` None leaves that to the setting of the whole run."""

    allow_invalid: bool = False
    allow_unused: bool = False
    allow_real_host: bool = False
    openai: bool | None = None

    @classmethod
    def of(cls, marks: Iterable[pytest.Mark]) -> "MarkerOptions":
        """The options of all marks on a test, the closest first; the closest one that names an option decides it.

        Raises ValueError with what is wrong and the names that there are.
        """
        known = [item.name for item in fields(cls)]
        example = f"@pytest.mark.bodydouble takes {', '.join(known)}, each True or False"
        given: dict[str, bool] = {}
        for mark in marks:
            if mark.args:
                raise ValueError(f"{mark.args[0]!r:.60} has no name; {example}")
            for name, value in mark.kwargs.items():
                if name not in known:
                    raise ValueError(f"unknown argument {name!r:.60}; {example}")
                if not isinstance(value, bool):
                    raise ValueError(f"{name}={value!r:.60} is neither True nor False; {example}")
                given.setdefault(name, value)
        return cls(**given)
