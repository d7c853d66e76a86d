"""What a test is told when it ends: what the app did wrong, and how to say that it was meant."""

from collections.abc import Sequence

from bodydouble_spec import Evidence, Finding, Report, Severity, render

from bodydouble._fixture_marker import MarkerOptions

__all__ = ["real_host_findings", "verdict"]


def real_host_findings(called: Sequence[str]) -> list[Finding]:
    """A finding for each host of the real service that was called."""
    return [
        Finding(
            "real-host-called",
            Severity.ERROR,
            Evidence.OBSERVED,
            "",
            f"the app called the real {host}, {called.count(host)} times; nothing was sent",
            operation=host,
        )
        for host in dict.fromkeys(called)
    ]


def verdict(
    requests: Sequence[Finding], unused: Sequence[Finding], real_host: Sequence[Finding], options: MarkerOptions
) -> str | None:
    """The text to fail a test with, or None; only errors count, and only what ``options`` do not allow."""
    sections = [
        ("the app sent requests that break the contract", requests, "allow_invalid", options.allow_invalid),
        ("scripted answers were never used", unused, "allow_unused", options.allow_unused),
        ("the app called the real service", real_host, "allow_real_host", options.allow_real_host),
    ]
    failed = [
        (reason, findings, argument)
        for reason, findings, argument, is_allowed in sections
        if not is_allowed and any(finding.severity is Severity.ERROR for finding in findings)
    ]
    if not failed:
        return None
    title = f"bodydouble: {'; '.join(reason for reason, _, _ in failed)}"
    report = render(Report(title, tuple(finding for _, findings, _ in failed for finding in findings)))
    arguments = ", ".join(f"{argument}=True" for _, _, argument in failed)
    return f"{report}\nIf the test means it: @pytest.mark.bodydouble({arguments})"
