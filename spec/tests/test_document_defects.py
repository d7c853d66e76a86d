"""Defects of reading: none is read past in silence."""

import re
from pathlib import Path

import pytest
from bodydouble_spec import Contract, ContractError
from bodydouble_spec.diff import diff

HEAD = "info: {title: t, version: '1'}\n"


def load(folder: Path, text: str, name: str = "a.yaml") -> Contract:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return Contract.load(path, overlay=None)


@pytest.mark.parametrize(
    ("name", "text", "lines"),
    [
        ("a.json", '{"openapi": "3.0.0",\n"paths": {},\n"paths": {}}', "lines 2 and 3"),
        ("a.yaml", f"openapi: 3.0.0\n{HEAD}paths: {{}}\npaths: {{}}\n", "lines 3 and 4"),
    ],
)
def test_a_key_that_is_there_twice_is_an_error_with_its_lines(tmp_path: Path, name: str, text: str, lines: str) -> None:
    (finding,) = [item for item in load(tmp_path, text, name).findings if item.id == "key-twice"]
    assert finding.pointer == "/paths"
    assert lines in finding.message


def test_a_version_that_is_a_number_is_read_and_told(tmp_path: Path) -> None:
    contract = load(tmp_path, f"openapi: 3.1\n{HEAD}paths: {{}}\n")
    assert contract.document["openapi"] == "3.1"
    (finding,) = contract.findings
    assert (finding.id, finding.message.endswith("(line 1)")) == ("openapi-version", True)


def test_a_word_for_false_is_false_and_told(tmp_path: Path) -> None:
    operation = "paths: {/x: {get: {deprecated: no, responses: {'200': {description: d}}}}}\n"
    contract = load(tmp_path, f"openapi: 3.0.0\n{HEAD}{operation}")
    (finding,) = [item for item in contract.findings if item.id == "flag-malformed"]
    assert (finding.pointer, finding.message.endswith("(line 3)")) == ("/paths/~1x/get/deprecated", True)
    assert contract.document["paths"]["/x"]["get"]["deprecated"] is False


def test_swagger_2_is_told_and_not_read_as_an_empty_document(tmp_path: Path) -> None:
    contract = load(tmp_path, "paths: {}\nswagger: '2.0'\n")
    (finding,) = contract.findings
    assert finding.id == "document-unreadable"
    assert "Swagger 2.0" in finding.message
    assert finding.message.endswith("(line 2)")
    with pytest.raises(ContractError, match=re.escape(finding.message)):
        contract.refuse_partial()


def test_a_reference_to_a_file_beside_the_document_means_what_that_file_says(tmp_path: Path) -> None:
    body = "requestBody: {content: {application/json: {schema: {%s}}}}, responses: {'200': {description: d}}"
    document = f"openapi: 3.0.0\n{HEAD}paths: {{/x: {{post: {{{body}}}}}}}\n"
    (tmp_path / "models.yaml").write_text(
        "A: {type: array, items: {$ref: '#/B'}}\nB: {type: string}\n", encoding="utf-8"
    )
    referring = load(tmp_path, document % "$ref: 'models.yaml#/A'")
    written = load(tmp_path, document % "type: array, items: {type: string}")
    assert diff(referring, written) == []
    referring.refuse_partial()


def test_a_file_beside_the_document_is_told_with_the_line_of_its_reference_and_its_own_repeated_keys(
    tmp_path: Path,
) -> None:
    (tmp_path / "models.yaml").write_text("A: {type: string}\nB:\n  type: string\n  type: integer\n", encoding="utf-8")
    schemas = "components:\n  schemas:\n    A: {$ref: 'models.yaml#/A'}\n    B: {$ref: 'models.yaml#/B'}\n"
    contract = load(tmp_path, f"openapi: 3.0.0\n{HEAD}paths: {{}}\n{schemas}")
    assert {item.id: item.message for item in contract.findings} == {
        "key-twice": 'in models.yaml: the key "type" appears twice, in lines 3 and 4',
        "ref-file": '2 references point to the file "models.yaml" in the document\'s own folder (line 6)',
    }


@pytest.mark.parametrize(
    ("reference", "reason"),
    [
        ("missing.yaml#/A", "missing.yaml, and there is no such file"),
        ("there.yaml#/B", "there.yaml, which has nothing at #/B"),
        ("broken.yaml#/A", "a file that cannot be read"),
        ("../a.yaml#/A", "points outside the folder"),
        ("https://a.example/a.yaml#/A", "points to another address"),
    ],
)
def test_a_reference_that_is_not_followed_says_what_is_missing(tmp_path: Path, reference: str, reason: str) -> None:
    (tmp_path / "there.yaml").write_text("A: {}\n", encoding="utf-8")
    (tmp_path / "broken.yaml").write_text("A: [\n", encoding="utf-8")
    schema = f"{{content: {{application/json: {{schema: {{$ref: '{reference}'}}}}}}}}"
    operation = f"{{requestBody: {schema}, responses: {{'200': {{description: d}}}}}}"
    contract = load(tmp_path, f"openapi: 3.0.0\n{HEAD}paths: {{/x: {{post: {operation}}}}}\n")
    (finding,) = [item for item in contract.findings if item.id == "ref-external"]
    assert finding.message.startswith(f'the reference "{reference}" points')
    assert reason in finding.message
    assert finding.message.endswith("(line 3)")
    with pytest.raises(ContractError, match=re.escape(finding.message)):
        contract.refuse_partial()
