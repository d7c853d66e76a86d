"""Notifications to a receiver on loopback, and addresses that are never shown."""

import base64
import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from bodydouble.notify import BadNotification, build_message, load_services, notify
from bodydouble_spec import Evidence, Finding, Report, Severity
from bodydouble_spec.text import visible
from hypothesis import given, settings
from hypothesis import strategies as st

from spec.tests.servers import Quiet, serve_http

SECRET = "s3cr3t-t0ken-0123456789"
FINDING = Finding(
    "property-renamed", Severity.ERROR, Evidence.DOCUMENTED, "/a", "tokens_used is now called credits_used"
)
REPORT = Report("drift", (FINDING,))


class Receiver(ThreadingHTTPServer):
    """A receiver that first fails as many times as the path says (``/fail/1/…``)."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.received: list[dict[str, Any]] = []
        self.attempts: list[str] = []

    def url(self, path: str = "") -> str:
        return f"json://127.0.0.1:{self.server_port}/{path}"


class Handler(Quiet, BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        receiver = self.server
        assert isinstance(receiver, Receiver)
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        receiver.attempts.append(self.path)
        parts = self.path.strip("/").split("/")
        is_refused = parts[0] == "fail" and receiver.attempts.count(self.path) <= int(parts[1])
        if not is_refused:
            receiver.received.append(body)
        self.send_response(500 if is_refused else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    running = Receiver()
    with serve_http(running):
        yield running


def send(report: Report, *addresses: str) -> list[str]:
    return notify(load_services(addresses), build_message(report), report)


def test_a_receiver_gets_title_text_and_type(receiver: Receiver) -> None:
    assert send(REPORT, receiver.url()) == []
    (got,) = receiver.received
    assert (got["title"], got["message"], got["type"]) == (
        "drift: 1 error",
        "error: tokens_used is now called credits_used (property-renamed)",
        "failure",
    )


def test_the_report_is_attached_when_a_service_supports_attachments(receiver: Receiver) -> None:
    send(REPORT, receiver.url())
    (attachment,) = receiver.received[0]["attachments"]
    assert attachment["filename"] == "bodydouble-drift.html"
    assert b"tokens_used is now called credits_used" in base64.b64decode(attachment["base64"])


def test_a_notification_that_fails_is_retried_once(receiver: Receiver) -> None:
    assert send(REPORT, receiver.url("fail/1/x")) == []
    assert len(receiver.attempts) == 2


def test_a_notification_that_fails_twice_is_reported_without_its_address(receiver: Receiver) -> None:
    (failure,) = send(REPORT, receiver.url(f"fail/9/{SECRET}"))
    assert failure.startswith("notification 1, JSON: ")
    assert "500" in failure
    assert SECRET not in failure
    assert len(receiver.attempts) == 2


def test_one_that_fails_does_not_keep_the_others_from_being_sent(receiver: Receiver) -> None:
    failures = send(REPORT, receiver.url("fail/9/x"), receiver.url())
    assert (len(failures), len(receiver.received)) == (1, 1)


@pytest.mark.parametrize(
    "address", [f"nope://{SECRET}", SECRET, f"http://example.org/{SECRET}", f"json://[{SECRET}", ""]
)
def test_an_unsupported_address_is_refused_and_not_shown(address: str) -> None:
    with pytest.raises(BadNotification, match=r"notification 2 of 2 .* is not supported by Apprise") as caught:
        load_services(["json://127.0.0.1/", address])
    assert SECRET not in str(caught.value)


def test_without_apprise_the_error_names_the_package_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)
    with pytest.raises(BadNotification, match=r"pip install 'bodydouble\[contract\]'"):
        load_services(["json://127.0.0.1/"])


def test_without_addresses_apprise_is_not_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)
    assert len(load_services([])) == 0


def test_no_part_of_an_address_is_printed_or_logged(
    receiver: Receiver, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    send(REPORT, receiver.url(f"fail/9/{SECRET}"))
    assert (capfd.readouterr(), caplog.text) == (("", ""), "")


def test_the_worst_comes_first_and_the_rest_is_counted() -> None:
    infos = tuple(replace(FINDING, pointer=f"/{number}", severity=Severity.INFO) for number in range(20))
    message = build_message(Report("drift", (*infos, FINDING)), "https://ci.example.org/1")
    lines = message.body.splitlines()
    assert (lines[0][:6], lines[8:], message.severity) == (
        "error:",
        ["and 13 more", "", "Report: https://ci.example.org/1"],
        Severity.ERROR,
    )


@settings(max_examples=60, deadline=None)
@given(st.text(st.characters() | st.sampled_from("@<!\n\x1b\u202e"), max_size=700))
def test_any_message_is_one_short_line_without_mentions(text: str) -> None:
    message = build_message(Report("drift", (replace(FINDING, message=text),)))
    assert len(message.body.splitlines()) == 1
    assert len(message.body) < 1_000
    assert "@" not in message.body.replace("@\u200b", "")
    assert "<!" not in message.body
    shown = message.body.replace("\u200b", "")
    assert visible(shown) == shown
