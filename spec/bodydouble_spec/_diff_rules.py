"""The rules of comparison: each kind of change with its severity and its sentence.

``diff`` takes ids and severities from this one table, the settings are checked against it, and the documentation is
generated from it. Where oasdiff (https://github.com/oasdiff/oasdiff, ``checker/rules.go``) has a rule, the id and the
level are its own.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from bodydouble_spec._diff_table import BOUNDS, DOCUMENT_RULES, NOT_IN_OASDIFF, SCHEMA_RULES, SCOPES
from bodydouble_spec._finding import Severity

__all__ = ["RULES", "Rule", "schema_rule"]

_LEVELS = {"E": Severity.ERROR, "W": Severity.WARNING, "I": Severity.INFO}
_GENERAL = "keyword-changed"
# Levels of single scopes that differ from those of their direction.
_OVERRIDES = {
    "request-parameter-default-value-added": "E",
    "request-parameter-default-value-changed": "E",
    "request-parameter-default-value-removed": "E",
    "request-parameter-property-type-changed": "W",
}
# The few rules of these scopes; every other change there is `keyword-changed`.
_LIMITED_SCOPES = {
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
# Rules that only some scopes have.
_SUFFIX_SCOPES = {
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
# Rules that oasdiff does not have for the schema of a parameter.
_NOT_IN_PARAMETERS = (
    "all-of-", "any-of-", "const-", "contains-", "content-", "dependent-", "discriminator-", "else-", "if-", "one-of-",
    "pattern-property-", "prefix-items-", "property-names-", "then-", "unevaluated-",
)  # fmt: skip
# Rules for which oasdiff has other ids.
_OTHER_IDS = {
    "request-parameter-property-type-compatible": "request-parameter-property-type-generalized",
    "request-parameter-type-compatible": "request-parameter-type-generalized",
    "response-body-enum-value-removed": "response-mediatype-enum-value-removed",
}


@dataclass(frozen=True, slots=True)
class Rule:
    """One kind of change between two contracts.

    ``id`` is in kebab case; ``severity`` applies unless settings change it; ``sentence`` is the message, with fields
    for the place (``it``), the value before (``old``) and the value after (``new``); ``is_oasdiff`` tells whether id
    and severity are oasdiff's.
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
    for rule_id, level, sentence in DOCUMENT_RULES:
        yield Rule(rule_id, _LEVELS[level], sentence, rule_id not in NOT_IN_OASDIFF)
    for scope, is_harmless in SCOPES.items():
        for suffix, request, response, sentence in _schema_rows():
            if scope not in _SUFFIX_SCOPES.get(suffix, SCOPES) or suffix not in {
                *_LIMITED_SCOPES.get(scope, {suffix}),
                _GENERAL,
            }:
                continue
            rule_id = f"{scope}-{suffix}"
            if rule_id in _OTHER_IDS:
                continue
            level = "I" if is_harmless else request if scope.startswith("request") else response
            is_ours = bool({suffix, rule_id} & NOT_IN_OASDIFF) or (
                scope == "request-parameter" and suffix.startswith(_NOT_IN_PARAMETERS)
            )
            yield Rule(rule_id, _LEVELS[_OVERRIDES.get(rule_id, level)], sentence, not is_ours)


RULES: Mapping[str, Rule] = MappingProxyType({rule.id: rule for rule in _rules()})
"""Every rule by its id."""


def schema_rule(scope: str, suffix: str) -> Rule:
    """Return the rule for a change of a schema (``max-decreased``) in a scope (``request-property``), or the scope's general rule."""
    rule_id = f"{scope}-{suffix}"
    return RULES.get(_OTHER_IDS.get(rule_id, rule_id)) or RULES[f"{scope}-{_GENERAL}"]
