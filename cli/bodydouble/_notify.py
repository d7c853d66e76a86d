"""Notifications of what is new, through Apprise, which speaks to more than a hundred services.

A notification's address is a secret: it is never shown again, neither in a message nor in the reason for a failure.
"""

import re
import tempfile
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bodydouble_spec import Redactor, Report, ReportFormat, Severity, SpecError, render

from bodydouble._text import one_line

__all__ = ["BadNotification", "Message", "Service", "message_of", "notify", "services_of"]

_MOST_FINDINGS = 8
_LONGEST_LINE = 240
_RETRIES = 1
_TIMEOUT_S = 30.0
_ATTACHMENT = "bodydouble-drift.html"
# Services make a mention of these: what a stranger's document says must not call anyone.
_MENTION = re.compile(r"@|<(?=!)")


class BadNotification(SpecError):
    """A notification address is not usable, or Apprise is not installed; the text does not repeat the address."""


@dataclass(frozen=True, slots=True)
class Message:
    """A notification: ``title`` in one line, ``body`` in a few, ``severity`` the worst of what it tells."""

    title: str
    body: str
    severity: Severity


@dataclass(frozen=True, slots=True)
class Service:
    """One place that is notified. ``name`` can be shown ("notification 2, Slack"), ``redactor`` takes its address out of texts."""

    name: str
    plugin: Any
    redactor: Redactor


def services_of(addresses: Iterable[str]) -> tuple[Service, ...]:
    """The services behind Apprise URLs. Raises BadNotification when Apprise is missing or does not understand one of them."""
    wanted = [*addresses]
    if not wanted:
        return ()
    apprise = _apprise()
    asset = _asset(apprise)
    services: list[Service] = []
    with _quiet():
        for number, address in enumerate(wanted, 1):
            plugin = apprise.Apprise.instantiate(address, asset=asset)
            if plugin is None:
                scheme = re.match(r"[a-z]{1,12}://", address)
                shown = f"{scheme[0]}…" if scheme else "no URL"
                raise BadNotification(
                    f"notification {number} of {len(wanted)} ({shown}) is not understood by Apprise; "
                    "its documentation (https://github.com/caronc/apprise/wiki) has the form of each service's address"
                )
            secrets = [part for part in re.split(r"[/?&=@:]+", address) if len(part) >= Redactor.shortest_key]
            name = f"notification {number}, {one_line(str(plugin.service_name))}"
            services.append(Service(name, plugin, Redactor([address, *secrets])))
    return tuple(services)


def message_of(report: Report, report_url: str | None = None) -> Message:
    """What a report comes to in a short message: the worst first, at most eight findings, and where the whole report is."""
    findings = report.ordered()
    counts = ", ".join(f"{count} {name}{'' if count == 1 else 's'}" for name, count in report.counts().items() if count)
    lines = [_line(f"{finding.severity}: {finding.message} ({finding.id})") for finding in findings[:_MOST_FINDINGS]]
    if len(findings) > _MOST_FINDINGS:
        lines.append(f"and {len(findings) - _MOST_FINDINGS} more")
    if report_url is not None:
        lines += ["", f"Report: {report_url}"]
    return Message(
        _line(f"{report.title}: {counts}"), "\n".join(lines), findings[0].severity if findings else Severity.INFO
    )


def notify(services: Sequence[Service], message: Message, report: Report) -> list[str]:
    """Notify each service, once more if it fails; why those failed that did, in words. The report is attached where a service takes files."""
    if not services:
        return []
    apprise = _apprise()
    kinds = {
        Severity.ERROR: apprise.NotifyType.FAILURE,
        Severity.WARNING: apprise.NotifyType.WARNING,
        Severity.INFO: apprise.NotifyType.INFO,
    }
    failures: list[str] = []
    with tempfile.TemporaryDirectory() as folder, _quiet():
        attachment = Path(folder) / _ATTACHMENT
        attachment.write_text(render(report, ReportFormat.HTML), encoding="utf-8")
        for service in services:
            courier = apprise.Apprise(asset=_asset(apprise))
            courier.add(service.plugin)
            try:
                result = courier.notify(
                    body=message.body,
                    title=message.title,
                    notify_type=kinds[message.severity],
                    body_format=apprise.NotifyFormat.TEXT,
                    attach=str(attachment) if service.plugin.attachment_support else None,
                )
            except Exception as error:  # noqa: BLE001 - a hundred plugins of others: none may hide the finding
                failures.append(f"{service.name}: {_plain(str(error) or type(error).__name__, service)}")
                continue
            if not result:
                failures.append(f"{service.name}: {_plain(_reason(result), service)}")
    return failures


def _apprise() -> Any:
    try:
        import apprise
    except ImportError:
        raise BadNotification("--notify needs Apprise; install it with: pip install 'bodydouble[contract]'") from None
    # Its signatures leave much unsaid, which strict checkers object to at each call.
    return apprise


def _asset(apprise: Any) -> Any:
    # One after the other, with nothing kept on disk: the command ends right afterwards.
    return apprise.AppriseAsset(
        app_id="bodydouble",
        app_desc="bodydouble drift",
        app_url="",
        async_mode=False,
        storage_mode=apprise.PersistentStoreMode.MEMORY,
        default_service_retry=_RETRIES,
        service_timeout=_TIMEOUT_S,
    )


def _quiet() -> ExitStack:
    """Keeps what Apprise logs from standard error, where Python would print it, and with it an address.

    Loading its services imports ``imghdr``, which Python 3.11 and 3.12 warn of: that is nothing the reader of an alarm can change.
    """
    import logging
    import warnings

    stack = ExitStack()
    stack.enter_context(warnings.catch_warnings())
    warnings.filterwarnings("ignore", message="'imghdr' is deprecated", category=DeprecationWarning)
    logger = logging.getLogger("apprise")
    handler = logging.NullHandler()
    logger.addHandler(handler)
    stack.callback(logger.removeHandler, handler)
    propagated, logger.propagate = logger.propagate, False
    stack.callback(setattr, logger, "propagate", propagated)
    return stack


def _reason(result: Any) -> str:
    said = [str(entry.message) for entry in result.logs()]
    return said[-1] if said else f"it was not delivered ({result.status.name.lower()})"


def _plain(text: str, service: Service) -> str:
    return one_line(service.redactor.text(text))


def _line(text: str) -> str:
    line = one_line(text)
    line = line if len(line) <= _LONGEST_LINE else f"{line[:_LONGEST_LINE]}…"
    return _MENTION.sub(lambda match: f"{match[0]}\u200b", line)
