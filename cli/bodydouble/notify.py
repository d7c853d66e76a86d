"""Notifications of a report, sent through Apprise, which supports more than a hundred services.

A notification's address is a secret: it is never shown, neither in a message nor in the reason of a failure.
"""

import logging
import re
import tempfile
import warnings
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bodydouble_spec import Redactor, Report, ReportFormat, Severity, SpecError, render

from bodydouble.console import one_line

__all__ = ["BadNotification", "Message", "Services", "build_message", "load_services", "notify"]

_MAX_FINDINGS = 8
_MAX_LINE_CHARACTERS = 240
_RETRIES = 1
_TIMEOUT_S = 30.0
_ATTACHMENT = "bodydouble-drift.html"
_TYPES = {Severity.ERROR: "failure", Severity.WARNING: "warning", Severity.INFO: "info"}
# Services make a mention of these: a third party's document must not be able to mention anyone.
_MENTION = re.compile(r"@|<(?=!)")


class BadNotification(SpecError):
    """A notification address cannot be used, or Apprise is not installed; the text does not repeat the address."""


@dataclass(frozen=True, slots=True)
class Message:
    """A notification: a title of one line, a short body, and the severity of the worst finding."""

    title: str
    body: str
    severity: Severity


@dataclass(frozen=True, slots=True)
class Services:
    """The services to notify, as an ``apprise.Apprise``, and the redactor that removes their addresses from texts."""

    sender: Any
    redactor: Redactor

    def __len__(self) -> int:
        return len(self.sender)


def load_services(addresses: Iterable[str]) -> Services:
    """Load the services of some Apprise URLs.

    Raises BadNotification when Apprise is not installed, or does not support an address.
    """
    wanted = [*addresses]
    secrets = [part for address in wanted for part in re.split(r"[/?&=@:]+", address)]
    redactor = Redactor([*wanted, *(part for part in secrets if len(part) >= Redactor.shortest_key)])
    if not wanted:
        return Services((), redactor)
    apprise = _import_apprise()
    # Without threads and without a cache on disk: the command ends right after it.
    asset = apprise.AppriseAsset(
        app_id="bodydouble",
        app_desc="bodydouble drift",
        app_url="",
        async_mode=False,
        storage_mode=apprise.PersistentStoreMode.MEMORY,
        default_service_retry=_RETRIES,
        service_timeout=_TIMEOUT_S,
    )
    sender = apprise.Apprise(asset=asset)
    with _without_output():
        for number, address in enumerate(wanted, 1):
            # Not `add`, which would split an address at its commas.
            plugin = apprise.Apprise.instantiate(address, asset=asset)
            if plugin is None:
                scheme = re.match(r"[a-z]{1,12}://", address)
                raise BadNotification(
                    f"notification {number} of {len(wanted)} ({f'{scheme[0]}…' if scheme else 'not a URL'}) is not supported "
                    "by Apprise; https://github.com/caronc/apprise/wiki lists the services and the form of their addresses"
                )
            sender.add(plugin)
    return Services(sender, redactor)


def build_message(report: Report, report_url: str | None = None) -> Message:
    """Build a short message from a report: the worst eight findings, the number of others, and a link to the report."""
    findings = report.ordered()
    counts = ", ".join(f"{count} {name}{'' if count == 1 else 's'}" for name, count in report.counts().items() if count)
    lines = [_line(f"{finding.severity}: {finding.message} ({finding.id})") for finding in findings[:_MAX_FINDINGS]]
    if len(findings) > _MAX_FINDINGS:
        lines.append(f"and {len(findings) - _MAX_FINDINGS} more")
    if report_url is not None:
        lines += ["", f"Report: {report_url}"]
    severity = findings[0].severity if findings else Severity.INFO
    return Message(_line(f"{report.title}: {counts}"), "\n".join(lines), severity)


def notify(services: Services, message: Message, report: Report) -> list[str]:
    """Send a message to each service and return a text for each failure.

    A service that fails is tried once more. The report is attached as a page where a service supports attachments.
    """
    if not services:
        return []
    with tempfile.TemporaryDirectory() as folder, _without_output():
        attachment = Path(folder) / _ATTACHMENT
        attachment.write_text(render(report, ReportFormat.HTML), encoding="utf-8")
        result = services.sender.notify(
            title=message.title,
            body=message.body,
            body_format="text",
            notify_type=_TYPES[message.severity],
            attach=str(attachment),
        )
    failures = [(f"notification {number}, {item.name}", item) for number, item in enumerate(result, 1) if not item]
    if not failures and not result:
        # Apprise refused the message before it tried any service.
        failures = [(f"notification {number}", result) for number in range(1, len(services) + 1)]
    return [one_line(services.redactor.text(f"{name}: {_reason(item)}")) for name, item in failures]


def _import_apprise() -> Any:
    try:
        import apprise
    except ImportError:
        raise BadNotification("--notify needs Apprise; install it with: pip install 'bodydouble[contract]'") from None
    # As Any, because strict type checkers reject its partly untyped signatures.
    return apprise


@contextmanager
def _without_output() -> Generator[None]:
    """Keep Apprise's log messages, which may hold an address, from standard error.

    Loading its services imports ``imghdr``, for which Python 3.11 and 3.12 issue a deprecation warning that users cannot act on.
    """
    logger = logging.getLogger("apprise")
    handler, propagates = logging.NullHandler(), logger.propagate
    logger.addHandler(handler)
    logger.propagate = False
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="'imghdr' is deprecated", category=DeprecationWarning)
            yield
    finally:
        logger.removeHandler(handler)
        logger.propagate = propagates


def _reason(result: Any) -> str:
    messages = [str(entry.message) for entry in result.logs()]
    return messages[-1] if messages else f"it was not delivered ({result.status.name.lower()})"


def _line(text: str) -> str:
    return _MENTION.sub(lambda match: f"{match[0]}\u200b", one_line(text, _MAX_LINE_CHARACTERS))
