"""A documentation page as a witness: the answers that it shows, compared with the contract.

Nothing is required in this vendor's answers, so that its page shows an answer with not one documented property in it, and that conforms.
Only the strict reading sees such a thing.
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
_OTHER = re.compile(
    r"\b(?:requests?|payloads?|parameters?|inputs?|errors?|failures?|[45]\d\d|schemas?)\b", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class PageExample:
    """An example answer on a page: its JSON value, the title above it, and the line where it begins.

    ``problem`` says why a block under a title such as "Response" could not be read; ``value`` is None then.
    """

    value: Any
    title: str
    line: int
    problem: str | None = None


def page_findings(page: Fetched, contract: Contract) -> list[Finding]:
    """Where the example answers of a page deviate from the contract, in the strict reading.

    Pointers are into the example. Raises UnreadableDocument when there is no example answer on the page, and UnknownOperation when the
    contract has several operations and the page does not tell which it is about.
    """
    text = page.content.decode("utf-8", "replace")
    operation = _operation_of(text, contract)
    examples = response_examples(text, operation)
    if not examples:
        reason = "no example answer (a block of JSON, with a title such as Response above it) is on this page"
        raise UnreadableDocument(f"{page.source}: {reason}; is it the page of the model, in Markdown or HTML?")
    findings = [finding for example in examples for finding in _judge(example, operation)]
    return list(dict.fromkeys(findings))


def response_examples(text: str, operation: Operation) -> list[PageExample]:
    """The example answers of a page (Markdown or HTML), each value once, in their order.

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
    if not is_answer and _OTHER.search(block.title):
        return None
    try:
        value = read_relaxed(block.text)
    except ValueError as error:
        # Without a title that promises an answer, what cannot be read may be anything.
        return PageExample(None, block.title, block.line, str(error)) if is_answer else None
    if not is_answer and (not is_object(value) or _is_no_answer(value, operation)):
        return None
    return PageExample(value, block.title, block.line)


def _is_no_answer(value: dict[str, Any], operation: Operation) -> bool:
    """Whether an object without a telling title is something else: a request, or an OpenAPI document."""
    asked = set(_properties(operation.request_schema))
    given = set(_properties(operation.response_schema(operation.success_status)))
    return "openapi" in value or len(asked & value.keys()) > len(given & value.keys())


def _judge(example: PageExample, operation: Operation) -> list[Finding]:
    witness = f"page, line {example.line}"
    if example.problem is not None:
        message = f"the example answer on the page is no JSON: {example.problem}"
        unreadable = _finding("page-example-unreadable", Severity.WARNING, message, operation)
        return [replace(unreadable, witness=witness)]
    found = operation.validate_response(operation.success_status, "application/json", example.value)
    findings = [replace(finding, witness=witness) for finding in found]
    documented = _properties(operation.response_schema(operation.success_status))
    if not documented or not is_object(example.value) or documented.keys() & example.value.keys():
        return findings
    return [replace(_vacuous(list(documented), example.value, operation, findings), witness=witness)]


def _vacuous(
    documented: list[str], value: dict[str, Any], operation: Operation, findings: Sequence[Finding]
) -> Finding:
    has = ", ".join(map(repr, value)) or "nothing"
    message = (
        f"the page's example answer has {has}; the contract has {', '.join(map(repr, documented))}: none of it is there"
    )
    finding = _finding("page-example-vacuous", Severity.ERROR, message, operation)
    return replace(finding, expected=documented, got=list(value), covers=tuple(findings))


def _finding(rule: str, severity: Severity, message: str, operation: Operation) -> Finding:
    return Finding(rule, severity, Evidence.DOCUMENTED, "", message, direction="response", operation=operation.key)


def _operation_of(text: str, contract: Contract) -> Operation:
    named = [operation for operation in contract.operations if operation.path in text]
    return named[0] if len(named) == 1 else contract.operation()


def _properties(schema: dict[str, Any] | None) -> dict[str, Any]:
    properties = (schema or {}).get("properties")
    return properties if is_object(properties) else {}
