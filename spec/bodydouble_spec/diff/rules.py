"""The rules of comparison: each kind of change with its severity and its sentence.

``diff`` takes ids and severities from this one table, the settings are checked against it, and the documentation is
generated from it. Where oasdiff (https://github.com/oasdiff/oasdiff, its list of checks of 1.32.1) has a rule, the id is
its own; where its level is another one, the documentation says why.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from bodydouble_spec.finding import Severity

__all__ = ["RULES", "Rule", "schema_rule"]

# The scopes of schemas; true where no change can break a client (a property that clients do not send or the service does not return).
SCOPES = {
    "request-body": False,
    "request-property": False,
    "request-read-only-property": True,
    "request-parameter": False,
    "request-parameter-property": False,
    "response-body": False,
    "response-property": False,
    "response-write-only-property": True,
    "response-header": False,
}

# Rules for a schema: the end of the id after the scope, the level in a request, the level in a response, the sentence.
SCHEMA_RULES = (
    ("type-changed", "E", "E", "{it} changed from {old} to {new}"),
    ("type-generalized", "I", "E", "{it} was {old} and may now be {new}"),
    ("type-specialized", "E", "I", "{it} was {old} and is now only {new}"),
    ("type-compatible", "I", "I", "{it} changed from {old} to {new}, which is the same text in this media type"),
    ("list-of-types-widened", "I", "E", "{it} was {old} and may now be {new}"),
    ("list-of-types-narrowed", "E", "I", "{it} was {old} and is now only {new}"),
    ("became-nullable", "I", "E", "{it} may now be null"),
    ("became-not-nullable", "E", "I", "{it} may no longer be null"),
    ("became-required", "E", "I", "{it} became required"),
    ("became-required-with-default", "E", "I", "{it} became required, though it has a default"),
    ("became-optional", "I", "E", "{it} became optional"),
    ("became-enum", "E", "I", "{it} is now limited to {new}"),
    ("became-not-enum", "I", "W", "{it} is no longer limited to {old}"),
    ("enum-value-added", "I", "W", "{it} may now be {new}"),
    ("enum-value-removed", "E", "I", "{it} may no longer be {old}"),
    ("default-value-added", "I", "I", "{it} now has the default {new}"),
    ("default-value-changed", "I", "I", "the default of {it} changed from {old} to {new}"),
    ("default-value-removed", "I", "I", "{it} no longer has the default {old}"),
    ("const-added", "E", "I", "{it} must now be {new}"),
    ("const-changed", "E", "E", "{it} had to be {old} and must now be {new}"),
    ("const-removed", "I", "E", "{it} no longer has to be {old}"),
    ("pattern-added", "E", "I", "{it} must now match {new}"),
    ("pattern-changed", "W", "I", "{it} had to match {old} and must now match {new}"),
    ("pattern-generalized", "I", "I", "{it} had to match {old} and must now match the more general {new}"),
    ("pattern-removed", "I", "I", "{it} no longer has to match {old}"),
    ("unique-items-set", "E", "I", "the items of {it} must now differ"),
    ("unique-items-unset", "I", "E", "the items of {it} may now repeat"),
    ("multiple-of-set", "W", "I", "{it} must now be a multiple of {new}"),
    ("multiple-of-unset", "I", "E", "{it} no longer has to be a multiple of {old}"),
    ("multiple-of-changed", "E", "E", "{it} had to be a multiple of {old} and must now be a multiple of {new}"),
    ("multiple-of-generalized", "I", "I", "{it} had to be a multiple of {old} and must now be a multiple of {new}"),
    ("multiple-of-specialized", "I", "I", "{it} had to be a multiple of {old} and must now be a multiple of {new}"),
    ("additional-properties-forbidden", "E", "I", "{it} may no longer have properties that are not listed"),
    ("additional-properties-restricted", "E", "I", "the properties of {it} that are not listed must now fit {new}"),
    ("additional-properties-allowed", "I", "I", "{it} may now have any property that is not listed"),
    ("one-of-added", "I", "E", "{it} may now be one of {new} too (oneOf)"),
    ("one-of-removed", "E", "I", "{it} may no longer be one of {old} (oneOf)"),
    ("any-of-added", "I", "I", "{it} may now be any of {new} too (anyOf)"),
    ("any-of-removed", "E", "I", "{it} may no longer be any of {old} (anyOf)"),
    ("all-of-added", "E", "I", "{it} must now be all of {new} too (allOf)"),
    ("all-of-removed", "W", "E", "{it} no longer has to be all of {old} (allOf)"),
    ("prefix-items-added", "I", "E", "{it} now defines its first items: {new}"),
    ("prefix-items-removed", "E", "I", "{it} no longer defines its first items: {old}"),
    ("wrapped-in-one-of", "E", "E", "{it} was one object and is now one of several (oneOf)"),
    ("not-changed", "W", "W", "the values that {it} excludes (not) changed"),
    ("if-added", "E", "I", "{it} now has a condition"),
    ("if-removed", "I", "E", "{it} no longer has a condition"),
    ("then-added", "E", "I", "{it} must now fit another schema under its condition"),
    ("then-removed", "I", "E", "{it} no longer has to fit another schema under its condition"),
    ("else-added", "E", "I", "{it} must now fit another schema outside its condition"),
    ("else-removed", "I", "E", "{it} no longer has to fit another schema outside its condition"),
    ("contains-added", "E", "I", "{it} must now contain a certain item"),
    ("contains-removed", "I", "E", "{it} no longer has to contain a certain item"),
    ("property-names-added", "E", "I", "the names of the properties of {it} are now limited"),
    ("property-names-removed", "I", "E", "the names of the properties of {it} are no longer limited"),
    ("unevaluated-items-added", "E", "I", "the other items of {it} are now limited"),
    ("unevaluated-items-removed", "I", "E", "the other items of {it} are no longer limited"),
    ("unevaluated-properties-added", "E", "I", "the other properties of {it} are now limited"),
    ("unevaluated-properties-removed", "I", "E", "the other properties of {it} are no longer limited"),
    ("content-schema-added", "E", "I", "the content of {it} must now fit a schema"),
    ("content-schema-removed", "I", "E", "the content of {it} no longer has to fit a schema"),
    ("content-media-type-changed", "E", "E", "the content of {it} changed from {old} to {new}"),
    ("content-encoding-changed", "E", "E", "the encoding of {it} changed from {old} to {new}"),
    ("dependent-required-added", "E", "I", "{it} must now have {new}"),
    ("dependent-required-removed", "I", "E", "{it} no longer has to have {old}"),
    ("dependent-required-changed", "E", "E", "{it} had to have {old} and must now have {new}"),
    ("dependent-schema-added", "E", "I", "{it} must now fit another schema when it has {new}"),
    ("dependent-schema-removed", "I", "E", "{it} no longer has to fit another schema when it has {old}"),
    ("pattern-property-added", "E", "I", "the properties of {it} whose names match {new} are now limited"),
    ("pattern-property-removed", "I", "E", "the properties of {it} whose names match {old} are no longer limited"),
    ("discriminator-added", "I", "I", "{it} now has a discriminator"),
    ("discriminator-removed", "I", "I", "{it} no longer has a discriminator"),
    ("discriminator-property-name-changed", "I", "I", "the discriminator of {it} changed from {old} to {new}"),
    ("discriminator-mapping-added", "I", "I", "the discriminator of {it} now maps {new}"),
    ("discriminator-mapping-deleted", "I", "I", "the discriminator of {it} no longer maps {old}"),
    ("discriminator-mapping-changed", "I", "I", "the mapping of the discriminator of {it} changed from {old} to {new}"),
    ("deprecated", "I", "I", "{it} is now deprecated"),
    ("reactivated", "I", "I", "{it} is no longer deprecated"),
    ("schema-became-false", "E", "I", "{it} may no longer have any value"),
    ("schema-became-not-false", "I", "E", "{it}, which could not have any value, may now have one"),
    ("keyword-changed", "I", "I", "{it} changed from {old} to {new}"),
)

# Bounds: the name in ids, the name in sentences, and the direction in which fewer values fit.
BOUNDS = (
    ("max", "maximum", "down"),
    ("min", "minimum", "up"),
    ("exclusive-max", "exclusive maximum", "down"),
    ("exclusive-min", "exclusive minimum", "up"),
    ("max-length", "maximum length", "down"),
    ("min-length", "minimum length", "up"),
    ("max-items", "maximum number of items", "down"),
    ("min-items", "minimum number of items", "up"),
    ("max-properties", "maximum number of properties", "down"),
    ("min-properties", "minimum number of properties", "up"),
    ("max-contains", "maximum number of matching items", "down"),
    ("min-contains", "minimum number of matching items", "up"),
)

# Rules outside schemas, and rules whose id does not follow its scope: id, level, sentence.
DOCUMENT_RULES = (
    ("model-identity-replaced", "E", "the document now describes {new}; it described {old}"),
    ("document-became-unreadable", "E", "the document can no longer be read: {new}"),
    ("document-became-readable", "I", "the document can be read again; before, it could not: {old}"),
    ("servers-changed", "W", "the server URLs changed from {old} to {new}"),
    ("not-compared", "W", "{it} differs in a part that is not compared: it changed from {old} to {new}"),
    (
        "comparison-limited",
        "W",
        "{it} was not compared again because there are too many changes; they are listed for {old}",
    ),
    ("structure-changed", "I", "{it} changed from {old} to {new}"),
    ("api-path-removed-without-deprecation", "E", "{it} was removed with its path"),
    ("api-path-removed-with-deprecation", "I", "{it}, which was deprecated, was removed with its path"),
    ("api-removed-without-deprecation", "E", "{it} was removed"),
    ("api-removed-with-deprecation", "I", "{it}, which was deprecated, was removed"),
    ("endpoint-added", "I", "{it} is new"),
    ("endpoint-deprecated", "I", "{it} is now deprecated"),
    ("endpoint-reactivated", "I", "{it} is no longer deprecated"),
    ("webhook-added", "I", "the webhook {it} is new"),
    ("webhook-removed", "E", "the webhook {it} was removed"),
    ("callback-added", "I", "the callback {it} is new"),
    ("callback-removed", "E", "the callback {it} was removed"),
    ("api-operation-id-added", "I", "{it} now has the operation id {new}"),
    ("api-operation-id-removed", "I", "the operation id of {it} changed from {old} to {new}"),
    ("api-tag-added", "I", "{it} now has the tag {new}"),
    ("api-tag-removed", "I", "{it} no longer has the tag {old}"),
    ("api-security-added", "I", "{it} now accepts the security scheme {new}"),
    ("api-security-removed", "I", "{it} no longer accepts the security scheme {old}"),
    ("api-security-scope-added", "I", "{it} now needs the scope {new}"),
    ("api-security-scope-removed", "I", "{it} no longer needs the scope {old}"),
    ("api-global-security-added", "I", "{it} now accepts the security scheme {new}"),
    ("api-global-security-removed", "I", "{it} no longer accepts the security scheme {old}"),
    ("api-global-security-scope-added", "I", "{it} now needs the scope {new}"),
    ("api-global-security-scope-removed", "I", "{it} no longer needs the scope {old}"),
    ("api-security-became-required", "E", "{it} no longer accepts calls without credentials"),
    ("api-security-became-optional", "I", "{it} now accepts calls without credentials too"),
    ("api-global-security-became-required", "E", "{it} no longer accepts calls without credentials"),
    ("api-global-security-became-optional", "I", "{it} now accepts calls without credentials too"),
    ("api-security-component-added", "I", "the security scheme {new} is new"),
    ("api-security-component-removed", "I", "the security scheme {old} was removed"),
    ("api-security-component-type-changed", "I", "{it} changed from {old} to {new}"),
    ("new-request-path-parameter", "E", "{it} is new, in the path"),
    ("new-required-request-parameter", "E", "{it} is new and required"),
    ("new-optional-request-parameter", "I", "{it} is new and optional"),
    ("request-parameter-serialization-changed", "E", "{it} is now sent as {new}, no longer as {old}"),
    ("request-parameter-removed", "W", "{it} was removed"),
    ("request-parameter-removed-with-deprecation", "I", "{it}, which was deprecated, was removed"),
    ("request-body-added-required", "E", "{it} now needs a body"),
    ("request-body-added-optional", "I", "{it} now accepts a body"),
    ("request-body-serialization-changed", "E", "the fields of {it} are now sent as {new}, no longer as {old}"),
    ("request-body-became-required", "E", "the body of the request became required"),
    ("request-body-became-optional", "I", "the body of the request became optional"),
    ("request-body-removed", "E", "{it} no longer accepts a body"),
    ("request-body-media-type-added", "I", "the request may now be {new}"),
    ("request-body-media-type-removed", "E", "the request may no longer be {old}"),
    ("request-body-media-type-schema-added", "E", "the request now has a schema"),
    ("request-body-media-type-schema-removed", "I", "the request no longer has a schema"),
    ("new-required-request-property", "E", "{it} is new and required"),
    ("new-required-request-property-with-default", "E", "{it} is new and required, though it has a default"),
    ("new-optional-request-property", "I", "{it} is new and optional"),
    ("new-read-only-request-property", "I", "{it} is new and read-only"),
    ("request-property-removed", "W", "{it} was removed"),
    ("request-property-renamed", "E", "{it} was probably renamed to {new}"),
    ("request-read-only-property-removed", "I", "{it}, which was read-only, was removed"),
    ("request-optional-property-became-read-only", "I", "{it} is now read-only"),
    ("request-optional-property-became-not-read-only", "I", "{it} is no longer read-only"),
    ("request-optional-property-became-write-only", "I", "{it} is now write-only"),
    ("request-optional-property-became-not-write-only", "I", "{it} is no longer write-only"),
    ("request-required-property-became-read-only", "I", "{it} is now read-only"),
    ("request-required-property-became-not-read-only", "I", "{it} is no longer read-only"),
    ("request-required-property-became-write-only", "I", "{it} is now write-only"),
    ("request-required-property-became-not-write-only", "I", "{it} is no longer write-only"),
    ("response-success-status-added", "I", "{it} is a new response"),
    ("response-success-status-removed", "E", "{it} was removed"),
    ("response-non-success-status-added", "I", "{it} is a new response"),
    ("response-non-success-status-removed", "I", "{it} was removed"),
    ("response-media-type-added", "I", "{it} may now be {new}"),
    ("response-media-type-removed", "E", "{it} is no longer {old}"),
    ("response-body-media-type-schema-added", "I", "{it} now has a schema"),
    ("response-body-media-type-schema-removed", "E", "{it} no longer has a schema"),
    ("response-mediatype-enum-value-removed", "I", "{it} may no longer be {old}"),
    ("response-serialization-changed", "E", "{it} is now sent as {new}, no longer as {old}"),
    ("response-header-added", "I", "{it} is new"),
    ("required-response-header-removed", "E", "{it}, which was always present, was removed"),
    ("optional-response-header-removed", "W", "{it} was removed"),
    ("response-required-property-added", "I", "{it} is new and always present"),
    ("response-required-property-removed", "E", "{it}, which was always present, was removed"),
    ("response-optional-property-added", "I", "{it} is new"),
    ("response-optional-property-removed", "W", "{it} was removed"),
    ("response-property-renamed", "E", "{it} was probably renamed to {new}"),
    ("response-required-write-only-property-added", "I", "{it} is new and write-only"),
    ("response-required-write-only-property-removed", "I", "{it}, which was write-only, was removed"),
    ("response-optional-write-only-property-added", "I", "{it} is new and write-only"),
    ("response-optional-write-only-property-removed", "I", "{it}, which was write-only, was removed"),
    ("response-optional-property-became-read-only", "I", "{it} is now read-only"),
    ("response-optional-property-became-not-read-only", "I", "{it} is no longer read-only"),
    ("response-optional-property-became-write-only", "I", "{it} is now write-only"),
    ("response-optional-property-became-not-write-only", "I", "{it} is no longer write-only"),
    ("response-required-property-became-read-only", "I", "{it} is now read-only"),
    ("response-required-property-became-not-read-only", "I", "{it} is no longer read-only"),
    ("response-required-property-became-write-only", "I", "{it} is now write-only"),
    ("response-required-property-became-not-write-only", "W", "{it} is no longer write-only"),
)

# Rules that oasdiff does not have: ends of ids, and whole ids.
NOT_IN_OASDIFF = {
    "api-global-security-became-optional", "api-global-security-became-required", "api-security-became-optional",
    "api-security-became-required", "callback-added", "callback-removed", "comparison-limited", "not-compared", "request-body-serialization-changed",
    "request-parameter-serialization-changed", "response-serialization-changed",
    "additional-properties-allowed", "additional-properties-forbidden", "additional-properties-restricted", "became-not-enum",
    "keyword-changed", "not-changed",
    "request-body-deprecated", "request-body-enum-value-added", "request-body-reactivated", "request-parameter-multiple-of-changed",
    "request-parameter-multiple-of-generalized", "request-parameter-unique-items-set", "request-parameter-unique-items-unset",
    "response-body-deprecated", "response-body-enum-value-added", "response-body-reactivated", "response-body-unique-items-set",
    "response-property-unique-items-set",
    "request-body-pattern-added", "request-body-pattern-changed", "request-body-pattern-generalized", "request-body-pattern-removed",
    "response-body-became-enum", "response-body-pattern-added", "response-body-pattern-changed", "response-body-pattern-removed",
    "response-property-became-enum",
    "document-became-readable", "document-became-unreadable", "model-identity-replaced", "new-read-only-request-property",
    "request-property-renamed", "request-read-only-property-removed", "response-property-renamed", "servers-changed",
    "structure-changed",
}  # fmt: skip


_LEVELS = {"E": Severity.ERROR, "W": Severity.WARNING, "I": Severity.INFO}
_GENERAL = "keyword-changed"
# Levels of single scopes that differ from those of their direction.
_OVERRIDES = {
    "request-body-default-value-changed": "E",
    "request-property-default-value-changed": "E",
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
        "list-of-types-widened", "schema-became-false", "schema-became-not-false", "type-changed", "type-generalized",
        "type-specialized",
    },
    "response-header": {
        "became-not-nullable", "became-nullable", "became-optional", "multiple-of-set", "multiple-of-unset", "schema-became-false",
        "schema-became-not-false", "type-changed", "type-compatible", "type-generalized", "type-specialized",
        *(f"{name}-{word}" for name, _, _ in BOUNDS for word in ("decreased", "increased", "set", "unset")),
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
    for the place (``it``), the value before (``old``) and the value after (``new``); ``is_oasdiff`` tells whether the
    id is oasdiff's.
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
