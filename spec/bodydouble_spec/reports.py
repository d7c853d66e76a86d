"""Reports with findings, passed checks and pictures."""

from bodydouble_spec._report import Report, ReportCheck, ReportFormat, ReportPicture, render

__all__ = ["Report", "ReportCheck", "ReportFormat", "ReportPicture", "render"]
