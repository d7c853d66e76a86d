"""The report as JUnit XML, for Jenkins, GitLab and most CI viewers."""

from collections import Counter
from xml.etree import ElementTree

from bodydouble_spec.finding import Finding, Severity
from bodydouble_spec.report.layout import fact_items, fact_text, one_line, place, summary, text_lines
from bodydouble_spec.report.model import Report, ReportCheck

__all__ = ["render_junit"]


def render_junit(report: Report) -> str:
    """Render one suite with one test case a check, and one for each finding without a check; facts become properties.

    An error is a failed test. A warning or an info is a passed test with its text in ``system-out`` and its severity at
    the start of its name: ``skipped`` would claim that something was not examined, and some pipelines fail on it.
    Without findings there is one passed test, because Jenkins fails a build with an empty report.
    """
    of_checks = {check: [item for item in report.ordered() if check.has(item)] for check in report.checks}
    known = {id(item) for found in of_checks.values() for item in found}
    findings = [item for item in report.ordered() if id(item) not in known]
    root = ElementTree.Element("testsuites", {"name": "bodydouble"})
    suite = ElementTree.SubElement(root, "testsuite", {"name": one_line(report.title)})
    if report.facts:
        _add_properties(suite, report)
    for check, found in of_checks.items():
        _add_check(suite, check, found)
    # Viewers identify tests by name: a second finding of one rule at one place gets a number.
    seen: Counter[str] = Counter()
    for finding in findings:
        name = f"{finding.severity}: {one_line(finding.id)} at {place(finding)}"
        seen[name] += 1
        _add_outcome(suite, finding.id, name if seen[name] == 1 else f"{name} ({seen[name]})", [finding])
    if not findings and not report.checks:
        ElementTree.SubElement(suite, "testcase", {"classname": "bodydouble", "name": summary(report), "time": "0"})
    counted = {"tests": "testcase", "failures": "testcase/failure", "errors": "testcase/error"}
    totals = {name: str(len(suite.findall(path))) for name, path in counted.items()}
    root.attrib.update({**totals, "time": "0"})
    suite.attrib.update({**totals, "skipped": str(len(suite.findall("testcase/skipped"))), "time": "0"})
    ElementTree.indent(root)
    body = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{body}\n'


def _add_properties(suite: ElementTree.Element, report: Report) -> None:
    properties = ElementTree.SubElement(suite, "properties")
    for label, value in report.facts.items():
        items = fact_items(value)
        text = fact_text(value) if items is None else ", ".join(items)
        ElementTree.SubElement(properties, "property", {"name": one_line(label), "value": text})


def _add_check(suite: ElementTree.Element, check: ReportCheck, findings: list[Finding]) -> None:
    name = one_line(f"{check.id}: {check.claim}")
    if findings:
        _add_outcome(suite, check.id, name, findings)
        return
    case = ElementTree.SubElement(
        suite, "testcase", {"classname": f"bodydouble.{one_line(check.id)}", "name": name, "time": "0"}
    )
    if check.outcome not in {"passed", "passed with remarks", "muted"}:
        message = one_line(": ".join(filter(None, (check.outcome, check.reason))))
        ElementTree.SubElement(case, "skipped", {"message": message})


def _add_outcome(suite: ElementTree.Element, rule: str, name: str, findings: list[Finding]) -> None:
    """Add a test case that fails if one of its findings is an error; the worst finding comes first."""
    attributes = {"classname": f"bodydouble.{one_line(rule)}", "name": name, "time": "0"}
    case = ElementTree.SubElement(suite, "testcase", attributes)
    worst = findings[0]
    if worst.severity is Severity.ERROR:
        properties = {"message": one_line(worst.message), "type": one_line(worst.id)}
        element = ElementTree.SubElement(case, "failure", properties)
    else:
        element = ElementTree.SubElement(case, "system-out")
    element.text = "\n\n".join(map(_text, findings))


def _text(finding: Finding) -> str:
    return "\n".join((f"{finding.severity} ({finding.evidence}) at {place(finding)}", *text_lines(finding)))
