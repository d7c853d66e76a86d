"""One operation of the contract, answered: checks in the vendor's order, then a body that conforms.

A raw ASGI callable, dispatched ahead of the router: at this speed Starlette's Request and Response would be most of the time.
"""

import base64
import hashlib
import re
from collections.abc import Callable, Mapping
from typing import Any

import orjson
from bodydouble_spec import Evidence, Finding, Operation, Severity, is_object

from bodydouble_mockserver._body import BodyProblem, duplicate_keys, parse_json, read_body
from bodydouble_mockserver._gallery import Gallery
from bodydouble_mockserver._imaging import Edit, Imaging, PictureLink
from bodydouble_mockserver._issues import zod_issues
from bodydouble_mockserver._keys import bearer_key, refuse_key
from bodydouble_mockserver._problem import problem
from bodydouble_mockserver._settings import Images, Settings
from bodydouble_mockserver._wire import Answer, Headers, Receive, Scope

__all__ = ["OperationEndpoint"]

_JSON = b"application/json; charset=utf-8"
_CLIENT_REQUEST_ID = re.compile(rb"[A-Za-z0-9._:-]{1,128}")
# What may stand in a Host header; anything else is not echoed into URLs.
_HOST = re.compile(rb"[A-Za-z0-9.:_\[\]-]{1,255}")


class OperationEndpoint:
    """Answers one operation; ``await endpoint.answer(scope, receive)`` decides, and touches no socket but for reading the body."""

    def __init__(
        self, operation: Operation, imaging: Imaging, settings: Settings, gallery: Gallery, new_id: Callable[[], str]
    ) -> None:
        self._operation = operation
        self._imaging = imaging
        self._settings = settings
        self._gallery = gallery
        self._new_id = new_id
        self._salt = b"" if settings.seed is None else b"%d:" % settings.seed
        self._status = operation.success_status

    async def answer(self, scope: Scope, receive: Receive) -> Answer:
        """The answer to one request, in the order route, size, auth, content type, JSON, contract.

        Raises Disconnected when the client goes away while sending.
        """
        headers = dict(scope["headers"])
        request_id = self._new_id()
        body = await read_body(scope, receive, self._settings.max_body_bytes)
        if isinstance(body, BodyProblem):
            answer = self._refuse(scope, request_id, body.status, message=body.message)
            answer.headers.append((b"connection", b"close"))
        else:
            answer = await self._checked(scope, headers, body, request_id)
        client_id = headers.get(b"x-client-request-id")
        if client_id is not None and _CLIENT_REQUEST_ID.fullmatch(client_id):
            answer.headers.append((b"x-client-request-id", client_id))
        return answer

    async def _checked(self, scope: Scope, headers: Mapping[bytes, bytes], body: bytes, request_id: str) -> Answer:
        if self._operation.is_authenticated:
            refusal = refuse_key(self._settings, bearer_key(headers.get(b"authorization", b"")))
            if refusal is not None:
                return self._refuse(scope, request_id, 401, message=refusal)
        validator = self._operation.request
        parsed: Any = {}
        findings: list[Finding] = []
        if validator is not None and (body or self._operation.request_required):
            parsed = parse_json(body, headers.get(b"content-type", b""))
            if isinstance(parsed, BodyProblem):
                issue: dict[str, Any] = {"code": "custom", "path": [], "message": parsed.message}
                return self._refuse(
                    scope,
                    request_id,
                    parsed.status,
                    data=[issue],
                    findings=[self._finding("request-not-json", parsed.message)],
                )
            if not validator.is_valid(parsed):
                findings = validator.findings(parsed)
                return self._refuse(
                    scope, request_id, 400, data=zod_issues(findings, validator.schema), findings=findings
                )
            findings = [
                self._finding(
                    "request-duplicate-key", f"the key {key!r} stands twice; the last one won", Severity.WARNING
                )
                for key in (duplicate_keys(body, parsed) if is_object(parsed) else ())
            ]
        return await self._succeed(scope, headers, parsed, request_id, findings)

    async def _succeed(
        self, scope: Scope, headers: Mapping[bytes, bytes], parsed: Any, request_id: str, findings: list[Finding]
    ) -> Answer:
        # Sorted, so that the same request is the same picture however its keys were ordered.
        digest = hashlib.sha256(self._salt + orjson.dumps(parsed, option=orjson.OPT_SORT_KEYS)).hexdigest()
        edit = self._imaging.read(parsed if is_object(parsed) else {})
        cost = self._imaging.cost(edit.count)
        links = await self._links(scope, headers, digest, edit) if self._imaging.is_imaging else [PictureLink("", "")]
        body = orjson.dumps(self._imaging.write(links, cost, int(digest[-8:], 16)))
        own: Headers = [
            (b"x-request-id", request_id.encode()),
            (
                b"x-inference-id",
                f"{digest[:8]}-{digest[8:12]}-4{digest[12:15]}-b{digest[15:18]}-{digest[18:30]}".encode(),
            ),
        ]
        if cost.credits is not None:
            own.append((b"x-aimlapi-credits-used", b"%d" % cost.credits))
        if cost.usd is not None:
            own.append((b"x-aimlapi-usd-spent", b"%.9f" % cost.usd))
        return Answer(self._status, _JSON, body, own, findings)

    async def _links(self, scope: Scope, headers: Mapping[bytes, bytes], digest: str, edit: Edit) -> list[PictureLink]:
        size = self._imaging.sizes.get(edit.ratio) if edit.ratio else None
        paths = self._gallery.remember(digest, edit, size)
        origin = self._settings.public_url or _origin(scope, headers)
        carries = self._imaging.can_carry and (self._settings.images is not Images.URL or edit.as_base64)
        keeps_url = not carries or self._settings.images is Images.BOTH
        links: list[PictureLink] = []
        for path in paths:
            drawn = await self._gallery.picture(path) if carries or self._imaging.needs_size else None
            links.append(
                PictureLink(
                    url=f"{origin}{path}" if keeps_url else "",
                    file_name=path.rpartition("/")[2],
                    base64=base64.b64encode(drawn.data).decode() if carries and drawn is not None else None,
                    size=None if drawn is None else len(drawn.data),
                )
            )
        return links

    def _refuse(
        self,
        scope: Scope,
        request_id: str,
        status: int,
        *,
        message: str | None = None,
        data: Any = None,
        findings: Any = (),
    ) -> Answer:
        now = self._settings.clock()
        return problem(status, scope["path"], request_id, now, message=message, data=data, findings=findings)

    def _finding(self, rule: str, message: str, severity: Severity = Severity.ERROR) -> Finding:
        return Finding(
            rule, severity, Evidence.DOCUMENTED, "", message, direction="request", operation=self._operation.key
        )


def _origin(scope: Scope, headers: Mapping[bytes, bytes]) -> str:
    """Scheme and host as the client knows them, so that picture URLs lead back here through a port mapping too."""
    host = headers.get(b"host", b"")
    if not _HOST.fullmatch(host):
        server = scope.get("server") or ("127.0.0.1", 80)
        return f"{scope['scheme']}://{server[0]}:{server[1]}"
    return f"{scope['scheme']}://{host.decode()}"
