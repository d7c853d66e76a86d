"""The documentation page as a source of drift."""

import json
from typing import Any

import pytest
from bodydouble_contract_tests.drift.page import page_findings, read_relaxed, response_examples
from bodydouble_contract_tests.drift.upstream import Fetched
from bodydouble_spec import Contract, Finding, Severity, UnknownOperation, UnreadableDocument
from hypothesis import given, settings
from hypothesis import strategies as st

GOOD: dict[str, Any] = {
    "data": [{"url": "https://example.org/1.png", "b64_json": None}],
    "meta": {"usage": {"credits_used": 84000}},
}
# The form of the vendor's page: GitBook's Markdown, code of clients in tabs, the answer folded away.
PAGE = """\
# A model

{% hint style="info" %}
Valid for `some/model`.
{% endhint %}

## Quick Example

{% tabs %}
{% tab title="Python" %}
{% code overflow="wrap" %}
```python
requests.post(url, json={"model": "some/model", "prompt": "a cat"}).json()
```
{% endcode %}
{% endtab %}
{% endtabs %}

<details>

<summary>Response</summary>

{% code overflow="wrap" %}
```json5
@ANSWER@
```
{% endcode %}

</details>
"""
WEB_PAGE = """\
<!doctype html>
<html><body><h2>Request</h2><pre><code class="language-json">{&quot;model&quot;: &quot;some/model&quot;}</code></pre>
<h2>Example <em>response</em></h2>
<pre class="x"><code class="language-json"><div>{</div><div>  &quot;images&quot;: []</div><div>}</div></code></pre></body></html>
"""


def page(answer: object, form: str = PAGE) -> Fetched:
    text = answer if isinstance(answer, str) else json.dumps(answer, indent=2)
    return Fetched("page.md", form.replace("@ANSWER@", text).encode())


def found(answer: object, contract: Contract, form: str = PAGE) -> list[Finding]:
    return page_findings(page(answer, form), contract)


def test_an_example_that_keeps_the_contract_gives_nothing(vendored: Contract) -> None:
    assert found(GOOD, vendored) == []


def test_an_example_with_nothing_documented_in_it_is_one_error_that_covers_the_rest(vendored: Contract) -> None:
    (finding,) = found({"images": [{"url": "https://example.org/1.png"}], "description": "Here."}, vendored)
    assert (finding.id, finding.severity, finding.expected, finding.got) == (
        "page-example-vacuous",
        Severity.ERROR,
        ["data", "meta"],
        ["images", "description"],
    )
    assert {(item.id, item.pointer) for item in finding.covers} == {
        ("response-absent", "/data"),
        ("response-absent", "/meta"),
        ("response-undocumented", "/images"),
        ("response-undocumented", "/description"),
    }


def test_an_example_that_differs_in_part_has_each_deviation_at_its_place(vendored: Contract) -> None:
    answer = {**GOOD, "meta": {"usage": {"tokens_used": 84000}}}
    assert {(item.id, item.pointer) for item in found(answer, vendored)} == {
        ("response-required", "/meta/usage/credits_used"),
        ("response-undocumented", "/meta/usage/tokens_used"),
    }


def test_a_finding_names_the_page_and_the_line_of_the_example(vendored: Contract) -> None:
    (finding,) = found({"images": []}, vendored)
    line = int((finding.source or "").removeprefix("page, line "))
    assert PAGE.splitlines()[line - 1] == "@ANSWER@"


def test_an_example_in_a_web_page_is_found(vendored: Contract) -> None:
    (finding,) = found("", vendored, WEB_PAGE)
    assert (finding.id, finding.source) == ("page-example-vacuous", "page, line 4")


@pytest.mark.parametrize(
    ("title", "is_answer"),
    [
        ("## Response", True),
        ("### Example output", True),
        ("## Quick start", True),
        ('{% tab title="Result" %}', True),
        ("## Request body", False),
        ("## Error 400", False),
        ("## Response\n\n## Schema", False),
    ],
)
def test_the_title_above_tells_an_answer_from_other_blocks(vendored: Contract, title: str, is_answer: bool) -> None:
    text = f"# A model\n\n{title}\n\n```json\n{json.dumps({'images': []})}\n```\n"
    assert bool(response_examples(text, vendored.operation())) == is_answer


def test_a_request_without_a_title_is_no_answer(vendored: Contract) -> None:
    text = '```json\n{"model": "some/model", "prompt": "a cat", "image_urls": []}\n```\n'
    assert response_examples(text, vendored.operation()) == []


def test_equal_examples_are_checked_once(vendored: Contract) -> None:
    assert len(found({"images": []}, vendored, PAGE + PAGE)) == 1


def test_a_second_example_is_checked_too(vendored: Contract) -> None:
    form = PAGE.replace("@ANSWER@", json.dumps(GOOD)) + PAGE
    assert [item.id for item in found({"images": []}, vendored, form)] == ["page-example-vacuous"]


def test_a_page_without_an_example_answer_is_refused(vendored: Contract) -> None:
    with pytest.raises(UnreadableDocument, match=r"page\.md: the page has no example answer"):
        found("", vendored, "# A model\n\nThere is nothing here.\n")


def test_an_example_answer_that_is_not_json_is_a_finding(vendored: Contract) -> None:
    (finding,) = found('{"data": [', vendored)
    assert (finding.id, finding.severity) == ("page-example-unreadable", Severity.WARNING)


def test_a_page_that_names_no_operation_is_refused_where_there_are_several(with_operations: Contract) -> None:
    with pytest.raises(UnknownOperation):
        found(GOOD, with_operations)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": 1, // one\n "b": [2, /* two */ 3,],}', {"a": 1, "b": [2, 3]}),
        ("{a: 'it', \"b\": 'http://x // y'}", {"a": "it", "b": "http://x // y"}),
        ('{"a": "// no comment, ]", "b": ",}"}', {"a": "// no comment, ]", "b": ",}"}),
        ('{"a": [1, ...], "b": 2, ...}', {"a": [1], "b": 2}),
        ('// the answer\n{"a": 1}', {"a": 1}),
    ],
)
def test_json_as_people_write_it_is_read(text: str, value: object) -> None:
    assert read_relaxed(text) == value


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=60, deadline=None)
@given(JSON, st.sampled_from([None, 2]))
def test_proper_json_is_read_unchanged(value: object, indent: int | None) -> None:
    assert read_relaxed(json.dumps(value, indent=indent, ensure_ascii=False)) == value


@settings(max_examples=60, deadline=None)
@given(st.text(st.sampled_from("{}[]\"',:/*.`~\n #<pre>ab1%-")))
def test_any_page_gives_findings_or_a_reason(text: str) -> None:
    contract = Contract.load()
    for form in (PAGE, "@ANSWER@", "<html>@ANSWER@", "## Response\n```json\n{@ANSWER@"):
        try:
            findings = page_findings(page(text, form), contract)
        except UnreadableDocument:
            continue
        assert all((finding.source or "").startswith("page, line ") for finding in findings)
