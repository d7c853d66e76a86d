"""The report as JUnit XML, for Jenkins, GitLab and most CI viewers."""

from collections import Counter
from collections.abc import Iterable
from xml.etree import ElementTree

from bodydouble_spec.finding import Severity
from bodydouble_spec.report.layout import (
    ShownFinding,
    entries,
    fact_items,
    fact_text,
    facts_of,
    heading,
    one_line,
    plain,
    text_lines,
    verdict,
)
from bodydouble_spec.report.model import Report, ReportCheck

__all__ = ["render_junit"]


def render_junit(report: Report) -> str:
    """Render one suite with one test case a check, and one for each finding without a check; facts become properties.

    An error is a failed test. A warning or an info is a passed test with its text in ``system-out`` and its severity at
    the start of its name: ``skipped`` would claim that something was not examined, and some pipelines fail on it.
    Without findings there is one passed test, because Jenkins fails a build with an empty report.
    """
    found = entries(report, is_each=True)
    of_checks = {check: [entry for entry in found if check.has(entry.finding)] for check in report.checks}
    known = {id(entry) for belonging in of_checks.values() for entry in belonging}
    others = [entry for entry in found if id(entry) not in known]
    root = ElementTree.Element("testsuites", {"name": "bodydouble"})
    suite = ElementTree.SubElement(root, "testsuite", {"name": one_line(report.title)})
    if report.made_at is not None:
        # In UTC without a zone, as the schemas of JUnit's XML have it.
        suite.set("timestamp", f"{report.made_at:%Y-%m-%dT%H:%M:%S}")
    _add_properties(suite, report)
    for check, belonging in of_checks.items():
        _add_check(suite, check, belonging)
    # Viewers identify tests by name: a second finding of one rule at one place gets a number.
    seen: Counter[str] = Counter()
    for entry in others:
        name = f"{entry.finding.severity}: {one_line(entry.finding.id)} at {entry.place}"
        seen[name] += 1
        _add_outcome(suite, entry.finding.id, name if seen[name] == 1 else f"{name} ({seen[name]})", [entry])
    if not others and not report.checks:
        _add_case(suite, None, verdict(report), report.seconds)
    counted = {"tests": "testcase", "failures": "testcase/failure", "errors": "testcase/error"}
    totals = {name: str(len(suite.findall(path))) for name, path in counted.items()}
    root.attrib.update({**totals, "time": _time(report.seconds)})
    suite.attrib.update(
        {**totals, "skipped": str(len(suite.findall("testcase/skipped"))), "time": _time(report.seconds)}
    )
    ElementTree.indent(root)
    body = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{body}\n'


def _time(seconds: float) -> str:
    return f"{seconds:.3f}"


def _add_properties(suite: ElementTree.Element, report: Report) -> None:
    facts = {"verdict": verdict(report), "report": heading(report), **facts_of(report), **report.details}
    properties = ElementTree.SubElement(suite, "properties")
    for label, value in facts.items():
        items = fact_items(value)
        text = fact_text(value) if items is None else ", ".join(items)
        ElementTree.SubElement(properties, "property", {"name": one_line(label), "value": text})


def _add_case(suite: ElementTree.Element, rule: str | None, name: str, seconds: float) -> ElementTree.Element:
    classname = "bodydouble" if rule is None else f"bodydouble.{one_line(rule)}"
    return ElementTree.SubElement(suite, "testcase", {"classname": classname, "name": name, "time": _time(seconds)})


def _add_check(suite: ElementTree.Element, check: ReportCheck, found: list[ShownFinding]) -> None:
    name = one_line(f"{check.id}: {check.claim}")
    if found:
        _add_outcome(suite, check.id, name, found, check.seconds)
        return
    case = _add_case(suite, check.id, name, check.seconds)
    if check.outcome not in {"passed", "passed with remarks", "muted"}:
        message = one_line(": ".join(filter(None, (check.outcome, check.reason))))
        ElementTree.SubElement(case, "skipped", {"message": message})


def _add_outcome(
    suite: ElementTree.Element, rule: str, name: str, found: list[ShownFinding], seconds: float = 0.0
) -> None:
    """Add a test case that fails if one of its findings is an error; the worst finding comes first."""
    case = _add_case(suite, rule, name, seconds)
    worst = found[0].finding
    if worst.severity is Severity.ERROR:
        properties = {"message": plain(one_line(worst.message)), "type": one_line(worst.id)}
        element = ElementTree.SubElement(case, "failure", properties)
    else:
        element = ElementTree.SubElement(case, "system-out")
    element.text = _text(found)


def _text(found: Iterable[ShownFinding]) -> str:
    return "\n\n".join("\n".join((f"{entry.finding.severity}:", *text_lines(entry))) for entry in found)
