"""Odd requests, which the contract allows without specifying the outcome; they must not crash the server."""

from collections.abc import Iterator
from typing import Any

from bodydouble_spec import Evidence, is_object

from bodydouble_contract_tests._case import Case, ExpectedOutcome
from bodydouble_contract_tests._elements import Row
from bodydouble_contract_tests._planner_picture import PROMPT, input_picture
from bodydouble_contract_tests._subject import OperationProfile

__all__ = ["odd_cases"]

_LONG = 4000
_MANY = 14
_PROMPTS = {
    "empty": "",
    f"{_LONG}-characters": (f"{PROMPT} " * _LONG)[:_LONG],
    "nul": f"{PROMPT}\x00",
    "astral": "Paint the door of the house 🟥 like 𝒹𝒶𝓌𝓃.",
    "right-to-left": "اصبغ باب البيت باللون الأحمر",
}


def odd_cases(profile: OperationProfile, row: Row, evidence: Evidence) -> list[Case]:
    """Return the minimal request with one odd value in it, one case for each value that the contract allows."""
    if not is_object(row.value):
        return []
    made = [(name, key, {**row.value, key: value}) for name, key, value in _odd_values(profile, row.value)]
    return [
        Case(f"odd/{name}", "odd-request-survived", body, ExpectedOutcome.SURVIVED, evidence, profile.images_asked(body), f"/{key}")
        for name, key, body in made
        if not profile.operation.validate_request(body)
    ]  # fmt: skip


def _odd_values(profile: OperationProfile, usual: dict[str, Any]) -> Iterator[tuple[str, str, Any]]:
    """Yield a readable name, the property and its odd value."""
    prompt, inputs = profile.names.prompt, profile.names.inputs
    if prompt is not None:
        yield from ((f"{prompt}-{name}", prompt, text) for name, text in _PROMPTS.items())
    if inputs is not None and isinstance(usual.get(inputs, []), list):
        yield f"{inputs}-0-items", inputs, []
        yield f"{inputs}-{_MANY}-items", inputs, [input_picture()] * _MANY
