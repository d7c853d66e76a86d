"""The fingerprint: equal for the same promises, different for any others."""
# pyright: reportPrivateUsage=false

import contextlib
import copy
import random
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest
from bodydouble_spec import Contract, fingerprint, provenance
from bodydouble_spec.document import repair
from bodydouble_spec.meaning import Node
from bodydouble_spec.meaning.schemas import Schemas
from bodydouble_spec.values import is_array, is_object, pointer_parts, resolve_pointer
from hypothesis import given, settings
from hypothesis import strategies as st

PROSE = ("$comment", "description", "summary", "title", "example", "examples", "externalDocs", "x-note", "xml")
NAME_MAPS = {"paths", "properties", "content", "headers", "responses", "encoding", "variables", "patternProperties"}
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
GROUPS = [
    {"2025-11-25-79308e54", "2025-11-27-8ef28615", "2025-11-27-d2ee08c0"},
    {"2026-01-16-b8e4f5ad", "2026-01-17-94bfeffb"},
    {"2026-06-12-4cd011cd", "2026-06-12-fbcad4ca"},
    {"2026-08-14-87ef44bd"},
]


def with_schema(schema: Any, **components: Any) -> dict[str, Any]:
    content = {"application/json": {"schema": schema}}
    operation = {"requestBody": {"content": content}, "responses": {"200": {"description": "done"}}}
    return {"openapi": "3.0.0", "paths": {"/pictures": {"post": operation}}, "components": {"schemas": components}}


def objects(document: dict[str, Any]) -> Iterator[tuple[dict[str, Any], bool]]:
    """Yield every object that the paths reach, and whether its keys are names rather than keywords."""
    waiting: list[tuple[Any, bool]] = [(document["paths"], True)]
    followed: set[str] = set()
    while waiting:
        value, is_map = waiting.pop()
        if is_array(value):
            waiting += [(item, is_map) for item in value]
        if not is_object(value):
            continue
        reference = None if is_map else value.get("$ref")
        if isinstance(reference, str):
            if reference not in followed:
                followed.add(reference)
                with contextlib.suppress(LookupError):
                    waiting.append((resolve_pointer(document, pointer_parts(reference)), False))
            continue
        yield value, is_map
        for key, item in value.items():
            if is_map:
                waiting.append((item, False))
            elif key not in {"default", "enum", "required", *PROSE} and not key.startswith("x-"):
                waiting.append((item, key in NAME_MAPS))


def test_the_eight_revisions_have_exactly_the_four_structures_that_their_history_tells(
    documents: dict[str, dict[str, Any]],
) -> None:
    groups: dict[str, set[str]] = {}
    for name, document in documents.items():
        if name.startswith("revision-"):
            groups.setdefault(fingerprint(document), set()).add(name.removeprefix("revision-").removesuffix(".json"))
    assert sorted(groups.values(), key=min) == GROUPS


def test_the_vendored_document_has_the_structure_of_the_last_revision_of_this_model(
    documents: dict[str, dict[str, Any]], vendored: Contract
) -> None:
    assert vendored.fingerprint == fingerprint(documents["revision-2026-06-12-4cd011cd.json"])


def test_the_vendored_document_has_the_fingerprint_that_its_provenance_states(vendored: Contract) -> None:
    assert vendored.fingerprint == provenance()["fingerprint"]


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_order_and_prose_never_change_the_fingerprint(
    small_documents: list[dict[str, Any]], data: st.DataObject
) -> None:
    document = data.draw(st.sampled_from(small_documents))
    rng = random.Random(data.draw(st.integers()))
    changed = copy.deepcopy(document)
    for value, is_map in list(objects(changed)):
        items = list(value.items())
        rng.shuffle(items)
        value.clear()
        value.update(items)
        if not is_map:
            for key in ("enum", "required"):
                if isinstance(value.get(key), list):
                    rng.shuffle(value[key])
            value[rng.choice(PROSE)] = data.draw(JSON_VALUES) if rng.random() < 0.1 else "prose"
    assert fingerprint(changed) == fingerprint(document)


@settings(deadline=None, max_examples=200)
@given(st.data())
def test_any_single_structural_edit_changes_the_fingerprint(
    small_documents: list[dict[str, Any]], data: st.DataObject
) -> None:
    document = data.draw(st.sampled_from(small_documents))
    changed = copy.deepcopy(document)
    places: list[tuple[Any, Any]] = []
    for value, is_map in objects(changed):
        for key, item in value.items():
            # The values of an enum say its type; a flag that is false may as well be left out.
            is_implied = not is_map and (
                (key == "type" and bool(value.get("enum"))) or (item is False and key != "default")
            )
            if (is_map or not (key in PROSE or key.startswith("x-"))) and not is_implied:
                places.append((value, key))
                if not is_map and key in {"enum", "required"} and is_array(item):
                    places += [(item, index) for index in range(len(item))]
    container, key = data.draw(st.sampled_from(places), label="place")
    edit = data.draw(st.sampled_from(["remove", "change", "add", "rename"]))
    if edit == "remove":
        del container[key]
    elif edit == "change":
        container[key] = "another value than before"
    elif is_array(container):
        container.append("another entry")
    elif edit == "add":
        container["anotherKey"] = {"type": "string"}
    else:
        container["anotherKey"] = container.pop(key)
    if repair(changed).document["paths"] != repair(document).document["paths"]:
        assert fingerprint(changed) != fingerprint(document)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"type": "number"}, {"type": "integer"}),
        ({"minimum": 1}, {"minimum": 2}),
        ({"minimum": 1}, {"exclusiveMinimum": 1}),
        ({"enum": ["a", "b"]}, {"enum": ["a"]}),
        ({"enum": [1]}, {"enum": ["1"]}),
        ({"enum": [True]}, {"enum": [1]}),
        ({"default": None}, {}),
        ({"default": ["a", "b"]}, {"default": ["b", "a"]}),
        ({"default": {"title": "a"}}, {"default": {"title": "b"}}),
        ({"nullable": True}, {}),
        ({"maxLength": 10**30}, {"maxLength": 10**30 + 1}),
        ({"type": "object", "properties": {"a": {}}}, {"type": "object"}),
    ],
)
def test_an_edit_of_a_keyword_changes_the_fingerprint(before: dict[str, Any], after: dict[str, Any]) -> None:
    assert fingerprint(with_schema(before)) != fingerprint(with_schema(after))


@pytest.mark.parametrize("name", [*PROSE, "properties", "required", "enum", "default", "$ref", "x-"])
def test_a_property_with_the_name_of_a_keyword_is_structure(name: str) -> None:
    schema = {"properties": {name: {"type": "string"}, "other": {"type": "string"}}}
    without = {"properties": {"other": {"type": "string"}}}
    retyped = {"properties": {name: {"type": "integer"}, "other": {"type": "string"}}}
    assert len({fingerprint(with_schema(item)) for item in (schema, without, retyped)}) == 3


@pytest.mark.parametrize("place", ["headers", "links", "content", "encoding"])
def test_a_name_in_another_map_of_names_is_structure_too(place: str) -> None:
    documents = [with_schema({}), with_schema({})]
    documents[0]["paths"]["/pictures"]["post"]["responses"]["200"][place] = {"title": {"x-note": "prose"}}
    documents[1]["paths"]["/pictures"]["post"]["responses"]["200"][place] = {}
    assert fingerprint(documents[0]) != fingerprint(documents[1])


def test_a_reference_has_the_fingerprint_of_its_target_written_out() -> None:
    size = {"type": "array", "items": {"type": "integer", "minimum": 1}}
    inline = with_schema({"properties": {"size": size}})
    referred = with_schema({"properties": {"size": {"$ref": "#/components/schemas/A%20size"}}}, **{"A size": size})
    assert fingerprint(inline) == fingerprint(referred)


def test_the_name_of_a_component_is_not_structure_even_in_a_recursion() -> None:
    def tree(name: str) -> dict[str, Any]:
        reference = {"$ref": f"#/components/schemas/{name}"}
        return with_schema(reference, **{name: {"properties": {"children": {"type": "array", "items": reference}}}})

    assert fingerprint(tree("Tree")) == fingerprint(tree("Node"))


def test_the_depth_of_a_recursion_is_structure() -> None:
    def chain(target: str) -> dict[str, Any]:
        inner = {"properties": {"next": {"$ref": f"#/components/schemas/{target}"}}}
        outer = {"properties": {"inner": {"$ref": "#/components/schemas/Inner"}}}
        return with_schema({"$ref": "#/components/schemas/Outer"}, Outer=outer, Inner=inner)

    assert fingerprint(chain("Outer")) != fingerprint(chain("Inner"))


def test_siblings_of_a_reference_count_only_in_openapi_3_1() -> None:
    plain = with_schema({"$ref": "#/components/schemas/Name"}, Name={"type": "string"})
    beside = with_schema({"$ref": "#/components/schemas/Name", "maxLength": 5}, Name={"type": "string"})
    newer = [{**document, "openapi": "3.1.0"} for document in (plain, beside)]
    assert fingerprint(plain) == fingerprint(beside)
    assert fingerprint(newer[0]) != fingerprint(newer[1])


def chained(links: int, width: int, last: dict[str, Any]) -> dict[str, Any]:
    """Return a document whose components refer each to the next, ``width`` times."""
    schemas = {f"S{n}": {"allOf": [{"$ref": f"#/components/schemas/S{n + 1}"}] * width} for n in range(links)}
    return with_schema({"$ref": "#/components/schemas/S0"}, **schemas, **{f"S{links}": last})


@pytest.mark.parametrize(("links", "width"), [(30, 2), (5000, 1)])
def test_references_that_expand_without_end_have_a_fingerprint_of_their_last_target(links: int, width: int) -> None:
    text, number = chained(links, width, {"type": "string"}), chained(links, width, {"type": "number"})
    assert fingerprint(text) == fingerprint(chained(links, width, {"type": "string", "title": "prose"}))
    assert fingerprint(text) != fingerprint(number)


def mutual(names: list[str], **different: dict[str, Any]) -> dict[str, Any]:
    """Return a document of components that all refer to each other, in the order of their names."""
    links = {f"p{n}": {"$ref": f"#/components/schemas/{name}"} for n, name in enumerate(names)}
    schemas = {name: {"maxProperties": n, "properties": links} for n, name in enumerate(names)}
    return with_schema({"$ref": f"#/components/schemas/{names[0]}"}, **{**schemas, **different})


MUTUAL = [f"A{number}" for number in range(60)]


def test_components_that_all_refer_to_each_other_are_compared_by_structure_not_by_name() -> None:
    renamed = [f"Z{99 - number}" for number in range(60)]
    assert fingerprint(mutual(MUTUAL)) == fingerprint(mutual(renamed))
    assert fingerprint(mutual(MUTUAL)) != fingerprint(mutual(MUTUAL, A59={"type": "string"}))


def test_of_many_mutual_components_two_that_mean_the_same_count_as_one() -> None:
    one, two = mutual(MUTUAL), mutual(MUTUAL)
    schemas = two["components"]["schemas"]
    schemas["Copy"] = copy.deepcopy(schemas["A7"])
    schemas["A3"] = copy.deepcopy(schemas["A3"])
    schemas["A3"]["properties"]["p7"] = {"$ref": "#/components/schemas/Copy"}
    assert fingerprint(one) == fingerprint(two)


def test_a_part_on_no_cycle_may_be_written_out_among_mutual_components() -> None:
    size = {"type": "array", "items": {"type": "integer"}}
    documents = [mutual(MUTUAL), mutual(MUTUAL)]
    documents[0]["components"]["schemas"]["A0"] = {**documents[0]["components"]["schemas"]["A0"], "not": size}
    reference = {"$ref": "#/components/schemas/Size"}
    documents[1]["components"]["schemas"]["A0"] = {**documents[1]["components"]["schemas"]["A0"], "not": reference}
    documents[1]["components"]["schemas"]["Size"] = size
    assert fingerprint(documents[0]) == fingerprint(documents[1])


def test_the_work_grows_with_the_number_of_references(monkeypatch: pytest.MonkeyPatch) -> None:
    built = 0
    build = Schemas.built

    def counted(self: Schemas, node: Node) -> Node:
        nonlocal built
        built += 1
        return build(self, node)

    monkeypatch.setattr(Schemas, "built", counted)
    fingerprint(mutual([f"A{number}" for number in range(100)]))
    assert 100 <= built < 110


@settings(deadline=None, max_examples=80)
@given(st.data())
def test_a_structure_only_copy_has_the_fingerprint_of_its_original(
    small_documents: list[dict[str, Any]], corpus_script: ModuleType, data: st.DataObject
) -> None:
    original = copy.deepcopy(data.draw(st.sampled_from(small_documents)))
    for value, is_map in list(objects(original)):
        if not is_map:
            value[data.draw(st.sampled_from(PROSE))] = "some prose"
    stripped = corpus_script.strip_prose(original)
    assert fingerprint(stripped) == fingerprint(original)
    assert "some prose" not in str(stripped)
