"""One report for every command: the model, and its renderings as text, JSON, Markdown, HTML, JUnit and GitHub annotations."""

from bodydouble_spec.report.baseline import BadBaseline, Baseline
from bodydouble_spec.report.model import Report, ReportCheck, ReportFormat, ReportPicture
from bodydouble_spec.report.places import place, words_of
from bodydouble_spec.report.rendering import render, render_annotations
from bodydouble_spec.report.text import wrapped

__all__ = [
    "BadBaseline",
    "Baseline",
    "Report",
    "ReportCheck",
    "ReportFormat",
    "ReportPicture",
    "place",
    "render",
    "render_annotations",
    "words_of",
    "wrapped",
]
