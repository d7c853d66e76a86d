"""The documentation page as a source: its example answers compared with the contract.

Nothing is required in this vendor's answers, so an example without any documented property still conforms. Only the strict check
reports it.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from html.parser import HTMLParser
from typing import Any

import yaml
from bodydouble_spec import Contract, Evidence, Finding, Operation, Severity, UnreadableDocument, is_object
from bodydouble_spec.schema import SchemaView

from bodydouble_contract_tests.drift.upstream import Fetched, is_html

__all__ = ["page_findings", "read_relaxed", "response_examples"]

_FENCE = re.compile(r"^\s{0,12}(?:>\s?)*(`{3,}|~{3,})\s*([\w+-]*)([^`]*)$")
_HEADING = re.compile(r"^\s{0,3}#{1,6}\s+(.*?)\s*#*$")
# GitBook's tabs and code titles, and the summary of a folded section.
_TITLED = re.compile(
    r"""<summary[^>]*>(.*?)</summary>|\{%\s*(?:tab|code)\b[^%]*?\btitle="([^"]*)"|\btitle="([^"]*)\""""
)
_TAG = re.compile(r"<[^>]*>")


@dataclass(frozen=True, slots=True)
class PageBlock:
    """One code block.

    ``text`` is the code, ``language`` is the page's name for it (``""`` when it has none), ``title`` is the nearest heading, tab or summary
    above it, and ``line`` is where the code begins, counted from 1.
    """

    text: str
    language: str
    title: str
    line: int


def markdown_blocks(text: str) -> list[PageBlock]:
    """Return the fenced blocks of a Markdown page in order. An unclosed block ends with the page."""
    blocks: list[PageBlock] = []
    title, fence, language, started = "", "", "", 0
    code: list[str] = []
    for number, line in enumerate(text.splitlines(), 1):
        match = _FENCE.match(line)
        if fence:
            if match and match[1].startswith(fence) and not match[2] and not match[3].strip():
                blocks.append(PageBlock("\n".join(code), language, title, started))
                fence, code = "", []
            else:
                code.append(line)
        elif match:
            fence, language, started = match[1], match[2].lower(), number + 1
            title = _title_of(match[3]) or title
        else:
            title = _title_of(line) or title
    if fence:
        blocks.append(PageBlock("\n".join(code), language, title, started))
    return blocks


def html_blocks(text: str) -> list[PageBlock]:
    """Return the ``<pre>`` blocks of a web page in order."""
    reader = _Reader()
    reader.feed(text)
    reader.close()
    return reader.blocks


def _title_of(line: str) -> str:
    heading = _HEADING.match(line)
    if heading:
        return _TAG.sub("", heading[1])
    titled = _TITLED.search(line)
    return "" if titled is None else _TAG.sub("", next(filter(None, titled.groups()), ""))


class _Reader(HTMLParser):
    """Collects the text of ``<pre>`` elements and of their possible titles."""

    _TITLES = frozenset({"h1", "h2", "h3", "h4", "h5", "h6", "summary", "figcaption"})

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.blocks: list[PageBlock] = []
        self._title = ""
        self._language = ""
        self._open = ""
        self._text: list[str] = []
        self._line = 1

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self._open == "pre":
            # Each line of code is often an element of its own.
            self._text += "\n" if tag in {"br", "div", "li"} else ""
            self._language = _language_of(attrs) or self._language
        elif tag == "pre" or tag in self._TITLES:
            self._open, self._text, self._line, self._language = tag, [], self.getpos()[0], _language_of(attrs)

    def handle_endtag(self, tag: str) -> None:
        if not self._open or tag != self._open:
            return
        text = "".join(self._text)
        if tag == "pre":
            self.blocks.append(PageBlock(text.strip(), self._language, self._title, self._line))
        else:
            self._title = " ".join(text.split())
        self._open = ""

    def handle_data(self, data: str) -> None:
        if self._open:
            self._text.append(data)


def _language_of(attrs: list[tuple[str, str | None]]) -> str:
    names = " ".join(value or "" for name, value in attrs if name in {"class", "data-language", "lang"})
    match = re.search(r"\b(?:language|lang|highlight-source)-(\w+)", names)
    return match[1].lower() if match else ""


_IGNORED = re.compile(
    r"""("(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')"""  # texts are kept
    r"|//[^\n]*|/\*.*?\*/"
    r"|,(?=(?:\s|//[^\n]*|/\*.*?\*/)*[}\]])",
    re.DOTALL,
)
# An ellipsis of the writer: `...` or `…` among members or items.
_ELLIPSIS = re.compile(r"""("(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')|,?\s*(?:\.{3}|…)\s*(?=[\]},\n])""", re.DOTALL)
_LONGEST = 1_000_000


def read_relaxed(text: str) -> Any:
    """Parse a JSON, JSON5 or nearly-JSON text. Raises ValueError with the reason when it is none of these."""
    if len(text) > _LONGEST:
        raise ValueError(f"it is longer than {_LONGEST:,} characters")
    strict_json = _IGNORED.sub(lambda match: match[1] or "", _ELLIPSIS.sub(lambda match: match[1] or "", text))
    try:
        return json.loads(strict_json)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    except ValueError as error:
        reason = str(error)
    if not strict_json.lstrip().startswith(("{", "[")):
        raise ValueError(reason)
    try:
        # Single quotes and names without quotes are YAML as well; tabs are not.
        return json.loads(json.dumps(yaml.safe_load(strict_json.replace("\t", " "))))
    except (yaml.YAMLError, TypeError, ValueError, RecursionError):
        raise ValueError(reason) from None


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
    request_names = SchemaView.of(operation.request_schema).properties.keys()
    response_names = _answered(operation).keys()
    return "openapi" in value or len(request_names & value.keys()) > len(response_names & value.keys())


def _check_example(example: PageExample, operation: Operation) -> list[Finding]:
    source = f"page, line {example.line}"
    if example.problem is not None:
        message = f"the example answer on the page is not JSON: {example.problem}"
        unreadable = _finding("page-example-unreadable", Severity.WARNING, message, operation)
        return [replace(unreadable, source=source)]
    found = operation.validate_response(operation.success_status, "application/json", example.value)
    findings = [replace(finding, source=source) for finding in found]
    documented = _answered(operation)
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


def _answered(operation: Operation) -> Mapping[str, SchemaView]:
    """Return the documented properties of a success body."""
    return SchemaView.of(operation.response_schema(operation.success_status)).properties
