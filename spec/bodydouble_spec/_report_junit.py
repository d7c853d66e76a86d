"""The report as JUnit XML, which Jenkins, GitLab and most CI viewers show."""

from collections import Counter
from xml.etree import ElementTree

from bodydouble_spec._finding import Finding, Severity
from bodydouble_spec._report import Report
from bodydouble_spec._report_parts import fact_items, fact_text, one_line, place, plain_lines, summary

__all__ = ["render_junit"]


def render_junit(report: Report) -> str:
    """One suite with one test case a finding; facts become the suite's properties.

    An error is a failed test. A warning or an info is a passed test with its text in ``system-out`` and its severity
    at the start of its name: ``skipped`` would say that something was not examined, and some pipelines fail on it.
    Without findings there is one passed test, as Jenkins fails a build whose report is empty.
    """
    findings = report.ordered()
    totals = {"tests": str(max(len(findings), 1)), "failures": str(report.counts()[Severity.ERROR]), "errors": "0"}
    root = ElementTree.Element("testsuites", {"name": "bodydouble", **totals, "time": "0"})
    suite = ElementTree.SubElement(
        root, "testsuite", {"name": one_line(report.title), **totals, "skipped": "0", "time": "0"}
    )
    if report.facts:
        _add_properties(suite, report)
    # Viewers tell tests apart by name: a second finding of the same rule at the same place gets a number.
    seen: Counter[str] = Counter()
    for finding in findings:
        name = f"{finding.severity}: {one_line(finding.id)} at {place(finding)}"
        seen[name] += 1
        _add_case(suite, finding, name if seen[name] == 1 else f"{name} ({seen[name]})")
    if not findings:
        ElementTree.SubElement(suite, "testcase", {"classname": "bodydouble", "name": summary(report), "time": "0"})
    ElementTree.indent(root)
    body = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{body}\n'


def _add_properties(suite: ElementTree.Element, report: Report) -> None:
    properties = ElementTree.SubElement(suite, "properties")
    for label, value in report.facts.items():
        items = fact_items(value)
        text = fact_text(value) if items is None else ", ".join(items)
        ElementTree.SubElement(properties, "property", {"name": one_line(label), "value": text})


def _add_case(suite: ElementTree.Element, finding: Finding, name: str) -> None:
    rule = one_line(finding.id)
    attributes = {"classname": f"bodydouble.{rule}", "name": name, "time": "0"}
    case = ElementTree.SubElement(suite, "testcase", attributes)
    if finding.severity is Severity.ERROR:
        outcome = ElementTree.SubElement(case, "failure", {"message": one_line(finding.message), "type": rule})
    else:
        outcome = ElementTree.SubElement(case, "system-out")
    outcome.text = "\n".join((f"{finding.severity} ({finding.evidence}) at {place(finding)}", *plain_lines(finding)))
