"""Reports with all that they can hold: findings, what passed, and pictures."""

from bodydouble_spec._report import Report, ReportCheck, ReportFormat, ReportPicture, render

__all__ = ["Report", "ReportCheck", "ReportFormat", "ReportPicture", "render"]
