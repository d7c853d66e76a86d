"""The verdict for an app of four recorded calls: the exit code and the sentence for each change of the document (app_changes.yaml)."""

import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from bodydouble_contract_tests.impact import impact, weigh
from bodydouble_contract_tests.impact.recorded import VERDICT
from bodydouble_spec import (
    Contract,
    Evidence,
    Exchange,
    Finding,
    RecordedAnswer,
    Severity,
    exit_code,
    is_array,
    pointer_parts,
)
from bodydouble_spec.diff import Change, diff
from hypothesis import settings

CASES = yaml.safe_load((Path(__file__).parent / "data" / "app_changes.yaml").read_text(encoding="utf-8"))
PATH = "/v1/images/generations"
OP = f"/paths/{PATH.replace('/', '~1')}/post"
SHORT = {
    "OP": OP,
    "REQUEST": f"{OP}/requestBody/content/application~1json/schema",
    "ANSWER": f"{OP}/responses/200/content/application~1json/schema",
    "ITEM": f"{OP}/responses/200/content/application~1json/schema/properties/data/items",
}
OLD = Contract.load()
_MANY = 1_000
BODY = {"model": "google/gemini-2.5-flash-image-edit", "image_urls": ["https://example.com/a.png"]}
APP = [
    Exchange(str(number), "2026-09-01T00:00:00.000Z", "POST", PATH, f"POST {PATH}", body={**BODY, **call})
    for number, call in enumerate(CASES["calls"])
]


def edited(edits: list[list[Any]]) -> dict[str, Any]:
    document: dict[str, Any] = copy.deepcopy(dict(OLD.published))
    for verb, place, *rest in edits:
        holder, name = found(document, place)
        if verb == "set":
            put(holder, name, rest[0])
            continue
        value = holder.pop(name)
        if verb == "move":
            target, new_name = found(document, rest[0])
            put(target, new_name, value)
    return document


def found(document: Any, place: str) -> tuple[Any, str]:
    short, _, rest = place.partition("/")
    *parents, name = pointer_parts(f"{SHORT[short]}/{rest}".rstrip("/") if short else place)
    for part in parents:
        document = document[int(part)] if is_array(document) else document[part]
    return document, name


def put(holder: Any, name: str, value: Any) -> None:
    if is_array(holder):
        holder.insert(int(name), value)
    else:
        holder[name] = value


def verdict(case: dict[str, Any], *, strict: bool = False) -> list[Finding]:
    return weigh(*executed(case, strict=strict), strict=strict)


def executed(case: dict[str, Any], *, strict: bool = False) -> tuple[list[Finding], list[Finding]]:
    """Return the changes of the document, and the findings of the calls that were run."""
    document = edited(case["edits"])
    changes = diff(Contract.load(dict(OLD.published), overlay=None), Contract.load(document, overlay=None))
    new = Contract.load(document)
    # The calls that nobody recorded take most of the time; `--hypothesis-profile=long` runs them for every change.
    is_short = "possible" not in case["sentence"] and not strict and settings().max_examples < _MANY
    findings = impact(OLD, new, exchanges=APP, reads=case.get("reads"), only_recorded=is_short) if changes else []
    return [*changes], findings


@pytest.mark.parametrize("name", CASES["changes"])
def test_a_change_gives_the_exit_code_and_the_sentence_for_this_app(name: str) -> None:
    case = CASES["changes"][name]
    changes, findings = executed(case)
    # How severe a change is for others is the differ's matter.
    sentences = [item.message for item in weigh([], findings) if item.id.startswith(VERDICT)]
    assert sentences == ([case["sentence"]] if case["sentence"] else [])
    assert exit_code(weigh(changes, findings)) == case["exit"]


def case_of(name: str, **changes: Any) -> dict[str, Any]:
    return {**CASES["changes"][name], **changes}


def test_what_is_possible_for_others_is_an_error_only_when_it_is_asked_for() -> None:
    case = case_of("ratio-that-is-not-used-gone")
    found_severities = {strict: [item.severity for item in verdict(case, strict=strict)] for strict in (False, True)}
    assert Severity.ERROR not in found_severities[False]
    assert found_severities[True][0] is Severity.ERROR


@pytest.mark.parametrize("name", ["other-host", "client-certificate"])
def test_what_could_not_be_tried_is_neither_executed_nor_accepted(name: str) -> None:
    (first, *_) = verdict(case_of(name))
    assert first.id == f"{VERDICT}-untried"
    assert [cause.source for cause in first.covers] == [None]


def test_only_what_an_answer_decided_is_called_executed() -> None:
    sources = {
        name: [cause.source for cause in verdict(case_of(name))[0].covers]
        for name in ("path-v2", "at-most-two-pictures", "base-path", "required-header", "other-host")
    }
    assert sources == {
        "path-v2": ["executed"],
        "at-most-two-pictures": ["executed"],
        "base-path": ["executed"],
        "required-header": ["executed"],
        "other-host": [None],
    }


def test_a_member_that_the_app_does_not_read_raises_no_error() -> None:
    case = case_of("url-renamed", reads=["/meta/usage/credits_used"])
    assert exit_code(verdict(case)) == 0
    assert exit_code(verdict(case_of("url-renamed", reads=["/data/*/url"]))) == 1


FORMS: dict[str, Any] = {
    "data": {"data": [{"url": "https://cdn.example.com/1.png", "b64_json": None}]},
    "data and cost": {
        "data": [{"url": "https://cdn.example.com/1.png"}],
        "meta": {"usage": {"credits_used": 84000}},
    },
    "base64": {"data": [{"url": None, "b64_json": "iVBORw0KGgo="}]},
    "quick-example": {"images": [{"url": "https://cdn.example.com/1.png"}], "description": "a picture"},
}


@pytest.mark.parametrize(
    ("form", "removed", "lost"),
    [
        ("data", "ANSWER/properties/meta", []),
        ("data and cost", "ANSWER/properties/meta", ["meta.usage.credits_used is gone"]),
        ("base64", "ITEM/properties/b64_json", ["data[].b64_json is gone"]),
        ("base64", "ITEM/properties/url", []),
        ("quick-example", "ITEM/properties/url", []),
    ],
)
def test_an_app_reads_what_its_recorded_answers_have(form: str, removed: str, lost: list[str]) -> None:
    app = [replace(call, answer=RecordedAnswer(200, {}, FORMS[form])) for call in APP]
    new = Contract.load(edited([["remove", removed]]))
    (first,) = weigh([], impact(OLD, new, exchanges=app, only_recorded=True))
    said = f"the answers to all of your 4 calls no longer have what your recorded answers have: {'; '.join(lost)}"
    assert (first.message, first.severity is Severity.ERROR) == (
        (said, True) if lost else ("no call of yours is affected", False)
    )


def test_a_member_that_goes_from_the_form_of_an_apps_answers_breaks_this_app_only() -> None:
    images = ["move", "ANSWER/properties/data", "ANSWER/properties/images"]
    old, new = (
        Contract.load(edited([images, *edits]))
        for edits in ([], [["remove", "ANSWER/properties/images/items/properties/url"]])
    )
    said: dict[str, str] = {}
    for form in ("data", "quick-example"):
        app = [replace(call, answer=RecordedAnswer(200, {}, FORMS[form])) for call in APP[:1]]
        (verdict_of_app,) = weigh([], impact(old, new, exchanges=app, only_recorded=True))
        said[form] = verdict_of_app.message
    assert said == {
        "data": "no call of yours is affected",
        "quick-example": "the answers to your call no longer have what your recorded answers have: images[].url is gone",
    }


def test_operations_that_moved_together_are_one_alarm() -> None:
    document = copy.deepcopy(dict(OLD.published))
    document["paths"] = {f"/v1/{name}": copy.deepcopy(document["paths"][PATH]) for name in ("a", "b", "c")}
    for name in ("a", "b", "c"):
        document["paths"][f"/v1/{name}"]["post"]["operationId"] = name
    moved = {**document, "paths": {path.replace("/v1/", "/v3/"): item for path, item in document["paths"].items()}}
    findings = impact(Contract.load(document), Contract.load(moved), exchanges=(), only_recorded=True)
    (alarm,) = [item for item in findings if item.severity is Severity.ERROR]
    assert (alarm.id, len(alarm.covers)) == ("impact-operation-moved", 2)
    assert "and 2 other operations likewise" in alarm.message


def test_without_recorded_requests_a_moved_path_is_one_alarm() -> None:
    changes, _ = executed(case_of("path-v2"))
    document = edited(CASES["changes"]["path-v2"]["edits"])
    findings = weigh(changes, impact(OLD, Contract.load(document), only_recorded=True))
    (alarm,) = [item for item in findings if item.id.startswith(("api-", "endpoint-", "impact-operation"))]
    assert alarm.id == "impact-operation-moved"
    assert {item.id for item in alarm.covers} == {"api-path-removed-without-deprecation", "endpoint-added"}


def test_keys_that_are_enough_are_accepted_in_any_case_of_a_header_name() -> None:
    def contract(name: str) -> Contract:
        scheme = {"key": {"type": "apiKey", "in": "header", "name": name}}
        return Contract.load(
            edited([["set", "/components/securitySchemes", scheme], ["set", "OP/security", [{"key": []}]]])
        )

    (found,) = weigh([], impact(contract("X-Key"), contract("x-key"), exchanges=APP, only_recorded=True))
    assert found.message == "no call of yours is affected"


def test_without_recorded_requests_nothing_is_weighed() -> None:
    document = edited(CASES["changes"]["key-in-a-header"]["edits"])
    findings = weigh([], impact(OLD, Contract.load(document), only_recorded=True))
    assert [item.id for item in findings if item.severity is Severity.ERROR] == ["impact-credentials-changed"]


def test_what_a_call_shows_is_told_once_with_the_change_that_explains_it() -> None:
    place = "/paths/~1o/post/requestBody/content/application~1json/schema/properties"
    rule, error, documented = "request-property-became-required", Severity.ERROR, Evidence.DOCUMENTED
    changes = [
        Change(rule, error, documented, f"{place}/{name}", "it became required", operation="POST /o") for name in "ab"
    ]
    removed = Change(
        "api-path-removed-without-deprecation", error, documented, "/paths/~1p", "gone", operation="GET /p"
    )
    refused = Finding(
        "impact-request-refused/required", error, documented, "/a", "refused", operation="POST /o", direction="request"
    )
    gone = Finding("impact-operation-gone", error, documented, "", "gone", operation="GET /p")
    found = weigh([*changes, removed], [refused, gone])
    assert [(one.id, [covered.id for covered in one.covers]) for one in found] == [
        (rule, []),
        (refused.id, [rule]),
        (gone.id, [removed.id]),
    ]
