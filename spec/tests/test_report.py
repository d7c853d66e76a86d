"""Reports: complete and harmless in every format, whatever text the findings quote."""

import base64
import json
import re
import subprocess
import sys
import unicodedata
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any
from xml.etree import ElementTree

import orjson
import pytest
from bodydouble_spec.diff.changes import Change
from bodydouble_spec.finding import Evidence, Finding, Severity
from bodydouble_spec.report import Report, ReportCheck, ReportFormat, ReportPicture, render
from bodydouble_spec.report.layout import plain
from bodydouble_spec.report.likeness import alike
from bodydouble_spec.report.places import place
from bodydouble_spec.text import json_safe, json_text, visible
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

RELAXED = settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.too_slow])
UNSEEN_CATEGORIES = {"Cc", "Cf", "Cs", "Zl", "Zp"}
JOINERS = "\u200c\u200d"
RUNNER_COMMAND = re.compile(r"^\s*::|##\w*\[")

HOSTILE = (
    "\n::error::x",
    "\r::stop-commands::x",
    "::add-mask::x",
    "##[add-mask]x",
    "##vso[task.setvariable]",
    "%0A::error::x",
    "\x1b[31m",
    "\x9b31m",
    "\u202e",
    "\u2028",
    "\ud800",
    "\udfff",
    "\ufffe",
    "\0",
    "]]>",
    "-->",
    "<!--",
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onclick='x",
    "{{ 7 * 7 }}",
    "{% raw %}",
    "&amp;",
    "|",
    "\\|",
    "\\",
    "`",
    "```\n",
    "~~~",
    "\n\n# heading\n\n",
    "\n- item",
    "\n---\n",
    "\n===\n",
    "**",
    "_x_",
    "[x](https://example.com)",
    "![x](y)",
    "[x]: y",
    "<https://example.com>",
    "https://example.com",
    "www.example.com",
    "@octocat",
    "#12",
    "$x$",
    "    ",
    " ",
    "é",
    "画像",
    ",",
)
TEXTS = st.lists(st.sampled_from(HOSTILE) | st.text(st.characters(exclude_categories=[]), max_size=8), max_size=5).map(
    "".join
)
PLAIN_TEXTS = st.text(max_size=20)


def json_values(texts: st.SearchStrategy[str], *, finite: bool) -> st.SearchStrategy[Any]:
    numbers = st.floats(allow_nan=not finite, allow_infinity=not finite)
    scalars = st.booleans() | st.integers(-(2**63), 2**64) | numbers | texts
    return st.recursive(
        scalars,
        lambda inner: st.lists(inner | st.none(), max_size=3) | st.dictionaries(texts, inner, max_size=3),
        max_leaves=6,
    )


def findings(texts: st.SearchStrategy[str], *, finite: bool) -> st.SearchStrategy[Finding]:
    values = st.none() | json_values(texts, finite=finite)
    optional = st.none() | texts

    def having(covers: st.SearchStrategy[tuple[Finding, ...]]) -> st.SearchStrategy[Finding]:
        return one_of(Finding, covers) | one_of(Change, covers, old=values, new=values)

    def one_of(
        kind: type[Finding], covers: st.SearchStrategy[tuple[Finding, ...]], **sides: st.SearchStrategy[Any]
    ) -> st.SearchStrategy[Finding]:
        return st.builds(
            kind,
            **sides,
            id=texts,
            severity=st.sampled_from(Severity),
            evidence=st.sampled_from(Evidence),
            pointer=texts,
            message=texts,
            expected=values,
            got=values,
            repaired=optional,
            direction=optional,
            operation=optional,
            request=values,
            witness=optional,
            covers=covers,
        )

    return having(st.just(()) | st.lists(having(st.just(())), max_size=2).map(tuple))


def reports(texts: st.SearchStrategy[str], *, finite: bool) -> st.SearchStrategy[Report]:
    scalars = st.none() | json_values(texts, finite=finite)
    facts = scalars | st.lists(scalars, max_size=3) | st.lists(st.dictionaries(texts, scalars, max_size=3), max_size=3)
    return st.builds(
        Report,
        title=texts,
        findings=st.lists(findings(texts, finite=finite), max_size=4).map(tuple),
        facts=st.dictionaries(texts, facts, max_size=3),
        checks=st.lists(st.builds(ReportCheck, texts, texts, texts, st.none() | texts), max_size=2).map(tuple),
        pictures=st.lists(st.builds(ReportPicture, texts, texts, texts, texts, st.binary(max_size=4)), max_size=2).map(
            tuple
        ),
    )


ANY_REPORT = reports(TEXTS, finite=False)
PLAIN_REPORT = reports(PLAIN_TEXTS, finite=True)


def a_finding(**changes: Any) -> Finding:
    finding = Finding("unknown-value", Severity.ERROR, Evidence.DOCUMENTED, "/aspect_ratio", "7:5 is not allowed")
    return replace(finding, **changes)


def a_report(*found: Finding, **facts: Any) -> Report:
    return Report("check of openapi.json", found, facts)


HOSTILE_TEXT = "".join(HOSTILE)
HOSTILE_REPORT = Report(
    HOSTILE_TEXT,
    tuple(
        Finding(
            id=HOSTILE_TEXT,
            severity=severity,
            evidence=Evidence.ASSUMED,
            pointer=HOSTILE_TEXT,
            message=HOSTILE_TEXT,
            expected=list(HOSTILE),
            got={text: float("nan") for text in HOSTILE},
            repaired=HOSTILE_TEXT,
            direction=HOSTILE_TEXT,
            operation=HOSTILE_TEXT,
            request=HOSTILE_TEXT,
            witness=HOSTILE_TEXT,
            covers=tuple(a_finding(message=text) for text in HOSTILE),
        )
        for severity in Severity
    ),
    {HOSTILE_TEXT: list(HOSTILE), "table": [dict.fromkeys(HOSTILE, HOSTILE_TEXT)], "scalar": HOSTILE_TEXT},
    checks=tuple(ReportCheck(text, text, text, text) for text in HOSTILE),
    pictures=(
        ReportPicture(HOSTILE_TEXT, HOSTILE_TEXT, HOSTILE_TEXT, "image/png", b"\x89PNG"),
        ReportPicture(HOSTILE_TEXT, HOSTILE_TEXT, HOSTILE_TEXT, 'image/png" onerror="x', b"\x89PNG"),
    ),
)


def report_of(message: str) -> Report:
    return a_report(a_finding(message=message))


def of_severities(*severities: Severity) -> Report:
    return a_report(*(a_finding(severity=severity, pointer=f"/{n}") for n, severity in enumerate(severities)))


class Page(HTMLParser):
    """The elements, attributes and text of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: dict[str, set[str]] = {}
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        for name, value in attrs:
            self.attributes.setdefault(name, set()).add(value or "")

    def handle_data(self, data: str) -> None:
        self.text += data


def markdown_tokens(text: str) -> list[Any]:
    flat: list[Any] = []
    for token in MarkdownIt("commonmark", {"html": True}).enable("table").parse(text):
        flat += [token, *(token.children or [])]
    return flat


def markdown_text(text: str) -> str:
    tokens = markdown_tokens(text)
    return "".join("\n" if token.content == "<br>" else token.content for token in tokens if token.type != "inline")


# Every format


@RELAXED
@given(ANY_REPORT)
@example(HOSTILE_REPORT)
def test_any_report_renders_in_every_format_as_utf_8_ending_in_a_newline(report: Report) -> None:
    for format_ in ReportFormat:
        assert render(report, format_).encode().endswith(b"\n")


@RELAXED
@given(ANY_REPORT)
@example(HOSTILE_REPORT)
def test_no_format_contains_invisible_characters(report: Report) -> None:
    for format_ in ReportFormat:
        characters = set(render(report, format_)) - set("\n" + JOINERS)
        assert not {character for character in characters if unicodedata.category(character) in UNSEEN_CATEGORIES}


@RELAXED
@given(ANY_REPORT)
@example(HOSTILE_REPORT)
def test_the_text_of_a_finding_never_becomes_a_command_to_a_ci_runner(report: Report) -> None:
    for format_ in ReportFormat:
        lines = render(report, format_).split("\n")
        commands = [line for line in lines if RUNNER_COMMAND.search(line)]
        if format_ is ReportFormat.GITHUB:
            assert len(commands) == len(alike(report.ordered()))
        else:
            assert not commands


@pytest.mark.parametrize("format_", ReportFormat)
def test_every_format_shows_every_field_and_the_facts(format_: ReportFormat) -> None:
    covered = a_finding(id="covered-rule", pointer="/covered", message="covered message")
    finding = a_finding(
        expected="expected value",
        got=["got value"],
        repaired="repaired text",
        direction="request",
        operation="POST /operation",
        request="curl command",
        witness="line 12",
        covers=(covered,),
    )
    text = render(a_report(finding, revision="4cd011cd", fields=[{"name": "prompt"}, {"type": "string"}]), format_)
    shown = [
        "unknown-value",
        "error",
        "documented",
        "aspect_ratio",
        "7:5 is not allowed",
        "expected value",
        "got value",
    ]
    shown += ["repaired text", "request", "POST /operation", "curl command", "line 12", "covered-rule", "covered"]
    shown += ["covered message", "1 thing breaks the contract"]
    if format_ is ReportFormat.GITHUB:
        shown.remove("POST /operation")  # every annotation is about the operation of its report
    facts = [] if format_ is ReportFormat.GITHUB else ["revision", "4cd011cd", "name", "prompt", "type", "string"]
    assert [word for word in shown + facts if word not in text] == []


@pytest.mark.parametrize("format_", [format_ for format_ in ReportFormat if format_ is not ReportFormat.JSON])
def test_a_report_without_findings_says_so(format_: ReportFormat) -> None:
    assert "No changes in two documents" in render(Report("diff", (), key="changes", examined="two documents"), format_)


@pytest.mark.parametrize("format_", [format_ for format_ in ReportFormat if format_ is not ReportFormat.JSON])
def test_a_long_value_is_cut_with_a_remark_for_people(format_: ReportFormat) -> None:
    report = a_report(a_finding(got="x" * 5_000_000, message="y" * 5_000))
    text = render(report, format_)
    assert len(text) < 40_000
    assert "(5,000,002 characters)" in text


def test_the_worst_findings_come_first_and_the_others_keep_their_order() -> None:
    info, warning, error = Severity.INFO, Severity.WARNING, Severity.ERROR
    report = of_severities(info, error, warning, info, error)
    assert [finding.pointer for finding in report.ordered()] == ["/1", "/4", "/2", "/0", "/3"]


def test_findings_alike_in_every_field_are_reported_once() -> None:
    assert len(a_report(a_finding(), a_finding(pointer="/other"), a_finding()).ordered()) == 2


@pytest.mark.parametrize("changes", [{"message": "other"}, {"got": 1}, {"severity": Severity.INFO}])
def test_equal_findings_that_differ_in_a_field_are_both_reported(changes: dict[str, Any]) -> None:
    report = a_report(a_finding(got=True), replace(a_finding(got=True), **changes))
    assert len(report.ordered()) == 2


@pytest.mark.parametrize(
    ("severities", "last_line"),
    [
        ([Severity.ERROR, Severity.ERROR, Severity.WARNING], "2 errors, 1 warning"),
        ([Severity.INFO], "1 info"),
    ],
)
def test_the_last_line_of_the_text_counts_in_correct_english(severities: list[Severity], last_line: str) -> None:
    assert render(of_severities(*severities)).splitlines()[-1] == last_line


def test_slow_modules_are_not_imported_until_html_or_junit_is_rendered() -> None:
    script = (
        "import sys\n"
        "import bodydouble_spec\n"
        "before = set(sys.modules)\n"
        "from bodydouble_spec.report import *\n"
        "report = Report('title', ())\n"
        "for name in ('text', 'json', 'markdown', 'github'): render(report, ReportFormat(name))\n"
        "print([name for name in ('jinja2', 'html', 'xml') if name in sys.modules.keys() - before])\n"
        "render(report, ReportFormat.HTML)\n"
        "print('jinja2' in sys.modules)\n"
    )
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert result.stdout == "[]\nTrue\n"


# Text


def test_blank_lines_around_a_text_are_left_out_whatever_its_line_ends() -> None:
    assert render(report_of("\n\r\none\r\n\ntwo\r\n")).splitlines()[4:7] == ["error    one", "", "         two"]


@RELAXED
@given(ANY_REPORT)
@example(HOSTILE_REPORT)
def test_in_text_only_verdict_severities_and_summary_stand_at_the_start_of_a_line(report: Report) -> None:
    words = [line.split()[0] for line in render(report).splitlines() if line[:1].strip()]
    assert words[0] in {"No", "Nothing", *map(str, range(1, 9))}
    assert words[1:-1] == [finding.severity for finding, *_ in alike(report.ordered())]


def test_text_is_aligned_and_compact() -> None:
    report = Report(
        "contract check",
        (
            a_finding(expected=["1:1"], got="7:5", operation="POST /path", direction="request"),
            a_finding(id="absent", severity=Severity.INFO, evidence=Evidence.ASSUMED, pointer="", message="two\nlines"),
        ),
        {"file": "a.json", "fields": [{"name": "画像", "type": "array"}, {"name": "n", "default": None}], "sizes": []},
    )
    assert render(report) == (
        "1 thing breaks the contract; also 1 remark\n"
        "\n"
        "  contract check\n"
        "  operation  POST /path\n"
        "  file       a.json\n"
        "  fields\n"
        "    name  type   default\n"
        "    画像  array\n"
        "    n            -\n"
        "  sizes      none\n"
        "\n"
        "error    7:5 is not allowed\n"
        "         request.aspect_ratio, unknown-value, documented\n"
        '         expected  ["1:1"]\n'
        "info     two\n"
        "         lines\n"
        "         absent, assumed\n"
        "\n"
        "1 error, 1 info\n"
    )


def test_a_long_list_of_facts_takes_a_line_an_item() -> None:
    text = render(a_report(sizes=[f"{number}:1 1024x1024" for number in range(10)]))
    assert "  sizes\n    0:1 1024x1024\n    1:1 1024x1024\n" in text


# JSON


@RELAXED
@given(PLAIN_REPORT)
def test_json_parses_back_to_the_same_report(report: Report) -> None:
    parsed = json.loads(render(report, ReportFormat.JSON))
    found = [finding.to_dict() for finding in report.ordered()]
    counts = {
        severity: sum(item["severity"] == severity for item in found) for severity in ("error", "warning", "info")
    }
    del parsed["verdict"]
    assert parsed == {"title": report.title, "facts": report.facts, "findings": found, "summary": counts}


@RELAXED
@given(ANY_REPORT)
@example(HOSTILE_REPORT)
def test_a_strict_parser_reads_the_json_of_any_report(report: Report) -> None:
    text = render(replace(report, key="changes"), ReportFormat.JSON)
    assert list(orjson.loads(text)) == ["title", "verdict", "facts", "changes", "summary"]


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (float("nan"), "NaN"),
        (float("-inf"), "-Infinity"),
        ("a\ud800b", r"a\ud800b"),
        ({1: ("a",)}, {"1": ["a"]}),
        (10**5000, hex(10**5000)),
        (b"bytes", "b'bytes'"),
    ],
    ids=["nan", "infinity", "surrogate", "mapping", "integer", "object"],
)
def test_values_that_json_does_not_have_are_replaced(value: Any, written: Any) -> None:
    assert json_safe(value) == written


def test_deep_nesting_is_cut_not_an_error() -> None:
    value: list[Any] = []
    for _ in range(100_000):
        value = [value]
    assert json_text(value) == "[" * 64 + '"…"' + "]" * 64


def test_members_for_programs_replace_the_facts_at_the_top_of_the_json() -> None:
    report = replace(a_report(a_finding(), server="a"), members={"requests": 3, "usd": None})
    parsed = json.loads(render(report, ReportFormat.JSON))
    assert (list(parsed), parsed["requests"]) == (["title", "verdict", "findings", "summary", "requests", "usd"], 3)


# Changes


def a_change(**changes: Any) -> Change:
    change = Change("default-changed", Severity.ERROR, Evidence.DOCUMENTED, "/n", "the default is another one")
    return replace(change, **changes)


RENAMED = a_change(
    id="renamed",
    operation="POST /path",
    covers=(a_change(id="removed", operation="POST /path", old={"type": "number"}), a_change(operation="GET /path")),
)


@pytest.mark.parametrize("format_", [format_ for format_ in ReportFormat if format_ is not ReportFormat.JSON])
def test_covered_changes_show_only_an_operation_that_differs(format_: ReportFormat) -> None:
    text = render(Report("diff", (RENAMED,)), format_)
    assert (text.count("POST /path"), text.count("GET /path")) == (2 if format_ is ReportFormat.JUNIT else 1, 1)


def test_text_shows_the_old_and_the_new_value_of_a_change() -> None:
    text = render(Report("diff", (a_change(old=1, new=[2]),)))
    assert text.splitlines()[6:8] == ["         old       1", "         new       [2]"]


def test_of_a_change_only_the_values_are_shown_that_its_sentence_does_not_have() -> None:
    flag = a_change(pointer="/b", message="may now be null", old=False, new=True)
    found = (a_change(new=[2]), flag, a_change(pointer="/c", message='changed from 8 to "a"', old=8, new="a"))
    lines = render(Report("diff", found)).splitlines()
    assert [line.strip() for line in lines if "  old  " in line or "  new  " in line] == ["new       [2]"]


def test_a_change_without_values_shows_none() -> None:
    assert "nothing" not in render(Report("diff", (a_change(),)))


@RELAXED
@given(TEXTS)
@example(HOSTILE_TEXT)
@example("a|b\\|c`")
@example("  two spaces")
def test_markdown_shows_both_values_of_a_change_unchanged(text: str) -> None:
    tokens = markdown_tokens(render(Report("diff", (a_change(old=text, new=1),)), ReportFormat.MARKDOWN))
    rows = [token for token in tokens if token.type == "code_inline"]
    assert sum(token.type == "td_open" for token in tokens) == 2
    assert [token.content for token in rows[-2:]] == [visible(json_text(text)), "1"]


def test_markdown_keeps_the_lines_of_a_long_value_and_their_indentation() -> None:
    long = {"enum": ["x" * 60, "y" * 60]}
    text = markdown_text(render(Report("diff", (a_change(old=long, new=1),)), ReportFormat.MARKDOWN))
    assert json.dumps(long, indent=2).replace(" " * 2, "\u00a0" * 2) in text


def test_the_page_has_columns_for_both_values_of_a_change() -> None:
    text = render(Report("diff", (a_change(old=1, new=2),)), ReportFormat.HTML)
    shown = re.findall(r'<div class="(old|new)">.*?<dd>(?:<pre tabindex="0">)?(\w+)', text)
    assert shown == [("old", "1"), ("new", "2")]


# Text made safe


def test_every_character_that_cannot_be_seen_is_escaped() -> None:
    characters = {chr(code) for code in range(sys.maxunicode + 1)} - set(JOINERS)
    unseen = {character for character in characters if unicodedata.category(character) in UNSEEN_CATEGORIES}
    assert {character for character in unseen if not re.fullmatch(r"\\[nrtxuU][0-9a-f]*", visible(character))} == set()


@pytest.mark.parametrize(
    "text", ["naïve café 画像 שלום", "👩‍👩‍👧 ❤️", r"C:\path ^\d+$", "std::vector http://[::1]:80", "## [1.0]"]
)
def test_visible_characters_stay_unchanged(text: str) -> None:
    assert visible(text) == text


# Markdown


@RELAXED
@given(ANY_REPORT)
@example(HOSTILE_REPORT)
def test_markdown_of_any_report_has_only_our_own_structure(report: Report) -> None:
    tokens = markdown_tokens(render(report, ReportFormat.MARKDOWN))
    kinds = {token.type.removesuffix("_open").removesuffix("_close") for token in tokens}
    ours = {"heading", "inline", "text", "text_special", "strong", "paragraph", "bullet_list", "list_item", "softbreak"}
    ours |= {"code_inline", "fence", "html_inline", "html_block", "table", "thead", "tbody", "tr", "th", "td"}
    assert kinds <= ours
    assert {token.content for token in tokens if token.type == "html_inline"} <= {"<br>"}
    blocks = {token.content.strip() for token in tokens if token.type == "html_block"}
    assert {re.sub("<summary>[^<>]*</summary>", "", block) for block in blocks} <= {"<details>", "</details>"}
    # The table of a change is in its list item, that of the checks is folded, the others stand below a heading.
    tables = sum(token.type == "table_open" and token.level == 0 for token in tokens) - bool(report.checks)
    severities = {finding.severity for finding in report.ordered()}
    assert sum(token.type == "heading_open" for token in tokens) == 1 + tables + len(severities)


@RELAXED
@given(st.lists(findings(TEXTS, finite=False), max_size=4).map(tuple))
def test_markdown_has_one_item_a_finding(found: tuple[Finding, ...]) -> None:
    report = Report("title", found)
    tokens = markdown_tokens(render(report, ReportFormat.MARKDOWN))
    items = sum(token.type == "list_item_open" and token.level == 1 for token in tokens)
    # Before them stand the report, and the operation where it is one for all.
    assert items - len(alike(report.ordered())) in {1, 2}


@RELAXED
@given(TEXTS)
@example(HOSTILE_TEXT)
@example("`a`")
def test_markdown_shows_a_message_as_it_is(message: str) -> None:
    shown = markdown_text(render(report_of(f"({message})"), ReportFormat.MARKDOWN)).replace("\u200b", "")
    lines = [plain(visible(line)).strip() for line in f"({message})".replace("\r\n", "\n").split("\n")]
    assert "\n".join(lines) in "\n".join(line.strip() for line in shown.split("\n"))


@RELAXED
@given(TEXTS)
@example(HOSTILE_TEXT)
def test_markdown_shows_a_table_cell_as_it_is(text: str) -> None:
    cell = f"({text})"
    tokens = markdown_tokens(render(a_report(fields=[{"name": cell, "type": "x"}]), ReportFormat.MARKDOWN))
    assert sum(token.type == "td_open" for token in tokens) == 2
    assert plain(visible(cell)) in "".join(token.content for token in tokens if token.type != "inline").replace(
        "\u200b", ""
    )


@RELAXED
@given(TEXTS)
@example(" spaces around ")
@example("`")
def test_markdown_shows_a_place_as_it_is(name: str) -> None:
    finding = a_finding(pointer=f"/x{name}")
    tokens = markdown_tokens(render(a_report(finding), ReportFormat.MARKDOWN))
    codes = [token.content for token in tokens if token.type == "code_inline"]
    assert place(finding, with_operation=False) in codes


def test_markdown_has_no_mention_and_no_link() -> None:
    text = render(report_of("@octocat #12 https://example.com www.example.com"), ReportFormat.MARKDOWN)
    assert not re.search(r"@\w|#\d", markdown_text(text))
    assert not re.search(r"https?:|www\.", text)


def test_a_code_block_of_markdown_outlasts_backticks_in_it() -> None:
    request = "curl\n```\n````\nend"
    tokens = markdown_tokens(render(a_report(a_finding(request=request)), ReportFormat.MARKDOWN))
    assert [token.content for token in tokens if token.type == "fence"] == [request + "\n"]


# JUnit


@RELAXED
@given(ANY_REPORT)
@example(HOSTILE_REPORT)
def test_junit_has_one_test_a_finding_and_only_errors_fail(report: Report) -> None:
    root = ElementTree.fromstring(render(replace(report, checks=()), ReportFormat.JUNIT).encode())
    found = report.ordered()
    errors = sum(finding.severity is Severity.ERROR for finding in found)
    assert len(root.findall("testsuite/testcase")) == max(len(found), 1)
    assert len(root.findall("testsuite/testcase/failure")) == errors
    assert len(root.findall("testsuite/testcase/system-out")) == len(found) - errors
    assert {element.get("failures") for element in root.iter() if "failures" in element.attrib} == {str(errors)}


@RELAXED
@given(ANY_REPORT)
@example(HOSTILE_REPORT)
def test_junit_tests_have_different_names(report: Report) -> None:
    text = render(replace(report, checks=()), ReportFormat.JUNIT)
    cases = ElementTree.fromstring(text.encode()).findall("testsuite/testcase")
    assert len({case.get("name") for case in cases}) == len(cases)


CHECKED = Report(
    "verify",
    (
        a_finding(id="refused/maximum", pointer="/n", message="first"),
        a_finding(id="refused/minimum", pointer="/n", message="second"),
        a_finding(id="steady", severity=Severity.WARNING, message="third"),
        a_finding(id="of-no-check"),
    ),
    checks=(
        ReportCheck("refused", "What is invalid is refused.", "failed"),
        ReportCheck("steady", "The same call gives the same answer.", "failed"),
        ReportCheck("accepted", "What is valid is accepted.", "passed"),
        ReportCheck("known", "A known fault is muted.", "muted"),
        ReportCheck("downloadable", "Pictures can be had.", "not run", "the budget is spent"),
    ),
)


def junit_of(report: Report) -> ElementTree.Element:
    return ElementTree.fromstring(render(report, ReportFormat.JUNIT).encode())


def test_junit_has_one_test_a_check_and_one_for_a_finding_of_no_check() -> None:
    cases = [case.attrib["classname"] for case in junit_of(CHECKED).iter("testcase")]
    names = ("refused", "steady", "accepted", "known", "downloadable", "of-no-check")
    assert cases == [f"bodydouble.{name}" for name in names]


def test_junit_has_the_outcome_of_each_check() -> None:
    outcomes = [[child.tag for child in case] for case in junit_of(CHECKED).iter("testcase")]
    assert outcomes == [["failure"], ["system-out"], [], [], ["skipped"], ["failure"]]


def test_junit_names_every_finding_of_a_check() -> None:
    text = junit_of(CHECKED).find("testsuite/testcase/failure")
    assert text is not None
    assert [word in (text.text or "") for word in ("first", "second", "third")] == [True, True, False]


def test_junit_says_why_a_check_was_not_run() -> None:
    skipped = junit_of(CHECKED).find("testsuite/testcase/skipped")
    assert skipped is not None
    assert skipped.get("message") == "not run: the budget is spent"


def test_junit_counts_its_test_cases() -> None:
    suite = junit_of(CHECKED).find("testsuite")
    assert suite is not None
    counts = {name: suite.get(name) for name in ("tests", "failures", "skipped", "errors")}
    assert counts == {"tests": "6", "failures": "2", "skipped": "1", "errors": "0"}


def test_junit_names_begin_with_the_severity() -> None:
    root = ElementTree.fromstring(render(of_severities(*Severity), ReportFormat.JUNIT).encode())
    names = [case.attrib["name"].split(":")[0] for case in root.iter("testcase")]
    assert names == ["error", "warning", "info"]


# HTML


@RELAXED
@given(ANY_REPORT)
@example(HOSTILE_REPORT)
def test_nothing_in_a_finding_becomes_markup_of_the_page(report: Report) -> None:
    page = Page(render(report, ReportFormat.HTML))
    structure = "html head meta link title style body main h1 h2 p dl div dt dd ol ul li table thead tbody tr th td code pre h3 section"
    others = "span fieldset legend label input details summary figure figcaption img"
    assert page.tags <= {*structure.split(), *others.split()}
    names = "lang charset name content http-equiv rel href class id type checked tabindex scope aria-label open src alt"
    assert page.attributes.keys() <= set(names.split())


@RELAXED
@given(TEXTS)
@example(HOSTILE_TEXT)
def test_the_page_shows_a_message_as_it_is(message: str) -> None:
    lines = [plain(visible(line)) for line in f"({message})".replace("\r\n", "\n").split("\n")]
    assert "\n".join(lines) in Page(render(report_of(f"({message})"), ReportFormat.HTML)).text


def test_the_page_loads_nothing_and_forbids_it() -> None:
    page = Page(render(of_severities(*Severity), ReportFormat.HTML))
    assert page.attributes["href"] == {"data:,"}
    assert "src" not in page.attributes
    assert "url(" not in page.text
    assert any("default-src 'none'" in value for value in page.attributes["content"])


PICTURE = ReportPicture("call 1", "curl first", "1024x1024", "image/png", b"\x89PNG")


def test_a_picture_is_embedded_in_the_page() -> None:
    page = Page(render(replace(a_report(), pictures=(PICTURE,)), ReportFormat.HTML))
    assert page.attributes["src"] == {"data:image/png;base64," + base64.b64encode(b"\x89PNG").decode()}


@pytest.mark.parametrize("changes", [{"content": b""}, {"media_type": "image/svg+xml"}, {"media_type": "text/html"}])
def test_pictures_that_browsers_do_not_show_are_only_described(changes: dict[str, Any]) -> None:
    page = Page(render(replace(a_report(), pictures=(replace(PICTURE, **changes),)), ReportFormat.HTML))
    assert ("img" in page.tags, "1024x1024" in page.text) == (False, True)


def test_the_pictures_of_one_call_share_one_request() -> None:
    pictures = (PICTURE, replace(PICTURE, note="second"), replace(PICTURE, title="call 2", request="curl second"))
    text = Page(render(replace(a_report(), pictures=pictures), ReportFormat.HTML)).text
    assert [text.count(word) for word in ("curl first", "curl second", "1024x1024")] == [1, 1, 2]


@pytest.mark.parametrize("format_", [ReportFormat.HTML, ReportFormat.MARKDOWN, ReportFormat.JUNIT])
def test_passed_checks_are_shown_too(format_: ReportFormat) -> None:
    assert "What is valid is accepted." in render(CHECKED, format_)


def test_the_page_can_hide_each_severity_that_occurs() -> None:
    text = render(of_severities(Severity.ERROR, Severity.INFO), ReportFormat.HTML)
    assert re.findall(r'type="checkbox" id="show-(\w+)" checked', text) == ["error", "info"]
    assert re.findall(r"body:has\(#show-(\w+):not\(:checked\)\) \.all > \.(\w+)", text) == [
        ("error", "error"),
        ("info", "info"),
    ]


# GitHub


@RELAXED
@given(ANY_REPORT)
@example(HOSTILE_REPORT)
def test_github_gets_one_command_a_finding_between_title_and_summary(report: Report) -> None:
    lines = re.split(r"\r\n|\r|\n", render(report, ReportFormat.GITHUB).rstrip("\n"))
    commands = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}
    names = [commands[finding.severity] for finding, *_ in alike(report.ordered())]
    assert [re.match(r"::(\w+) title=", line)[1] for line in lines[1:-1]] == names  # type: ignore[index]  # it matches


@RELAXED
@given(TEXTS)
@example(HOSTILE_TEXT)
def test_a_github_runner_reads_back_the_title_and_the_message(text: str) -> None:
    finding = a_finding(id=text, message=f"({text})")
    line = render(a_report(finding), ReportFormat.GITHUB).split("\n")[1]
    _, command, message = line.split("::", 2)
    name, _, properties = command.partition(" ")
    (title,) = properties.split(",")
    unescaped = (
        title.replace("%3A", ":").replace("%2C", ",").replace("%0D", "\r").replace("%0A", "\n").replace("%25", "%")
    )
    shown = "\n".join(plain(visible(line)) for line in f"({text})".replace("\r\n", "\n").split("\n"))
    assert (name, unescaped) == ("error", f"title={visible(text)} (documented)")
    assert message.replace("%0D", "\r").replace("%0A", "\n").replace("%25", "%") == (
        f"{shown}\naspect_ratio, {visible(text)}, documented"
    )


def test_types_are_words_and_patterns_are_for_json_only() -> None:
    shape = Finding(
        "request-type", Severity.ERROR, Evidence.DOCUMENTED, "/n", "m", expected=["string", "null"], got="null"
    )
    form = Finding("request-pattern", Severity.ERROR, Evidence.DOCUMENTED, "/u", "m", expected="^the-pattern$", got="x")
    report = Report("t", (shape, form))
    text = render(report, ReportFormat.TEXT)
    assert ("expected  string or null\n" in text, "got       null\n" in text, "the-pattern" in text) == (
        True,
        True,
        False,
    )
    assert "^the-pattern$" in render(report, ReportFormat.JSON)
