"""The report as GitHub Actions workflow commands: each finding becomes an annotation of the run."""

from bodydouble_spec._finding import Finding, Severity
from bodydouble_spec._report import Report
from bodydouble_spec._report_parts import one_line, place, summary, text_lines

__all__ = ["render_github"]

_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}


def render_github(report: Report) -> str:
    """Render the title, one command a finding, and the summary, each in one line; without the facts.

    Commands and their escapes follow the runner (github.com/actions/toolkit, ``command.ts``).
    """
    return "\n".join((one_line(report.title), *map(_command, report.ordered()), summary(report))) + "\n"


def _command(finding: Finding) -> str:
    title = f"{one_line(finding.id)} ({finding.evidence})"
    message = "\n".join((place(finding), *text_lines(finding)))
    return f"::{_COMMANDS[finding.severity]} title={_property(title)}::{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
