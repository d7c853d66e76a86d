"""Success answers: for any valid request, the body conforms to the contract."""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from bodydouble_mockserver import Images, MockServer, Settings, create_app
from bodydouble_spec import Contract, Finding, is_array, is_object
from bodydouble_spec.oracle import Oracle
from hypothesis import given, settings
from hypothesis import strategies as st

from spec.tests.servers import unfitted_files

Call = Callable[..., httpx.Response]
Edit = Callable[..., dict[str, Any]]
RequestsOf = Callable[[Contract], st.SearchStrategy[dict[str, Any]]]
DIALECTS = ["documented", "quick-example", "observed-2026"]
OBEYED = {"x-obeyed-properties": {"response_format": {"b64_json": "pictures-as-base64"}}}


@pytest.fixture(scope="module", autouse=True)
def _files_as_they_are() -> Iterator[None]:
    """Serve small files without fitting them: sizes are not under test here."""
    with unfitted_files():
        yield


def faults(contract: Contract, answer: httpx.Response, *, strict: bool) -> list[Finding]:
    assert answer.status_code == 200, answer.text
    operation = contract.operation()
    return operation.validate_response(200, answer.headers["content-type"], answer.content, strict=strict)


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_the_default_answer_passes_strict_validation(
    app: MockServer, contract: Contract, call: Call, requests_of: RequestsOf, data: st.DataObject
) -> None:
    body = data.draw(requests_of(contract))
    body.pop("response_format", None)
    assert (
        faults(
            contract, call(app, content=orjson.dumps(body), headers={"content-type": "application/json"}), strict=True
        )
        == []
    )


@pytest.fixture(scope="session")
def modes(contract: Contract, pictures_folder: Path) -> dict[tuple[str, Images], MockServer]:
    """Create a mock for every dialect and image mode; it serves files, since drawing is not under test."""
    return {
        (dialect, images): create_app(contract, Settings(dialect=dialect, images=images, pictures=pictures_folder))
        for dialect, images in itertools.product(DIALECTS, Images)
    }


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_no_dialect_or_image_mode_breaks_the_contract(
    modes: dict[tuple[str, Images], MockServer],
    contract: Contract,
    call: Call,
    requests_of: RequestsOf,
    data: st.DataObject,
) -> None:
    body = data.draw(requests_of(contract))
    (dialect, _), mock = data.draw(st.sampled_from(list(modes.items())))
    answer = call(mock, content=orjson.dumps(body), headers={"content-type": "application/json"})
    found = faults(contract, answer, strict=dialect == "documented")
    assert found == []


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_every_contract_of_the_model_is_served_by_its_own_rules(
    any_contract: Contract, call: Call, requests_of: RequestsOf, pictures_folder: Path, data: st.DataObject
) -> None:
    images = data.draw(st.sampled_from(Images))
    mock = create_app(any_contract, Settings(images=images, pictures=pictures_folder))
    body = data.draw(requests_of(any_contract))
    answer = call(mock, content=orjson.dumps(body), headers={"content-type": "application/json"})
    assert faults(any_contract, answer, strict=True) == []


def test_every_contract_of_the_model_answers_with_pictures_that_can_be_downloaded(
    any_contract: Contract, call: Call
) -> None:
    schema = any_contract.operation().request_schema or {}
    mock = create_app(any_contract)
    answer = call(mock, json={"model": schema["properties"]["model"]["enum"][0], "prompt": "", "image_urls": []})
    (item,) = answer.raise_for_status().json()["data"]
    assert call(mock, item["url"], method="GET").content.startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        pytest.param({"image_urls": ["https://a/b"] * 4}, ["image_urls"], id="its own bound"),
        pytest.param({"aspect_ratio": "21:9"}, ["aspect_ratio"], id="its own enum"),
        pytest.param({"num_images": 1.5}, ["num_images"], id="its own type"),
        pytest.param({"model": "google/gemini-2.5-flash-image-edit"}, ["model"], id="its own model"),
    ],
)
def test_another_contract_refuses_by_its_own_rules(
    nano_banana: dict[str, Any], call: Call, changes: dict[str, Any], path: list[str]
) -> None:
    body = {"model": "google/nano-banana-edit", "prompt": "x", **changes}
    answer = call(create_app(Contract.load(nano_banana)), json=body)
    assert answer.status_code == 400
    assert [issue["path"] for issue in answer.json()["error"]["data"]] == [path]


def test_another_contract_needs_only_what_it_requires(nano_banana: dict[str, Any], call: Call) -> None:
    answer = call(create_app(Contract.load(nano_banana)), json={"model": "google/nano-banana-edit", "prompt": "x"})
    assert answer.json()["meta"]["usage"] == {"credits_used": 120000, "usd_spent": 0.06}


def test_openapi_core_agrees_that_success_bodies_conform(
    modes: dict[tuple[str, Images], MockServer], contract: Contract, call: Call, edit: Edit
) -> None:
    oracle, operation = Oracle(contract), contract.operation()
    for mock in modes.values():
        answer = call(mock, json=edit(num_images=2))
        assert oracle.response_errors(operation, 200, answer.headers["content-type"], answer.content) == []


def shape(value: Any) -> Any:
    """Return the names of a body, with the first item of each list."""
    if is_object(value):
        return {name: shape(item) for name, item in value.items()}
    return [shape(value[0])] if is_array(value) else "…"


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_dialect_has_exactly_the_names_of_its_example(
    modes: dict[tuple[str, Images], MockServer], contract: Contract, call: Call, edit: Edit, dialect: str
) -> None:
    response = contract.operation().response(200)
    assert response is not None
    answer = call(modes[dialect, Images.URL], json=edit())
    assert shape(answer.json()) == shape(response.examples[dialect])


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_dialect_links_as_many_pictures_as_were_asked_for(
    modes: dict[tuple[str, Images], MockServer], call: Call, edit: Edit, dialect: str
) -> None:
    mock = modes[dialect, Images.URL]
    body = call(mock, json=edit(num_images=3)).json()
    items = body.get("data") or body["images"]
    assert len({item["url"] for item in items}) == 3
    assert all(call(mock, item["url"], method="GET").status_code == 200 for item in items)


def test_the_file_size_of_a_dialect_is_that_of_the_file(call: Call, contract: Contract, edit: Edit) -> None:
    mock = create_app(contract, Settings(dialect="quick-example"))
    (item,) = call(mock, json=edit()).json()["images"]
    assert item["file_size"] == len(call(mock, item["url"], method="GET").content)
    assert item["url"].endswith(f"/{item['file_name']}")


@pytest.mark.parametrize(
    ("images", "asked", "filled"),
    [
        (Images.URL, None, {"url"}),
        (Images.URL, "url", {"url"}),
        (Images.URL, "b64_json", {"b64_json"}),
        (Images.B64_JSON, None, {"b64_json"}),
        (Images.B64_JSON, "b64_json", {"b64_json"}),
        (Images.BOTH, None, {"url", "b64_json"}),
        (Images.BOTH, "b64_json", {"url", "b64_json"}),
    ],
)
def test_pictures_come_back_as_chosen(
    contract: Contract,
    call: Call,
    edit: Edit,
    pictures_folder: Path,
    images: Images,
    asked: str | None,
    filled: set[str],
) -> None:
    operation = replace(contract.operation(), extensions={**contract.operation().extensions, **OBEYED})
    obeying = replace(contract, operations=(operation,))
    mock = create_app(obeying, Settings(images=images, pictures=pictures_folder))
    (item,) = call(mock, json=edit(response_format=asked)).json()["data"]
    assert {name for name, value in item.items() if value is not None} == filled


def test_a_key_that_neither_contract_nor_overlay_knows_changes_nothing(
    contract: Contract, call: Call, edit: Edit
) -> None:
    operation = replace(contract.operation(), extensions={})
    mock = create_app(replace(contract, operations=(operation,)))
    (item,) = call(mock, json=edit(response_format="b64_json")).json()["data"]
    assert item["b64_json"] is None


def test_an_example_that_breaks_the_contract_is_no_dialect_and_is_named(contract: Contract) -> None:
    with pytest.raises(ValueError, match="does not allow dialect 'transition'"):
        create_app(contract, Settings(dialect="transition"))
    again = Contract.load(dict(contract.published))
    assert any("the dialect transition is not offered" in notice for notice in create_app(again).notices)
    # The README says it of the vendored contract.
    assert create_app(contract).notices == []


def test_an_unknown_dialect_is_refused_with_the_available_ones(contract: Contract) -> None:
    with pytest.raises(ValueError, match=r"no dialect 'klingon'; it has documented, quick-example, observed-2026"):
        create_app(contract, Settings(dialect="klingon"))
