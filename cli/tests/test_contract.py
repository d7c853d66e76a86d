"""``bodydouble contract``, in process."""

import json
from pathlib import Path
from typing import Any, get_args

import pytest
from bodydouble.app import app
from bodydouble.fixture import MarkerOptions, contract_loader
from bodydouble.options import FailOnName, load_contract, load_contracts
from bodydouble_spec import Contract, ContractError, ReportFormat, Severity, provenance
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

COMMANDS = ("show", "check", "fingerprint")
SLOW = settings(
    deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=15
)


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["contract", *map(str, arguments)])


def an_operation() -> dict[str, Any]:
    return {"responses": {"200": {"description": "Fine.", "content": {"application/json": {"schema": {}}}}}}


def two_operations() -> dict[str, Any]:
    return {
        "openapi": "3.0.0",
        "info": {"title": "Two", "version": "1"},
        "paths": {"/one": {"get": an_operation()}, "/two": {"post": an_operation()}},
    }


def without_operations() -> dict[str, Any]:
    return {"openapi": "3.0.0", "info": {"title": "None", "version": "1"}, "paths": {}}


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Return a path for a document that does not exist yet."""
    return tmp_path / "document.json"


def put(place: Path, document: Any) -> Path:
    place.write_text(json.dumps(document), encoding="utf-8")
    return place


# --- options ----------------------------------------------------------------------------------------------------------


def test_the_fail_on_option_has_every_severity_and_never() -> None:
    assert set(get_args(FailOnName)) == {*Severity, "never"}


@pytest.mark.parametrize("command", ["show", "check"])
@pytest.mark.parametrize("name", ReportFormat)
def test_every_format_can_be_printed(command: str, name: ReportFormat) -> None:
    result = run(command, "--format", name)
    assert (result.exit_code, bool(result.stdout)) == (0, True)


# --- check ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("fail_on", "code"), [("error", 0), ("warning", 1), ("info", 1), ("never", 0)])
def test_the_vendored_document_fails_at_warnings(fail_on: str, code: int) -> None:
    assert run("check", "--fail-on", fail_on).exit_code == code


def test_a_defect_found_by_both_validators_is_reported_once_with_the_other_as_witness() -> None:
    findings = json.loads(run("check", "--format", "json").stdout)["findings"]
    seen = [(finding["id"], finding.get("source")) for finding in findings if "description" in finding["message"]]
    assert seen == [("response-description-missing", "openapi-spec-validator")]


def test_an_error_found_by_openapi_core_only_is_a_warning_reported_once(place: Path) -> None:
    document = two_operations()
    document["paths"]["/one"]["get"]["parameters"] = [{"name": "id", "in": "path", "required": True, "schema": {}}]
    findings = json.loads(run("check", put(place, document), "--format", "json").stdout)["findings"]
    seen = [(finding["id"], finding["severity"]) for finding in findings if "openapi-" in finding["id"]]
    assert seen == [("openapi-unresolvable-parameter", "warning")]


def test_a_lost_constraint_is_an_error_and_exit_code_1(place: Path) -> None:
    document = two_operations()
    document["paths"]["/one"]["get"]["responses"]["200"]["content"]["application/json"]["schema"] = {"$ref": "#/gone"}
    assert run("check", put(place, document)).exit_code == 1


def test_a_document_that_is_neither_json_nor_yaml_is_one_finding_and_exit_code_1(place: Path) -> None:
    place.write_text("{ not: [json", encoding="utf-8")
    result = run("check", place, "--format", "json")
    ids = [finding["id"] for finding in json.loads(result.stdout)["findings"]]
    assert (result.exit_code, ids) == (1, ["document-unreadable"])


def test_a_document_that_is_not_read_as_a_whole_is_reported_with_its_line_and_exit_code_2(place: Path) -> None:
    dangling = an_operation()
    dangling["responses"]["200"]["content"] = {"text/plain": {"schema": {"$ref": "../a.json#/A"}}}
    documents: list[Any] = [{"swagger": "2.0", "paths": {}}, {"openapi": "3.0.0", "paths": {"/x": {"get": dangling}}}]
    for document in documents:
        result = run("check", put(place, document), "--format", "json")
        first = json.loads(result.stdout)["findings"][0]
        assert (first["message"].endswith("(line 1)"), result.exit_code) == (True, 2)
        assert first["message"] in result.stderr


def test_a_command_that_uses_a_contract_refuses_one_that_is_not_read_as_a_whole(place: Path) -> None:
    swagger = str(put(place, {"swagger": "2.0", "paths": {}}))
    for load in (lambda: load_contract(swagger), lambda: load_contracts(["vendored", swagger])):
        with pytest.raises(ContractError, match=r"Swagger 2.0.*\(line 1\)"):
            load()
    with pytest.raises(ValueError, match=r"Swagger 2.0.*\(line 1\)"):
        contract_loader([swagger], "", place.parent)(MarkerOptions())


def test_what_is_read_otherwise_than_written_is_said_before_a_plan(place: Path) -> None:
    odd = place.with_name("odd.yaml")
    odd.write_text(json.dumps(dict(Contract.load().published), indent=1).replace('"3.0.0"', "3.1"), encoding="utf-8")
    result = CliRunner().invoke(app, ["verify", "--contract", str(odd), "--dry-run"])
    assert (result.exit_code, result.stderr.partition(": ")[2]) == (
        0,
        f'{odd}: `openapi` is the number 3.1, not a string (line 2); read as "3.1"\n',
    )


def test_a_missing_document_is_named_in_one_line_and_exit_code_2(place: Path) -> None:
    result = run("check", place)
    assert (result.exit_code, result.stderr.count("\n"), str(place) in result.stderr) == (2, 1, True)


def test_a_document_that_expands_without_end_is_read_but_not_walked_by_the_second_validator(place: Path) -> None:
    document = two_operations()
    chain: dict[str, Any] = {"Link0": {"type": "string"}}
    for index in range(40):
        chain[f"Link{index + 1}"] = {"allOf": [{"$ref": f"#/components/schemas/Link{index}"}] * 2}
    document["components"] = {"schemas": chain}
    content = document["paths"]["/one"]["get"]["responses"]["200"]["content"]
    content["application/json"]["schema"] = {"$ref": "#/components/schemas/Link40"}
    assert [run(command, put(place, document)).exit_code for command in ("show", "fingerprint")] == [0, 0]
    result = run("check", place)
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (2, "", 1)


def test_a_missing_document_beside_others_is_exit_code_2_and_the_others_are_reported(place: Path) -> None:
    result = run("check", put(place, two_operations()), f"{place}.missing", "--format", "json")
    examined = [row["document"] for row in json.loads(result.stdout)["facts"]["documents"]]
    assert (result.exit_code, examined) == (2, [str(place)])


def test_the_same_defect_in_two_documents_is_reported_for_both(place: Path) -> None:
    document = two_operations()
    del document["paths"]["/one"]["get"]["responses"]["200"]["description"]
    other = put(place.with_name("other.json"), document)
    findings = json.loads(run("check", put(place, document), other, "--format", "json").stdout)["findings"]
    sources = [finding["source"] for finding in findings if finding["id"] == "response-description-missing"]
    assert sources == [f"{place} openapi-spec-validator", f"{other} openapi-spec-validator"]


@SLOW
@given(st.binary(max_size=200) | st.text().map(lambda text: text.encode("utf-8", "replace")))
@example(b"")
@example(b"\xff\xfe{\x00}\x00")
@example(b"[" * 100_000)
@example(b"a: &a [*a]")
@example(b'{"paths": {"/a": {"post": {"responses": {"200": {"$ref": "#/paths/~1a"}}}}}}')
@pytest.mark.parametrize("command", COMMANDS)
def test_any_bytes_as_a_document_end_with_a_documented_exit_code(place: Path, command: str, content: bytes) -> None:
    place.write_bytes(content)
    result = run(command, place)
    assert isinstance(result.exception, SystemExit | None)
    assert result.exit_code in {0, 1, 2}


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["/a", "get", "responses", "200", "content", "schema", "type", "items", "properties", "x-price"]
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=12,
)


@SLOW
@given(ANY_JSON)
@pytest.mark.parametrize("command", COMMANDS)
def test_any_value_under_paths_ends_with_a_documented_exit_code(place: Path, command: str, paths: Any) -> None:
    put(place, {**without_operations(), "paths": paths})
    assert isinstance(run(command, place).exception, SystemExit | None)


# --- fingerprint ------------------------------------------------------------------------------------------------------


def test_a_fingerprint_is_printed_before_its_document(place: Path) -> None:
    put(place, two_operations())
    expected = Contract.load(place).fingerprint
    assert run("fingerprint", place).stdout == f"{expected}  {place}\n"


def test_the_fingerprint_without_a_document_is_the_vendored_one() -> None:
    (row,) = json.loads(run("fingerprint", "--format", "json").stdout)
    assert row["fingerprint"] == provenance()["fingerprint"]


@pytest.mark.parametrize("content", [b"not a document", b"\xff", b"[]"])
def test_an_unreadable_document_has_no_fingerprint_and_is_named_in_one_line(place: Path, content: bytes) -> None:
    place.write_bytes(content)
    result = run("fingerprint", place)
    said = (result.exit_code, result.stdout, result.stderr.count("\n"), str(place) in result.stderr)
    assert said == (2, "", 1, True)


# --- show -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "line",
    [
        "price         84,000 credits = 0.042 USD a picture (2,000,000 credits are 1 USD)",
        "revision      4cd011cd of 2026-06-12",
        "num_images    number  -         1        documented  1 to 4",
        "image_urls[]  string  -         -        documented  pattern ^(?:[Hh][Tt][Tt][Pp][Ss]?://(?:… (assumed); pattern ^(?:[A-Za-z][A-Za-z0-9",
        "data[].url               string or null",
        "meta.usage.credits_used  number          yes",
        "16:9 1344x768",
        "security-not-applied, documented",
    ],
)
def test_the_vendored_contract_is_shown_with(line: str) -> None:
    assert " ".join(line.split()) in " ".join(run("show").stdout.split())


def test_the_evidence_in_json_has_every_fact() -> None:
    evidence = json.loads(run("show", "--format", "json").stdout)["facts"]["evidence"]
    assert [fact["pointer"] for fact in evidence] == [fact.pointer for fact in Contract.load().facts]


def test_json_has_the_schema_of_the_request() -> None:
    (operation,) = json.loads(run("show", "--format", "json").stdout)["facts"]["operations"]
    assert operation["request"]["schema"] == Contract.load().operation().request_schema


def test_each_of_several_operations_is_shown(place: Path) -> None:
    facts = json.loads(run("show", put(place, two_operations()), "--format", "json").stdout)["facts"]
    assert [operation["operation"] for operation in facts["operations"]] == ["GET /one", "POST /two"]


def test_the_facts_of_several_operations_are_labelled(place: Path) -> None:
    text = run("show", put(place, two_operations())).stdout
    assert "API key of GET /one" in text
    assert "API key of POST /two" in text


def test_a_document_without_operations_can_be_shown(place: Path) -> None:
    result = run("show", put(place, without_operations()))
    assert (result.exit_code, ["operations", "none"] in [line.split() for line in result.stdout.splitlines()]) == (
        0,
        True,
    )


def test_a_file_has_no_provenance(place: Path) -> None:
    assert "published at" not in run("show", put(place, two_operations())).stdout


def test_a_document_that_cannot_be_read_is_an_error(place: Path) -> None:
    place.write_bytes(b"\xff")
    result = run("show", place)
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (2, "", 1)
