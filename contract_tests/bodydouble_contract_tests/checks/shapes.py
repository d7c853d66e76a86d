"""Find the findings that one object of an answer explains: a body of another service lacks all that is documented and has other names."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from bodydouble_spec import Finding, is_array, join_pointer, pointer_parts
from bodydouble_spec.report import words_of

__all__ = ["Shape", "shapes"]

_SUCCESS = ("answer-strict", "answer-conforms")
_REFUSAL = "refusal-envelope"
_MISSING = {"absent", "required", "no-value", "null"}
_OTHER = {"undocumented", "additionalProperties"}
_MOST_NAMED = 3


@dataclass(frozen=True, slots=True)
class Shape:
    """The shape of one object of the answers: the names that it lacks and those that it has instead, by the place of the object."""

    place: str
    lacking: tuple[str, ...]
    others: tuple[str, ...]

    @property
    def told(self) -> str:
        """The shape in words."""
        where = f"{words_of(self.place)} of the answer" if self.place else "the answer"
        if not self.lacking:
            return f"{where} has {_listed(self.others)}, which the contract does not have"
        if not self.others:
            return f"{where} has no {_listed(self.lacking)}"
        return f"{where} has {_listed(self.others)} instead of {_listed(self.lacking)}"


def shapes(findings: Iterable[Finding], witnesses: Mapping[Finding, Collection[str]]) -> dict[Finding, Shape]:
    """Map each finding about the names in an object to the shape that several of them show, in the same calls.

    A name that is absent in other calls than another one is a fault of its own.
    """
    groups: dict[tuple[str, str, frozenset[str]], list[Finding]] = {}
    for finding in findings:
        section = _section(finding)
        if section is not None:
            seen = frozenset(witnesses.get(finding, ())) or frozenset({finding.witness or ""})
            groups.setdefault((section, _place(finding), seen), []).append(finding)
    found: dict[Finding, Shape] = {}
    for (_, place, _), group in groups.items():
        if len(group) > 1:
            lacking = [name for one in group if _rule(one) in _MISSING for name in _names(one)]
            others = [name for one in group if _rule(one) in _OTHER for name in _names(one)]
            found |= dict.fromkeys(group, Shape(place, tuple(dict.fromkeys(lacking)), tuple(dict.fromkeys(others))))
    return found


def _section(finding: Finding) -> str | None:
    """Return the part of the service whose answers a finding is about; None where it is not about the names in an object."""
    check, _, rest = finding.id.partition("/")
    if _rule(finding) not in _MISSING | _OTHER:
        return None
    if check in _SUCCESS:
        return "success"
    return f"refusal {rest.partition('-')[0]}" if check == _REFUSAL else None


def _rule(finding: Finding) -> str:
    check, _, rest = finding.id.partition("/")
    return rest.partition("-")[2] if check == _REFUSAL else rest


def _is_of_several(finding: Finding) -> bool:
    return _rule(finding) == "no-value" and is_array(finding.expected) and len(finding.expected) > 1


def _place(finding: Finding) -> str:
    """Return the pointer of the object that has or lacks the name."""
    parts = pointer_parts(finding.pointer)
    is_object_itself = _is_of_several(finding) or not parts
    return finding.pointer if is_object_itself else join_pointer("", *parts[:-1])


def _names(finding: Finding) -> list[str]:
    if _is_of_several(finding):
        return [str(name) for name in finding.expected]
    return [*pointer_parts(finding.pointer)[-1:]]


def _listed(names: tuple[str, ...]) -> str:
    shown = ", ".join(names[:_MOST_NAMED])
    return shown if len(names) <= _MOST_NAMED else f"{shown} and {len(names) - _MOST_NAMED} more"
