"""The failure text of a test: the app's errors, and the marker that allows them."""

from collections.abc import Sequence

from bodydouble_spec import Evidence, Finding, Report, Severity, render

from bodydouble._fixture_marker import MarkerOptions

__all__ = ["real_host_findings", "verdict"]


def real_host_findings(called_hosts: Sequence[str]) -> list[Finding]:
    """Return a finding for each host of the real service that was called."""
    return [
        Finding(
            "real-host-called",
            Severity.ERROR,
            Evidence.OBSERVED,
            "",
            f"the app called the real {host} {_times(called_hosts.count(host))}; nothing was sent",
            operation=host,
        )
        for host in dict.fromkeys(called_hosts)
    ]


def verdict(
    requests: Sequence[Finding], unused: Sequence[Finding], real_host: Sequence[Finding], options: MarkerOptions
) -> str | None:
    """Return the text to fail a test with, or None. Only errors count, and only those that ``options`` do not allow."""
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


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
