"""Success answers: registered pictures, a body in the shape of the contract or a dialect, and the cost in the headers."""

import base64
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import Any

import orjson
from bodydouble_spec import Operation, is_object

from bodydouble_mockserver.answer.gallery import Gallery
from bodydouble_mockserver.answer.image_fields import Cost, EditRequest, ImageFields, ImageLink
from bodydouble_mockserver.answer.violations import Violation, violations
from bodydouble_mockserver.asgi import Answer, Headers, Scope
from bodydouble_mockserver.directives import DirectiveChoices, Directives
from bodydouble_mockserver.errors import JSON
from bodydouble_mockserver.settings import Images, Settings

__all__ = ["PricedRequest", "SuccessWriter"]

_NO_NAMES: frozenset[str] = frozenset()
_IMAGES = frozenset({"images"})
_VIOLATION = frozenset({"violation"})
# The allowed characters of a Host header; any other value is not copied into URLs.
_HOST = re.compile(rb"[A-Za-z0-9.:_\[\]-]{1,255}")


@dataclass(slots=True)
class PricedRequest:
    """A valid request with its digest (64 hexadecimal digits), its parameters, and its cost."""

    digest: str
    edit: EditRequest
    cost: Cost


class SuccessWriter:
    """Writes success answers of one operation in every dialect of its contract.

    Raises ValueError when the contract lacks the dialect of the settings.
    """

    def __init__(
        self, operation: Operation, published: Mapping[str, Any] | None, settings: Settings, gallery: Gallery
    ) -> None:
        self._settings = settings
        self._gallery = gallery
        self._salt = b"" if settings.seed is None else b"%d:" % settings.seed
        self._status = operation.success_status
        response = operation.response(operation.success_status)
        examples = () if response is None else tuple(response.examples)
        dialects = ("documented", *(name for name in examples if name != "documented"))
        if settings.dialect not in dialects:
            raise ValueError(
                f"the contract of {operation.key} has no dialect {settings.dialect!r}; it has {', '.join(dialects)}"
            )
        self._fields = {name: ImageFields(operation, published, name) for name in dialects}
        self._default_fields = self._fields[settings.dialect]
        self._operation = operation

    @cached_property
    def violations(self) -> Mapping[str, Violation]:
        """The violations of this operation's success body, by id; computed on first use."""
        return {violation.id: violation for violation in violations(self._operation)}

    @property
    def choices(self) -> DirectiveChoices:
        """The dialects and violations that a call can request."""
        return DirectiveChoices(tuple(self._fields), tuple(self.violations))

    def write_usual(self, parsed: Any, scope: Scope, headers: Mapping[bytes, bytes], request_id: str) -> Answer | None:
        """Return the answer to a usual call from prepared pieces; None when the body cannot be joined from pieces."""
        fields = self._default_fields
        if not is_object(parsed) or not fields.has_pieces or not self._returns_urls(fields, parsed):
            return None
        digest = self._digest(parsed)
        count = fields.count(parsed)
        paths = self._gallery.recall(digest)
        if paths is None:
            paths = self._remember(fields, digest, fields.read(parsed))
        body = fields.join_pieces(self._settings.public_url or _origin(scope, headers), paths)
        return Answer(
            self._status, JSON, body, _headers(digest, fields.cost(count), request_id), (), fields.needs_no_redaction
        )

    def read(self, parsed: Any) -> PricedRequest:
        """Read a valid request and compute its digest and cost."""
        fields = self._fields["documented"]
        edit = fields.read(parsed if is_object(parsed) else {})
        return PricedRequest(self._digest(parsed), edit, fields.cost(edit.count))

    def _digest(self, parsed: Any) -> str:
        # Sorted, so that the order of the keys does not change the pictures.
        return sha256(self._salt + orjson.dumps(parsed, option=orjson.OPT_SORT_KEYS)).hexdigest()

    async def write(
        self,
        priced: PricedRequest,
        scope: Scope,
        headers: Mapping[bytes, bytes],
        request_id: str,
        directives: Directives,
    ) -> tuple[Answer, frozenset[str]]:
        """Return the success answer, and the names of directives that have no effect in its dialect.

        Pictures are drawn only when the body embeds them.
        """
        fields = self._fields[directives.dialect or self._settings.dialect]
        mode = self._mode(fields, priced.edit, directives.images)
        ignored = _NO_NAMES if fields.has_base64 or directives.images is Images.URL else _IMAGES
        violation = None if directives.violation is None else self.violations[directives.violation]
        links = [ImageLink("", "")]
        if fields.has_images:
            links = await self._links(fields, priced, scope, headers, mode, violation)
        body = fields.write(links, priced.cost, int(priced.digest[-8:], 16))
        if violation is not None:
            changed = violation.apply(body)
            if changed == body and violation.effect is None:
                ignored |= _VIOLATION
            body = changed
        return Answer(self._status, JSON, orjson.dumps(body), _headers(priced.digest, priced.cost, request_id)), ignored

    def _mode(self, fields: ImageFields, edit: EditRequest, requested: Images | None) -> Images:
        """Return the form of the pictures: that of the directive, else of the body, else of the settings; URLs without a Base64 field."""
        if not fields.has_base64:
            return Images.URL
        usual = self._settings.images
        return requested or (Images.B64_JSON if edit.as_base64 and usual is Images.URL else usual)

    def _returns_urls(self, fields: ImageFields, parsed: Mapping[str, Any]) -> bool:
        """Return whether a call without directives is answered with URLs and no Base64."""
        return not fields.has_base64 or (self._settings.images is Images.URL and not fields.wants_base64(parsed))

    def _remember(
        self, fields: ImageFields, digest: str, edit: EditRequest, *, wrong_ratio: bool = False
    ) -> Sequence[str]:
        size = fields.sizes.get(edit.ratio) if edit.ratio else None
        return self._gallery.remember(digest, edit, size, wrong_ratio=wrong_ratio)

    async def _links(
        self,
        fields: ImageFields,
        priced: PricedRequest,
        scope: Scope,
        headers: Mapping[bytes, bytes],
        mode: Images,
        violation: Violation | None,
    ) -> list[ImageLink]:
        wrong_ratio = violation is not None and violation.effect == "wrong-aspect-ratio"
        origin = self._settings.public_url or _origin(scope, headers)
        embeds = mode is not Images.URL
        links: list[ImageLink] = []
        for path in self._remember(fields, priced.digest, priced.edit, wrong_ratio=wrong_ratio):
            image = await self._gallery.picture(path) if embeds or fields.needs_size else None
            links.append(
                ImageLink(
                    url=origin + path if mode is not Images.B64_JSON else "",
                    file_name=path.rpartition("/")[2],
                    base64=base64.b64encode(image.data).decode() if embeds and image is not None else None,
                    size=None if image is None else len(image.data),
                )
            )
        return links


def _headers(digest: str, cost: Cost, request_id: str) -> Headers:
    inference_id = f"{digest[:8]}-{digest[8:12]}-4{digest[12:15]}-b{digest[15:18]}-{digest[18:30]}"
    return [(b"x-request-id", request_id.encode()), (b"x-inference-id", inference_id.encode()), *cost.headers]


def _origin(scope: Scope, headers: Mapping[bytes, bytes]) -> str:
    """Return scheme and host as sent by the client, so that picture URLs work through a port mapping."""
    host = headers.get(b"host", b"")
    if not _HOST.fullmatch(host):
        name, port = scope.get("server") or ("127.0.0.1", 80)
        return f"{scope['scheme']}://{f'[{name}]' if ':' in name else name}:{port}"
    return f"{scope['scheme']}://{host.decode()}"
