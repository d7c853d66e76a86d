"""Boundary cases: each is valid or invalid as stated, and none is missing."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from bodydouble_contract_tests import BoundaryCase, UnsupportedSchema, boundary_cases
from bodydouble_spec import Contract, Evidence, is_object, join_pointer, pointer_parts, resolve_pointer
from hypothesis import given, settings
from hypothesis import strategies as st

ContractOf = Callable[..., Contract]

TYPES: dict[str, set[str]] = {
    "null": {"null"},
    "boolean": {"boolean"},
    "integer": {"integer", "number"},
    "number": {"number"},
    "string": {"string"},
    "array": {"array"},
    "object": {"object"},
}
# These keywords combine rules in ways that the simple list of expectations does not cover.
BEYOND = {"$ref", "allOf", "anyOf", "oneOf", "not", "if", "const", "patternProperties", "prefixItems", "format"}


def expected(schema: Any, place: str = "") -> Iterator[str]:
    """Yield the ids that a schema needs, keyword by keyword."""
    if not is_object(schema) or BEYOND & schema.keys() or "type" not in schema:
        return
    stated = schema["type"]
    types: set[str] = {stated} if isinstance(stated, str) else set(stated)
    rules = [f"type-{kind}" for kind, wide in TYPES.items() if not types & wide]
    if "enum" in schema:
        rules += ["enum-outside", *(f"enum={value}" for value in schema["enum"] if isinstance(value, str))]
    else:
        rules += of_numbers(schema) if types & {"integer", "number"} else []
        rules += of_lengths(schema, "Length") if "string" in types and "pattern" not in schema else []
        rules += of_lengths(schema, "Items") if "array" in types else []
    yield from (f"{place}/{rule}".removeprefix("/") for rule in rules)
    if "object" in types:
        for name, item in schema.get("properties", {}).items():
            if item is not False:
                yield f"{place}{join_pointer('', name)}/missing".removeprefix("/")
                yield from expected(item, place + join_pointer("", name))
    if "array" in types and schema.get("maxItems") != 0:
        yield from expected(schema.get("items"), f"{place}/0")


def of_numbers(schema: dict[str, Any]) -> list[str]:
    if "multipleOf" in schema:
        return ["multipleOf", "multipleOf-off"]
    names = [(name, step) for name, step in (("minimum", "-1"), ("maximum", "+1")) if name in schema]
    return [rule for name, step in names for rule in (name, name + step)]


def of_lengths(schema: dict[str, Any], what: str) -> list[str]:
    least, most = schema.get(f"min{what}"), schema.get(f"max{what}")
    rules = [] if least is None else [f"min{what}"]
    rules += [f"min{what}-1"] if least else []
    # A million characters are too many to send.
    return rules + ([f"max{what}", f"max{what}+1"] if most is not None and most < 10**6 else [])


def by_id(contract: Contract) -> dict[str, BoundaryCase]:
    return {case.id: case for case in boundary_cases(contract)}


@pytest.fixture(scope="module")
def cases(vendored: Contract) -> dict[str, BoundaryCase]:
    return by_id(vendored)


def test_a_valid_case_conforms_and_an_invalid_one_has_exactly_its_fault(contract: Contract) -> None:
    for case in boundary_cases(contract):
        found = {finding.pointer for finding in contract.operation().validate_request(case.body)}
        assert found == (set() if case.valid else {case.pointer}), case.id


def test_the_cases_are_the_same_every_time(contract: Contract) -> None:
    assert boundary_cases(contract) == boundary_cases(contract)


def test_ids_are_unique(contract: Contract) -> None:
    ids = [case.id for case in boundary_cases(contract)]
    assert len(ids) == len(set(ids))


def test_the_first_case_is_a_valid_baseline_with_every_documented_property(cases: dict[str, BoundaryCase]) -> None:
    first, *_ = cases.values()
    assert (first.id, first.valid, set(first.body)) == (
        "baseline",
        True,
        {"model", "prompt", "image_urls", "num_images", "aspect_ratio", "provider"},
    )


def test_every_keyword_of_every_published_document_has_its_cases(published: Contract) -> None:
    for operation in published.operations:
        if operation.request is not None:
            made = {case.id for case in boundary_cases(published, operation)}
            assert set(expected(operation.request_schema)) - made == set()


def test_every_keyword_of_the_vendored_contract_has_its_cases(
    vendored: Contract, cases: dict[str, BoundaryCase]
) -> None:
    wanted = set(expected(vendored.operation().request_schema))
    assert (len(wanted) > 60, wanted - cases.keys()) == (True, set())


# Not empty: jsonschema-rs leaves an empty name out of the path that it reports.
NAMES = st.text(st.sampled_from("ab/~é -="), min_size=1, max_size=3)
WORDS = st.text(st.characters(codec="utf-8"), max_size=4)


@st.composite
def leaves(draw: st.DrawFn) -> dict[str, Any]:
    least, width = draw(st.integers(0, 20)), draw(st.integers(0, 20))
    match draw(st.sampled_from(["boolean", "integer", "number", "factor", "text", "enum"])):
        case "factor":
            return {"type": "integer", "multipleOf": width + 2, "minimum": least}
        case "text":
            return {"type": ["string", "null"], "minLength": least, "maxLength": least + width}
        case "enum":
            return {"type": "string", "enum": draw(st.lists(WORDS, min_size=1, max_size=4, unique=True))}
        case "boolean":
            return {"type": "boolean"}
        case kind:
            return {"type": kind, "minimum": least - 10, "maximum": least - 10 + width}


@st.composite
def nested(draw: st.DrawFn, inner: st.SearchStrategy[dict[str, Any]]) -> dict[str, Any]:
    if draw(st.booleans()):
        least = draw(st.integers(0, 3))
        most = least + draw(st.integers(0, 3))
        return {"type": "array", "items": draw(inner), "minItems": least, "maxItems": most}
    properties = draw(st.dictionaries(NAMES, inner, max_size=4))
    return {"type": "object", "properties": properties, "required": sorted(properties)[: draw(st.integers(0, 4))]}


def an_object(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


SCHEMAS = st.dictionaries(NAMES, st.recursive(leaves(), nested, max_leaves=6), max_size=4).map(an_object)


@settings(max_examples=60, deadline=None)
@given(schema=SCHEMAS)
def test_every_keyword_of_any_schema_has_its_cases(contract_of: ContractOf, schema: dict[str, Any]) -> None:
    contract = contract_of(schema)
    wanted = set(expected(contract.operation().request_schema))
    assert wanted - by_id(contract).keys() == set()


@settings(max_examples=40, deadline=None)
@given(schema=SCHEMAS)
def test_every_case_of_any_schema_is_what_it_claims(contract_of: ContractOf, schema: dict[str, Any]) -> None:
    contract = contract_of(schema)
    operation = contract.operation()
    for case in boundary_cases(contract):
        found = {finding.pointer for finding in operation.validate_request(case.body)}
        assert found == (set() if case.valid else {case.pointer})


@pytest.mark.parametrize(
    ("identifier", "valid", "value"),
    [
        ("num_images/minimum", True, 1),
        ("num_images/minimum-1", False, 0),
        ("num_images/maximum", True, 4),
        ("num_images/maximum+1", False, 5),
        ("num_images/maximum+epsilon", False, 4.000000000000001),
        ("num_images/fraction", True, 0.5 + 1),
        ("num_images/type-string", False, "1"),
        ("prompt/length-0", True, ""),
        ("prompt/type-null", False, None),
        ("image_urls/items-0", True, []),
        ("image_urls/type-string", False, "https://example.com/a.png"),
        ("aspect_ratio/enum=21:9", True, "21:9"),
        ("aspect_ratio/enum-outside", False, "21:9-outside"),
        ("provider/known=GOOGLE", True, "GOOGLE"),
        ("provider/known-unlisted", True, "unlisted-value"),
        ("image_urls/0/pattern-outside-ftp-url", False, "ftp://example.com/a.png"),
    ],
)
def test_a_case_has_the_value_that_its_id_names(
    cases: dict[str, BoundaryCase], identifier: str, valid: bool, value: Any
) -> None:
    case = cases[identifier]
    found = resolve_pointer(case.body, pointer_parts(case.pointer))
    assert (case.valid, found, type(found)) == (valid, value, type(value))


@pytest.mark.parametrize(
    "form", ["https-url", "ipv6-url", "data-uri-png", "data-uri-webp", "base64-jpeg", "base64-bmp"]
)
def test_each_form_of_a_picture_is_a_valid_case(cases: dict[str, BoundaryCase], form: str) -> None:
    assert cases[f"image_urls/0/pattern-{form}"].valid


def test_each_alternative_of_another_pattern_is_a_valid_case(contract_of: ContractOf) -> None:
    made = by_id(contract_of({"type": "string", "pattern": "^(?:[A-Z]{2}|\\d+|none)$"}))
    bodies = [case.body for case in made.values() if case.rule in {"pattern-1", "pattern-2", "pattern-3"}]
    assert [body.isupper() or body.isdigit() or body == "none" for body in bodies] == [True] * 3


def test_a_missing_required_property_is_named_by_the_pointer(cases: dict[str, BoundaryCase]) -> None:
    assert (cases["prompt/missing"].valid, cases["prompt/missing"].pointer) == (False, "/prompt")


def test_a_missing_optional_property_is_valid(cases: dict[str, BoundaryCase]) -> None:
    assert cases["provider/missing"].valid


@pytest.mark.parametrize("kind", ["null", "boolean", "integer", "number", "string", "array"])
def test_a_body_that_is_no_object_is_a_case(cases: dict[str, BoundaryCase], kind: str) -> None:
    assert not cases[f"type-{kind}"].valid


NEITHER_URI_NOR_BASE64 = {
    "empty", "words", "relative-url", "url-with-space", "path", "base64-with-foreign-character", "space-before",
    "space-after", "line-break-after", "control-character", "emoji",
}  # fmt: skip


def test_what_the_overlay_assumes_is_not_called_documented(cases: dict[str, BoundaryCase]) -> None:
    patterned = [case for case in cases.values() if case.rule.startswith("pattern")]
    evidence = {case.rule.removeprefix("pattern-outside-"): case.evidence for case in patterned}
    assert {name for name, known in evidence.items() if known is not Evidence.ASSUMED} == NEITHER_URI_NOR_BASE64


def test_what_the_publisher_wrote_is_called_documented(cases: dict[str, BoundaryCase]) -> None:
    evidence = {case.evidence for case in cases.values() if not case.rule.startswith("pattern")}
    assert evidence == {Evidence.DOCUMENTED}


def test_an_exclusive_bound_itself_is_invalid(contract_of: ContractOf) -> None:
    made = by_id(contract_of({"type": "integer", "exclusiveMinimum": 0}))
    assert {rule: made[rule].valid for rule in ("exclusiveMinimum", "exclusiveMinimum+1")} == {
        "exclusiveMinimum": False,
        "exclusiveMinimum+1": True,
    }


def test_an_item_twice_is_invalid_where_items_differ(contract_of: ContractOf) -> None:
    made = by_id(contract_of({"type": "array", "uniqueItems": True, "items": {"type": "integer"}}))
    assert not made["uniqueItems-twice"].valid


@pytest.mark.parametrize(("allowed", "valid"), [(True, True), (False, False)])
def test_an_unknown_property_is_a_case(contract_of: ContractOf, allowed: bool, valid: bool) -> None:
    made = by_id(contract_of({"type": "object", "additionalProperties": allowed}))
    assert made["unknown_key/additionalProperties"].valid is valid


@pytest.mark.parametrize(
    ("identifier", "valid"),
    [("minProperties", True), ("minProperties-1", False), ("maxProperties", True), ("maxProperties+1", False)],
)
def test_the_number_of_properties_has_its_cases(contract_of: ContractOf, identifier: str, valid: bool) -> None:
    schema = {"type": "object", "minProperties": 2, "maxProperties": 3, "properties": {"a": {"type": "boolean"}}}
    assert by_id(contract_of(schema))[identifier].valid is valid


def test_faults_inside_an_alternative_are_named_at_the_whole(contract_of: ContractOf) -> None:
    schema = {"type": "object", "properties": {"a": {"anyOf": [{"type": "integer", "minimum": 1}, {"const": "b"}]}}}
    case = by_id(contract_of(schema))["a/alternative-1/minimum-1"]
    assert (case.body["a"], case.pointer, case.valid) == (0, "/a", False)


def test_contradicting_rules_are_refused_with_their_place(contract_of: ContractOf) -> None:
    with pytest.raises(UnsupportedSchema, match=r"no simple valid request was found.*/schema"):
        boundary_cases(contract_of({"type": "integer", "minimum": 2, "maximum": 1}))
