"""The documentation page as a source: its example answers compared with the contract.

Nothing is required in this vendor's answers, so an example without any documented property still conforms. Only the strict check
reports it.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from bodydouble_spec import Contract, Evidence, Finding, Operation, Severity, UnreadableDocument, is_object

from bodydouble_contract_tests._page_blocks import PageBlock, html_blocks, markdown_blocks
from bodydouble_contract_tests._page_json import read_relaxed
from bodydouble_contract_tests._upstream import Fetched, is_html

__all__ = ["PageExample", "page_findings", "response_examples"]

_JSON_LANGUAGES = {"", "json", "json5", "jsonc", "text"}
_ANSWER = re.compile(r"\b(?:responses?|outputs?|results?|returns?|answers?)\b", re.IGNORECASE)
_NOT_ANSWER = re.compile(
    r"\b(?:requests?|payloads?|parameters?|inputs?|errors?|failures?|[45]\d\d|schemas?)\b", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class PageExample:
    """An example answer on a page: its JSON value, the title above it, and the line where it begins.

    ``problem`` is the reason why a block under a title such as "Response" could not be read; ``value`` is None then.
    """

    value: Any
    title: str
    line: int
    problem: str | None = None


def page_findings(page: Fetched, contract: Contract) -> list[Finding]:
    """Return the deviations of a page's example answers from the contract, by the strict rules.

    Pointers are into the example. Raises UnreadableDocument when the page has no example answer, and UnknownOperation when the contract has
    several operations and the page does not name exactly one.
    """
    text = page.content.decode("utf-8", "replace")
    operation = _operation_of(text, contract)
    examples = response_examples(text, operation)
    if not examples:
        reason = "the page has no example answer (a block of JSON under a title such as Response)"
        raise UnreadableDocument(f"{page.address}: {reason}; is it the page of the model, in Markdown or HTML?")
    findings = [finding for example in examples for finding in _check_example(example, operation)]
    return list(dict.fromkeys(findings))


def response_examples(text: str, operation: Operation) -> list[PageExample]:
    """Return the example answers of a page (Markdown or HTML) in order, each value once.

    A block of JSON is one when its title says so, or when its title says nothing else and it does not look like a request of the operation.
    """
    blocks = html_blocks(text) if is_html(text.encode("utf-8", "replace")) else markdown_blocks(text)
    examples: list[PageExample] = []
    for block in blocks:
        example = _example_of(block, operation)
        if example is not None and all(example.value != other.value or example.problem for other in examples):
            examples.append(example)
    return examples


def _example_of(block: PageBlock, operation: Operation) -> PageExample | None:
    if block.language not in _JSON_LANGUAGES or not block.text.lstrip().startswith(("{", "[", "//", "/*")):
        return None
    is_answer = _ANSWER.search(block.title) is not None
    if not is_answer and _NOT_ANSWER.search(block.title):
        return None
    try:
        value = read_relaxed(block.text)
    except ValueError as error:
        # Without a title that announces an answer, an unreadable block may be anything.
        return PageExample(None, block.title, block.line, str(error)) if is_answer else None
    if not is_answer and (not is_object(value) or _is_other_object(value, operation)):
        return None
    return PageExample(value, block.title, block.line)


def _is_other_object(value: dict[str, Any], operation: Operation) -> bool:
    """Tell whether an object without a telling title is a request or an OpenAPI document."""
    request_names = set(_properties(operation.request_schema))
    response_names = set(_properties(operation.response_schema(operation.success_status)))
    return "openapi" in value or len(request_names & value.keys()) > len(response_names & value.keys())


def _check_example(example: PageExample, operation: Operation) -> list[Finding]:
    source = f"page, line {example.line}"
    if example.problem is not None:
        message = f"the example answer on the page is not JSON: {example.problem}"
        unreadable = _finding("page-example-unreadable", Severity.WARNING, message, operation)
        return [replace(unreadable, source=source)]
    found = operation.validate_response(operation.success_status, "application/json", example.value)
    findings = [replace(finding, source=source) for finding in found]
    documented = _properties(operation.response_schema(operation.success_status))
    if not documented or not is_object(example.value) or documented.keys() & example.value.keys():
        return findings
    return [replace(_vacuous(list(documented), example.value, operation, findings), source=source)]


def _vacuous(
    documented: list[str], value: dict[str, Any], operation: Operation, findings: Sequence[Finding]
) -> Finding:
    has = ", ".join(map(repr, value)) or "nothing"
    message = f"the page's example answer has {has}, but none of the documented properties: {', '.join(map(repr, documented))}"
    finding = _finding("page-example-vacuous", Severity.ERROR, message, operation)
    return replace(finding, expected=documented, got=list(value), covers=tuple(findings))


def _finding(rule: str, severity: Severity, message: str, operation: Operation) -> Finding:
    return Finding(rule, severity, Evidence.DOCUMENTED, "", message, direction="response", operation=operation.key)


def _operation_of(text: str, contract: Contract) -> Operation:
    mentioned = [operation for operation in contract.operations if operation.path in text]
    return mentioned[0] if len(mentioned) == 1 else contract.operation()


def _properties(schema: dict[str, Any] | None) -> dict[str, Any]:
    properties = (schema or {}).get("properties")
    return properties if is_object(properties) else {}
