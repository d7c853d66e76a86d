"""The one reading of JSON Schema: every spelling of a rule gives the same view."""

from typing import Any

import pytest
from bodydouble_spec.schema import ANYTHING, SchemaConverter, SchemaView

NAME = {"type": "string", "maxLength": 9}
IMPOSSIBLE: list[Any] = [
    {"type": "string", "anyOf": [{"type": "integer"}]},
    {"enum": ["a"], "oneOf": [{"const": "b"}]},
    {"anyOf": [False, {"not": {}}]},
    False,
]


def document(**components: Any) -> dict[str, Any]:
    return {"openapi": "3.1.0", "components": {"schemas": components}}


def at(name: str, **components: Any) -> SchemaView:
    return SchemaView.at(document(**components), f"/components/schemas/{name}")


def reference(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


@pytest.mark.parametrize(
    ("schema", "types"),
    [
        ({}, ANYTHING),
        ({"type": "string"}, {"string"}),
        ({"type": "string", "nullable": True}, {"string", "null"}),
        ({"type": ["string", "null"]}, {"string", "null"}),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, {"string", "null"}),
        ({"oneOf": [{"type": "string"}, {"type": "string", "nullable": True}]}, {"string", "null"}),
        ({"enum": ["a", None]}, {"string", "null"}),
        ({"type": "string", "nullable": True, "enum": ["a"]}, {"string"}),
        ({"nullable": True, "anyOf": [{"type": "string"}]}, {"string"}),
        ({"allOf": [{"type": ["string", "null"]}, {"type": "string"}]}, {"string"}),
        ({"allOf": [{"type": "number"}, {"type": ["integer", "string"]}]}, {"integer"}),
        ({"allOf": [{"enum": ["a", None]}, {"enum": ["b", None]}]}, {"null"}),
        ({"type": "number", "enum": [1, 2.5]}, {"number"}),
        ({"type": "number", "const": 1.0}, {"integer"}),
        (reference("Name"), {"string"}),
        ({**reference("Name"), "type": "null"}, set[str]()),
        ({"not": {}}, set[str]()),
    ],
)
def test_the_types_are_those_that_every_rule_allows(schema: dict[str, Any], types: set[str]) -> None:
    assert at("It", It=schema, Name=NAME).types == types


def test_the_rules_of_a_reference_its_siblings_and_all_of_hold_together() -> None:
    base = {"properties": {"a": NAME}, "required": ["a"]}
    more = {"properties": {"a": {"minLength": 1}, "b": {}}, "required": ["b"]}
    view = at("It", It={**reference("Base"), "allOf": [more]}, Base=base)
    assert (list(view.properties), view.required) == (["a", "b"], ("a", "b"))
    assert view.properties["a"].limits == {"maxLength": 9, "minLength": 1}


def test_each_rule_knows_its_place_in_the_document() -> None:
    view = at("It", It={"properties": {"a": {"minLength": 1, **reference("Name")}}}, Name=NAME).properties["a"]
    assert view.pointer == "/components/schemas/It/properties/a"
    assert view.origin("minLength") == "/components/schemas/It/properties/a/minLength"
    assert view.origin("maxLength") == "/components/schemas/Name/maxLength"
    assert view.origin("pattern") == view.pointer


def test_a_compiled_schema_has_the_places_of_the_document_behind_it() -> None:
    named: dict[str, Any] = {"A b": {"x-known-values": ["x"], **NAME}}
    whole = document(It={"properties": {"a": reference("A b")}}, **named)
    compiled = SchemaConverter(whole, "request").to_json_schema(whole["components"]["schemas"]["It"])
    view = SchemaView.of(compiled, whole, "/components/schemas/It").properties["a"]
    assert view.origin("maxLength") == "/components/schemas/A b/maxLength"
    assert view.published("x-known-values") == (["x"],)


@pytest.mark.parametrize(
    ("schema", "limits", "origin"),
    [
        ({"minimum": 1, "exclusiveMinimum": True}, {"exclusiveMinimum": 1}, ""),
        ({"minimum": 1, "exclusiveMinimum": False}, {"minimum": 1}, ""),
        ({"exclusiveMaximum": 5}, {"exclusiveMaximum": 5}, ""),
        ({"maximum": 5, "allOf": [{"maximum": 4}]}, {"maximum": 4}, "/allOf/0/maximum"),
        ({"allOf": [{"minItems": 2}, {"minItems": 1}]}, {"minItems": 2}, "/allOf/0/minItems"),
    ],
)
def test_the_tightest_bound_counts(schema: dict[str, Any], limits: dict[str, int], origin: str) -> None:
    view = SchemaView.of(schema)
    assert view.limits == limits
    assert not origin or origin in view.origins.values()


def test_only_options_that_every_list_has_are_left() -> None:
    assert SchemaView.of({"enum": [1, True, "a"], "allOf": [{"enum": ["a", 1.0]}]}).options == (1, "a")
    assert SchemaView.of({"type": "string"}).options is None


def test_the_ways_take_one_alternative_of_each_choice() -> None:
    schema = {"anyOf": [{"minimum": 1}, {"maximum": 2}], "oneOf": [{"multipleOf": 3}, {"multipleOf": 4}]}
    ways = [(dict(way.limits), way.values("multipleOf")) for way in SchemaView.of(schema).ways]
    assert ways == [({"minimum": 1}, (3,)), ({"minimum": 1}, (4,)), ({"maximum": 2}, (3,)), ({"maximum": 2}, (4,))]


@pytest.mark.parametrize("schema", IMPOSSIBLE)
def test_a_schema_that_nothing_conforms_to_has_no_way(schema: Any) -> None:
    assert SchemaView.of(schema).ways == ()


def test_additional_properties_hold_for_names_that_their_own_schema_lacks() -> None:
    first = {"properties": {"a": {"minLength": 1}}, "additionalProperties": NAME}
    view = SchemaView.of({"allOf": [first, {"properties": {"b": {"minLength": 2}}}]})
    assert (view.property("a").limits, view.property("c").limits) == ({"minLength": 1}, {"maxLength": 9})
    assert view.property("b").limits == {"maxLength": 9, "minLength": 2}


def test_a_property_obeys_the_patterns_that_its_name_matches() -> None:
    patterns = {"^x-": {"minLength": 1}, "d$": {"maxLength": 5}}
    view = SchemaView.of({"properties": {"x-a": {"maxLength": 9}}, "patternProperties": patterns})
    limits = {name: view.property(name).limits for name in ("x-a", "x-bd", "other")}
    assert limits == {"x-a": {"minLength": 1, "maxLength": 9}, "x-bd": {"minLength": 1, "maxLength": 5}, "other": {}}


@pytest.mark.parametrize(
    ("schema", "required"),
    [
        ({"if": {"required": ["a"]}, "then": {"required": ["b"]}, "else": {"required": ["c"]}}, [(), ("b",), ("c",)]),
        ({"dependentSchemas": {"a": {"required": ["b"]}}}, [("b",), ()]),
    ],
)
def test_a_condition_that_may_hold_gives_further_ways(schema: dict[str, Any], required: list[tuple[str, ...]]) -> None:
    assert [way.required for way in SchemaView.of(schema).ways] == required


def test_a_discriminator_tells_the_value_of_each_alternative_and_of_what_extends_a_schema() -> None:
    pets = {"Cat": {"allOf": [reference("Pet")]}, "Dog": {}, "Pet": {"discriminator": {"propertyName": "kind"}}}
    mapping = {"woof": "#/components/schemas/Dog"}
    either = {
        "oneOf": [reference("Cat"), reference("Dog")],
        "discriminator": {"propertyName": "is", "mapping": mapping},
    }
    assert [way.tags for way in at("Either", Either=either, **pets).ways] == [
        {"is": "Cat", "kind": "Cat"},
        {"is": "woof"},
    ]


def test_a_place_inside_of_a_schema_that_leads_back_to_it_is_recursive() -> None:
    view = at("Node", Node={"properties": {"next": reference("Node"), "name": {"type": "string"}}})
    assert [view.property(name).is_recursive for name in ("next", "name")] == [False, False]
    assert view.property("next").property("next").is_recursive
    assert at("Start", Start=reference("Loop"), Loop=reference("Loop")).is_recursive


def test_items_beyond_the_prefix_have_the_schema_of_items() -> None:
    view = SchemaView.of({"prefixItems": [{"type": "string"}], "items": {"type": "integer"}})
    assert [view.item(index).types for index in (0, 1)] == [{"string"}, {"integer"}]


@pytest.mark.parametrize("keyword", ["allOf", "anyOf"])
def test_a_reference_to_itself_ends(keyword: str) -> None:
    view = at("It", It={keyword: [reference("It"), {"type": "string"}], "maxLength": 3})
    assert view.limits == {"maxLength": 3}
    assert all(way.types == {"string"} for way in view.ways)


def test_a_recursion_is_cut_off_below_two_levels() -> None:
    node = at("Node", Node={"properties": {"next": reference("Node")}})
    depths = [node := node.ways[0].properties["next"] for _ in range(3)]
    assert [bool(view.ways) for view in depths] == [True, True, False]


@pytest.mark.parametrize("keyword", ["allOf", "anyOf"])
def test_a_chain_of_references_that_doubles_at_each_step_ends(keyword: str) -> None:
    chain = {f"Link{n + 1}": {keyword: [reference(f"Link{n}"), reference(f"Link{n}")]} for n in range(60)}
    view = at("Link60", Link0={"type": "string"}, **chain)
    assert view.types == {"string"}
    assert view.ways


def test_nothing_is_read_before_it_is_asked_for() -> None:
    read: list[str] = []

    class Watched(dict[str, Any]):
        def __getitem__(self, key: str) -> Any:
            read.append(key)
            return super().__getitem__(key)

    all_of_them = {f"C{n}": {"properties": {f"p{m}": reference(f"C{m}") for m in range(200)}} for n in range(200)}
    whole = document()
    whole["components"]["schemas"] = Watched(all_of_them)
    view = SchemaView.at(whole, "/components/schemas/C0")
    assert len(view.properties) == 200
    assert read == ["C0"]
    assert len(view.properties["p7"].properties) == 200
    assert read == ["C0", "C7"]
