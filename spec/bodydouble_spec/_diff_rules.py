"""The rules of comparison: what can become different, how bad that is, and the sentence that says it.

One table, from which ``diff`` takes its ids and severities, the settings check theirs, and the documentation is written. Where oasdiff
(https://github.com/oasdiff/oasdiff, ``checker/rules.go``) has a rule, the id and the level are its own.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from bodydouble_spec._diff_table import BOUNDS, DOCUMENT_RULES, OURS, SCHEMA_RULES, SCOPES
from bodydouble_spec._finding import Severity

__all__ = ["RULES", "Rule", "schema_rule"]

_LEVELS = {"E": Severity.ERROR, "W": Severity.WARNING, "I": Severity.INFO}
_OTHERWISE = "keyword-changed"
# Where a scope departs from its direction.
_OVERRIDES = {
    "request-parameter-default-value-added": "E",
    "request-parameter-default-value-changed": "E",
    "request-parameter-default-value-removed": "E",
    "request-parameter-property-type-changed": "W",
}
# These scopes have few rules; every other change there is `keyword-changed`.
_FEW = {
    "request-read-only-property": {
        "enum-value-removed", "exclusive-max-decreased", "exclusive-min-increased", "max-decreased", "max-items-decreased",
        "max-length-decreased", "max-properties-decreased", "min-increased",
    },
    "response-write-only-property": {"became-optional", "became-required", "enum-value-added"},
    "request-parameter-property": {
        "became-not-nullable", "became-nullable", "enum-value-added", "enum-value-removed", "list-of-types-narrowed",
        "list-of-types-widened", "type-changed", "type-generalized", "type-specialized",
    },
    "response-header": {
        "became-not-nullable", "became-nullable", "became-optional", "type-changed", "type-compatible", "type-generalized",
        "type-specialized",
    },
}  # fmt: skip
_REQUESTS = {"request-body", "request-parameter", "request-property"}
_RESPONSES = {"response-body", "response-property"}
# These stand at some kinds of place only.
_ONLY = {
    "became-optional": {"request-parameter", "request-property", "response-header", "response-property", "response-write-only-property"},
    "became-required": {"request-parameter", "request-property", "response-property", "response-write-only-property"},
    "became-required-with-default": {"request-property"},
    "multiple-of-generalized": _REQUESTS,
    "multiple-of-specialized": _RESPONSES,
    "pattern-generalized": _REQUESTS,
    "type-compatible": {"request-body", "request-property", "response-header", *_RESPONSES},
    "type-specialized": {"request-parameter-property", "response-header", *_RESPONSES},
    "wrapped-in-one-of": {"request-body", "response-body"},
}  # fmt: skip
# oasdiff has no rules for these in the schema of a parameter.
_UNUSUAL = (
    "all-of-", "any-of-", "const-", "contains-", "content-", "dependent-", "discriminator-", "else-", "if-", "one-of-",
    "pattern-property-", "prefix-items-", "property-names-", "then-", "unevaluated-",
)  # fmt: skip
# oasdiff has other ids for these.
_IRREGULAR = {
    "request-parameter-property-type-compatible": "request-parameter-property-type-generalized",
    "request-parameter-type-compatible": "request-parameter-type-generalized",
    "response-body-enum-value-removed": "response-mediatype-enum-value-removed",
}


@dataclass(frozen=True, slots=True)
class Rule:
    """One way in which two contracts can differ.

    ``id`` is in kebab case; ``severity`` is how bad such a change is unless settings say otherwise; ``sentence`` says it, with places
    in braces for what it is about (``it``), the value before (``old``) and the value after (``new``); ``is_oasdiff`` tells whether the
    id and the severity are oasdiff's.
    """

    id: str
    severity: Severity
    sentence: str
    is_oasdiff: bool


def _schema_rows() -> Iterator[tuple[str, str, str, str]]:
    yield from SCHEMA_RULES
    for name, label, narrows_when in BOUNDS:
        widens, narrows = ("decreased", "increased") if narrows_when == "up" else ("increased", "decreased")
        yield f"{name}-{narrows}", "E", "I", f"the {label} of {{it}} went {narrows_when} from {{old}} to {{new}}"
        other_way = "down" if narrows_when == "up" else "up"
        yield f"{name}-{widens}", "I", "E", f"the {label} of {{it}} went {other_way} from {{old}} to {{new}}"
        yield f"{name}-set", "W", "I", f"{{it}} now has a {label}: {{new}}"
        yield f"{name}-unset", "I", "E", f"{{it}} no longer has a {label} (it was {{old}})"


def _rules() -> Iterator[Rule]:
    for identity, level, sentence in DOCUMENT_RULES:
        yield Rule(identity, _LEVELS[level], sentence, identity not in OURS)
    for scope, is_harmless in SCOPES.items():
        for suffix, request, response, sentence in _schema_rows():
            if scope not in _ONLY.get(suffix, SCOPES) or suffix not in {*_FEW.get(scope, {suffix}), _OTHERWISE}:
                continue
            identity = f"{scope}-{suffix}"
            if identity in _IRREGULAR:
                continue
            level = "I" if is_harmless else request if scope.startswith("request") else response
            is_ours = bool({suffix, identity} & OURS) or (scope == "request-parameter" and suffix.startswith(_UNUSUAL))
            yield Rule(identity, _LEVELS[_OVERRIDES.get(identity, level)], sentence, not is_ours)


RULES: Mapping[str, Rule] = MappingProxyType({rule.id: rule for rule in _rules()})
"""Every rule by its id."""


def schema_rule(scope: str, suffix: str) -> Rule:
    """The rule for what happened to a schema (``max-decreased``) at a place (``request-property``), or the general one for that place."""
    identity = f"{scope}-{suffix}"
    return RULES.get(_IRREGULAR.get(identity, identity)) or RULES[f"{scope}-{_OTHERWISE}"]
