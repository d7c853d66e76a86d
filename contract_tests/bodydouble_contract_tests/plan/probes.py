"""Requests whose credentials, bytes, media type, method or headers are under test, not their values."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from bodydouble_spec import BEARER, Evidence, is_object

from bodydouble_contract_tests.model import Case, Check, Credential, ExpectedOutcome, OperationProfile, RequestForm
from bodydouble_contract_tests.plan.space import Row

__all__ = ["credential_cases", "credential_cases_after", "form_cases", "probes"]

_NO_KEY = (Credential.NONE, Credential.EMPTY)
# The key itself is in these: a server that takes it could charge for the call.
_BEFORE = tuple(credential for credential in Credential if not credential.holds_key)
_WITH_KEY = (Credential.BASIC, Credential.OTHER_SCHEME, Credential.BARE, Credential.OTHER_HEADER)
_AFTER = (*_NO_KEY, Credential.WRONG, Credential.UNISSUED)


def credential_cases(
    profile: OperationProfile, checks: Mapping[str, Check], row: Row, *, is_billed: bool
) -> list[Case]:
    """Return the request without a key and with wrong ones, where the operation needs a key.

    Those that hold the key where it does not belong are left out where calls cost money.
    """
    credentials = _BEFORE if is_billed else (*_BEFORE, *_WITH_KEY)
    fitting = _fitting(profile, credentials)
    return [case for one in fitting for case in _credential_case(checks, row, one, "credential")]


def credential_cases_after(profile: OperationProfile, checks: Mapping[str, Check], row: Row) -> list[Case]:
    """Return credentials that must be refused after a success too."""
    fitting = _fitting(profile, _AFTER)
    return [case for one in fitting for case in _credential_case(checks, row, one, "after-success")]


def _fitting(profile: OperationProfile, credentials: Iterable[Credential]) -> list[Credential]:
    """Return the credentials that make sense for the operation: other schemes and places are wrong only where a bearer key alone is right."""
    is_bearer = profile.operation.security.alternatives == BEARER.alternatives
    of_bearer = {Credential.EMPTY, *_WITH_KEY}
    return [credential for credential in credentials if is_bearer or credential not in of_bearer]


def _credential_case(checks: Mapping[str, Check], row: Row, credential: Credential, prefix: str) -> Iterator[Case]:
    check = checks.get("no-key-refused" if credential in _NO_KEY else "wrong-key-refused")
    if check is not None:
        name = _NAMES.get(credential, credential.value)
        expected = ExpectedOutcome.UNAUTHORIZED
        yield Case(f"{prefix}/{name}", check.id, row.value, expected, check.evidence, row.images, credential=credential)


_NAMES = {Credential.NONE: "no-key", Credential.WRONG: "wrong-key", Credential.EMPTY: "empty-key"}


def probes(profile: OperationProfile, checks: Mapping[str, Check], row: Row, *, is_billed: bool) -> list[Case]:
    """Return the calls that must be refused, or cost nothing, whatever their values are."""
    cases = credential_cases(profile, checks, row, is_billed=is_billed)
    if profile.operation.request is not None:
        cases += _malformed(profile, checks, row, is_billed=is_billed)
    cases += _methods(profile, checks, row, is_billed=is_billed)
    return [*cases, *_preflight(profile, checks)]


def _malformed(profile: OperationProfile, checks: Mapping[str, Check], row: Row, *, is_billed: bool) -> Iterator[Case]:
    """Yield bodies that are not JSON; parsers may extend JSON (RFC 8259), so what some of them take has less evidence."""
    check = checks.get("malformed-refused")
    if check is None or not is_object(row.value):
        return
    text = json.dumps(row.value)
    fields = [(name, value if isinstance(value, str) else json.dumps(value)) for name, value in row.value.items()]
    form = "&".join(f"{name}={value[:40]}" for name, value in fields).replace(" ", "+")
    edge = "bodydouble-7d1"
    parts = "".join(
        f'--{edge}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in fields
    )
    multipart = f"{parts}--{edge}--\r\n"
    documented, inferred = Evidence.DOCUMENTED, Evidence.INFERRED
    count = profile.names.count
    not_a_number = (
        None if count is None else json.dumps({**row.value, count: 0}).replace(f'"{count}": 0', f'"{count}": NaN')
    )
    bodies: list[tuple[str, str | None, Evidence]] = [
        # A body that is optional is not missed, and no fields are no body.
        ("empty", "" if profile.operation.request_required else None, documented),
        ("words", "Paint the door red.", documented),
        ("without-its-end", text[:-1], documented),
        ("first-half", text[: len(text) // 2], documented),
        ("form-as-json", form or None, documented),
        ("multipart-as-json", multipart, documented),
        ("twice", f"{text} {text}", inferred),
        ("comma-at-the-end", f"{text[:-1]},}}", inferred),
        ("single-quotes", text.replace("'", " ").replace('"', "'") if '"' in text else None, inferred),
        ("not-a-number", not_a_number, inferred),
    ]
    if not is_billed and fields:
        # What parsers of JSON5, YAML and Python take.
        bodies += [
            ("comment", f"/* a comment */ {text}", inferred),
            ("comment-to-the-end-of-a-line", f"{text[:-1]} // a comment\n}}", inferred),
            ("word-of-python", f'{text[:-1]}, "seed": None}}', inferred),
            ("line-break-in-a-text", f'{text[:-1]}, "note": "two\nlines"}}', inferred),
        ]
    for name, body, evidence in bodies:
        if body is not None:
            kept = RequestForm(body.encode(), headers=() if body else (("content-type", "application/json"),))
            yield _of_form(f"malformed/{name}", check.id, row, kept, evidence=evidence)
    if not is_billed and fields:
        either = frozenset({profile.refusal_status, 415})
        for name, body, media_type in (
            ("form", form, "application/x-www-form-urlencoded"),
            ("multipart", multipart, f"multipart/form-data; boundary={edge}"),
        ):
            kept = RequestForm(body.encode(), media_type)
            yield _of_form(f"malformed/{name}", check.id, row, kept, evidence=Evidence.ASSUMED, statuses=either)


def _of_form(
    name: str,
    check: str,
    row: Row,
    form: RequestForm,
    *,
    expectation: ExpectedOutcome = ExpectedOutcome.REFUSED,
    evidence: Evidence = Evidence.DOCUMENTED,
    statuses: frozenset[int] = frozenset(),
) -> Case:
    return Case(name, check, row.value, expectation, evidence, row.images, form=form, statuses=statuses)


def _methods(profile: OperationProfile, checks: Mapping[str, Check], row: Row, *, is_billed: bool) -> Iterator[Case]:
    """Yield calls with methods that the contract does not have at this path."""
    check = checks.get("method-refused")
    statuses = frozenset({400, 404, 405})
    tried = ("GET",) if is_billed else ("GET", "HEAD", "PUT", "PATCH", "DELETE")
    # HEAD belongs to every GET (RFC 9110, section 9.3.2).
    known = {*profile.methods, *(("HEAD",) if "GET" in profile.methods else ())}
    for method in () if check is None else (one for one in tried if one not in known):
        content = b"" if method in {"GET", "HEAD", "DELETE"} else None
        form = RequestForm(content, method=method)
        yield _of_form(f"method/{method}", "method-refused", row, form, evidence=Evidence.INFERRED, statuses=statuses)


def _preflight(profile: OperationProfile, checks: Mapping[str, Check]) -> Iterator[Case]:
    check = checks.get("cors-preflight")
    if check is not None:
        asked = ", ".join(profile.cors_allowed or ())
        headers = (
            ("access-control-request-method", profile.operation.method),
            ("access-control-request-headers", asked),
        )
        form = RequestForm(b"", method="OPTIONS", headers=headers)
        survived, none = ExpectedOutcome.SURVIVED, Credential.NONE
        yield Case("preflight", check.id, None, survived, check.evidence, 0, credential=none, form=form)


def form_cases(profile: OperationProfile, checks: Mapping[str, Check], row: Row) -> list[Case]:
    """Return valid requests in unusual forms, and odd ones that a server only has to survive; they cost as much as any other."""
    if profile.operation.request is None or not is_object(row.value):
        return []
    return [*_valid_forms(profile, row), *_odd_forms(profile, checks, row), *_client_ids(checks, row)]


def _valid_forms(profile: OperationProfile, row: Row) -> Iterator[Case]:
    body = row.value
    compact = json.dumps(body, separators=(",", ":"))
    count, media_type = profile.names.count, profile.operation.json_media_type
    forms = {
        "several-lines": RequestForm(json.dumps(body, indent=2).replace("\n", "\r\n").encode()),
        "white-space-around": RequestForm(f"\n\t {compact} \r\n".encode()),
        "escapes": RequestForm(_escaped(body).encode()),
        "other-order": RequestForm(json.dumps(dict(reversed(body.items()))).encode()),
        "charset": RequestForm(media_type=f"{media_type}; charset=utf-8"),
        "media-type-capitals": RequestForm(media_type=media_type.title()),
        "chunked": RequestForm(is_chunked=True),
    }
    if count is not None and not profile.operation.validate_request({**body, count: 1}):
        forms["decimal"] = RequestForm(json.dumps({**body, count: 1.0}).encode())
    accepted = ExpectedOutcome.ACCEPTED
    for name, form in forms.items():
        yield _of_form(f"form/{name}", "valid-accepted", row, form, expectation=accepted)
    if profile.operation.security.alternatives == BEARER.alternatives:
        small = _of_form(
            "form/scheme-in-small-letters",
            "valid-accepted",
            row,
            RequestForm(),
            expectation=accepted,
            evidence=Evidence.INFERRED,
        )
        yield replace(small, credential=Credential.SMALL_SCHEME)


def _escaped(body: dict[str, Any]) -> str:
    """Return the body with every letter of short texts as a JSON escape, which is the same value."""

    def text(value: str) -> str:
        return (
            '"'
            + "".join(
                f"\\u{ord(one):04x}" if one.isascii() and one.isalpha() else json.dumps(one)[1:-1] for one in value
            )
            + '"'
        )

    parts = [
        f"{json.dumps(name)}:{text(value) if isinstance(value, str) else json.dumps(value)}"
        for name, value in body.items()
    ]
    return "{" + ",".join(parts) + "}"


_DEEP = 150
_LONG_NUMBER = "9" * 400


def _odd_forms(profile: OperationProfile, checks: Mapping[str, Check], row: Row) -> Iterator[Case]:
    check = checks.get("odd-request-survived")
    if check is None:
        return
    text = json.dumps(row.value)
    prompt = profile.names.prompt
    forms = {
        "deep": RequestForm(f'{text[:-1]}, "deep": {"[" * _DEEP}{"]" * _DEEP}}}'.encode()),
        "long-number": RequestForm(f'{text[:-1]}, "seed": {_LONG_NUMBER}}}'.encode()),
        "byte-order-mark": RequestForm(b"\xef\xbb\xbf" + text.encode()),
        "utf-16": RequestForm(text.encode("utf-16")),
        "no-media-type": RequestForm(media_type=None),
        "as-text": RequestForm(media_type="text/plain"),
        "charset-of-latin": RequestForm(media_type="application/json; charset=iso-8859-1"),
    }
    if prompt is not None:
        forms["key-twice"] = RequestForm(f'{text[:-1]}, {json.dumps(prompt)}: "Paint it blue."}}'.encode())
        latin = json.dumps({**row.value, prompt: "caf\u00e9"}, ensure_ascii=False)
        forms["latin-1"] = RequestForm(latin.encode("latin-1"))
        forms["half-a-surrogate-pair"] = RequestForm(json.dumps({**row.value, prompt: "door \ud83d"}).encode())
    for name, form in forms.items():
        yield _of_form(
            f"odd-form/{name}", check.id, row, form, expectation=ExpectedOutcome.SURVIVED, evidence=check.evidence
        )


def _client_ids(checks: Mapping[str, Check], row: Row) -> Iterator[Case]:
    check = checks.get("client-id-dropped")
    if check is None:
        return
    accepted = ExpectedOutcome.ACCEPTED
    longest = _client_id("Aa0._:-" * 19)
    yield _of_form("client-id/longest", "client-id-echoed", row, longest, expectation=accepted)
    for name, text in {"too-long": "a" * 129, "with-a-blank": "two words", "with-other-characters": "a/b@c#d"}.items():
        yield _of_form(
            f"client-id/{name}", check.id, row, _client_id(text), expectation=accepted, evidence=check.evidence
        )


def _client_id(text: str) -> RequestForm:
    return RequestForm(headers=(("x-client-request-id", text if len(text) == 129 else text[:128]),))
