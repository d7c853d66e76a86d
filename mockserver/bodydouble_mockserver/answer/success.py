"""Success answers: registered media, a body in the shape of the contract or a dialect, and the cost in the headers."""

import base64
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qsl

import orjson
from bodydouble_spec import Operation, is_object
from bodydouble_spec.text import visible

from bodydouble_mockserver.answer.body import BodyShape, Call
from bodydouble_mockserver.answer.content import Content, choose_content, contents_of
from bodydouble_mockserver.answer.gallery import Gallery
from bodydouble_mockserver.answer.headers import INFERENCE_ID, REQUEST_ID, AnswerHeaders
from bodydouble_mockserver.answer.image_fields import Cost, EditRequest, ImageFields, MediaLink
from bodydouble_mockserver.answer.media import Media, sound
from bodydouble_mockserver.answer.origin import picture_origin
from bodydouble_mockserver.answer.prepared import DOCUMENTED, PreparedContent, Unanswerable
from bodydouble_mockserver.answer.slots import Filling
from bodydouble_mockserver.answer.violations import Violation, violations
from bodydouble_mockserver.asgi import BODILESS, Answer, Headers, Scope, write_json
from bodydouble_mockserver.directives import DirectiveChoices, Directives
from bodydouble_mockserver.settings import Images, Settings

__all__ = ["PricedRequest", "SuccessWriter"]

LOG = logging.getLogger("bodydouble.mockserver")

_MAX_PLANS = 100
_NO_NAMES: frozenset[str] = frozenset()
_IMAGES = frozenset({"images"})
_VIOLATION = frozenset({"violation"})
_DIALECT = frozenset({"dialect"})


@dataclass(slots=True)
class PricedRequest:
    """A valid request with its digest (64 hexadecimal digits), its parameters, its cost, and the body."""

    digest: str
    edit: EditRequest
    cost: Cost
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Plan:
    """The form of an answer, and the names of the directives that have no effect on it."""

    status: int
    content: Content
    shape: BodyShape
    mode: Images
    ignored: frozenset[str]


class SuccessWriter:
    """Writes success answers of one operation, in every dialect and media type of its contract; bodies are prepared when first asked for.

    Raises ValueError when the contract lacks the dialect of the settings.
    """

    def __init__(self, operation: Operation, settings: Settings, gallery: Gallery, *, is_vendor: bool = True) -> None:
        self._operation = operation
        self._settings = settings
        self._gallery = gallery
        self._is_vendor = is_vendor
        self._salt = b"" if settings.seed is None else b"%d:" % settings.seed
        self._status = operation.success_status
        self._documents_success = operation.documents_success
        self._parameters = [name for item in operation.parameters if isinstance(name := item.get("name"), str)]
        self._contents: dict[int, list[PreparedContent]] = {}
        self._headers: dict[int, AnswerHeaders] = {}
        usual = self._contents_of(self._status)[0]
        if settings.dialect != DOCUMENTED and settings.dialect not in usual.dialects:
            lacks = "does not allow" if settings.dialect in usual.refused_dialects else "has no"
            raise ValueError(
                f"the contract of {operation.key} {lacks} dialect {settings.dialect!r}; it has {', '.join(usual.dialects)}"
            )
        self._usual = usual
        # Clients send few sorts of Accept.
        self._plan = lru_cache(_MAX_PLANS)(self._planned)

    @cached_property
    def _fields(self) -> ImageFields:
        return ImageFields(self._operation)

    @property
    def size(self) -> int:
        """The size of the schema of the usual body."""
        return self._usual.size

    def prepare(self, *, names_dialects: bool = True) -> list[str]:
        """Prepare the usual body, and return its limits that an app should know: everything in it that is not as at the service.

        With ``names_dialects`` the examples that do not conform are among them.
        """
        key, usual = self._operation.key, self._usual
        refused = usual.refused_dialects if names_dialects else []
        if not self._documents_success:
            return [f"{key} documents only error responses; every call gets one of them"]
        return [
            *self._status_notices(),
            *(
                f"{key}: the dialect {name} is not offered, since the example does not conform to the contract"
                for name in refused
            ),
            *usual.notices(self._settings.dialect),
        ]

    def _status_notices(self) -> Iterator[str]:
        response = self._operation.response(self._status)
        if response is None:
            yield f"{self._operation.key} documents no success; calls are answered with {self._status}"
        elif response.status == "default":
            yield f"{self._operation.key} documents its success only as `default`; calls are answered with {self._status}"
        elif self._status in BODILESS and response.content:
            yield f"{self._operation.key} documents a body for {self._status}, but HTTP allows none with this status"

    def _log_notices(self) -> None:
        """Log the limits of the answers of an operation that was not prepared at start-up."""
        if not self._usual.is_prepared:
            for notice in self.prepare():
                LOG.info("%s", visible(notice))

    def _contents_of(self, status: int) -> list[PreparedContent]:
        """Return the contents of a status, the usual one first."""
        found = self._contents.get(status)
        if found is None:
            response = self._operation.response(status)
            found = [
                PreparedContent(self._operation, response, content, self._said_names)
                for content in contents_of(response)
            ]
            self._contents[status] = found
        return found

    def _chosen(self, status: int, accept: bytes) -> PreparedContent:
        contents = self._contents_of(status)
        if len(contents) == 1 or not accept:
            return contents[0]
        chosen = choose_content([item.content for item in contents], accept)
        return next(item for item in contents if item.content is chosen)

    def _said_names(self) -> Sequence[str]:
        return [*self._parameters, *self._fields.names]

    def _answer_headers(self, status: int, cost: Cost, request_id: str) -> Headers:
        headers = self._headers.get(status)
        if headers is None:
            response = self._operation.response(status)
            headers = self._headers[status] = AnswerHeaders(response, is_vendor=self._is_vendor)
        # Like the id of the request, new for each generation, and another one.
        inference_id = f"{request_id[:19]}b{request_id[20:]}"
        return headers.fit([(REQUEST_ID, request_id.encode()), (INFERENCE_ID, inference_id.encode()), *cost.headers])

    @cached_property
    def violations(self) -> Mapping[str, Violation]:
        """The violations of this operation's success body, by id; computed on first use."""
        return {violation.id: violation for violation in violations(self._operation)}

    @property
    def choices(self) -> DirectiveChoices:
        """The dialects and violations that a call can request."""
        return DirectiveChoices(tuple(self._usual.dialects), tuple(self.violations))

    def read(self, parsed: Any) -> PricedRequest:
        """Read a valid request and compute its digest and cost."""
        body: Mapping[str, Any] = parsed if is_object(parsed) else {}
        edit = self._fields.read(body)
        return PricedRequest(self._digest(parsed), edit, self._fields.cost(edit.count), body)

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
        if directives.code is None and not self._documents_success:
            raise Unanswerable(
                f"{self._operation.key} has no answer to a valid request: its contract documents only error responses"
            )
        self._log_notices()
        edit = priced.edit
        plan = self._plan(
            directives.code or self._status,
            headers.get(b"accept", b""),
            directives.dialect or self._settings.dialect,
            directives.images,
            edit.as_base64,
        )
        ignored, shape, content = plan.ignored, plan.shape, plan.content
        violation = None if directives.violation is None else self.violations[directives.violation]
        own = self._answer_headers(plan.status, priced.cost, request_id)
        if content.is_empty:
            return Answer(plan.status, b"", b"", own), ignored
        if not content.is_json:
            return Answer(plan.status, content.header, await self._raw_body(content, shape, priced), own), ignored
        pieces = shape.pieces(edit.count, priced.cost) if plan.mode is Images.URL and violation is None else None
        if pieces is not None:
            origin, paths = picture_origin(self._settings, scope, headers), self._remember(priced.digest, edit)
            urls = [orjson.dumps(origin + path) for path in paths]
            body = b"".join([part for pair in zip(pieces, urls, strict=False) for part in pair]) + pieces[-1]
            return Answer(plan.status, content.header, body, own), ignored
        links = await self._links(shape, priced, scope, headers, plan.mode, violation)
        seed = int(priced.digest[-8:], 16)
        body = shape.write(Call(links, priced.cost, seed, self._said(priced, scope)), edit.count)
        if violation is not None:
            changed = violation.apply(body)
            if changed == body and violation.effect is None:
                ignored |= _VIOLATION
            body = changed
        return Answer(plan.status, content.header, write_json(body), own), ignored

    def _planned(self, status: int, accept: bytes, dialect: str, requested: Images | None, as_base64: bool) -> "_Plan":
        """Choose the form of an answer by what was asked for; the other facts of a call have no part in it."""
        prepared = self._chosen(status, accept)
        has_dialect = dialect in (DOCUMENTED, *prepared.dialects)
        shape = prepared.shape(dialect if has_dialect else DOCUMENTED)
        ignored = _NO_NAMES if shape.has_base64 or requested is Images.URL else _IMAGES
        if not has_dialect:
            ignored |= _DIALECT
        return _Plan(status, prepared.content, shape, self._mode(shape, requested, as_base64=as_base64), ignored)

    async def _raw_body(self, content: Content, shape: BodyShape, priced: PricedRequest) -> bytes:
        """Return a body that is not JSON."""
        if content.media is Media.AUDIO:
            return sound(int(priced.digest[-8:], 16))
        if content.media is Media.IMAGE:
            image = await self._gallery.picture(self._remember(priced.digest, priced.edit)[0])
            return b"" if image is None else image.data
        return content.encode(shape.write(Call({}, priced.cost, 1), 1))

    def _said(self, priced: PricedRequest, scope: Scope) -> dict[str, Any]:
        """Return the values of the request by name: those of its parameters, then those of its body."""
        query = parse_qsl(scope.get("query_string", b"").decode("latin-1")) if self._parameters else []
        keys = self._operation.security.names("query")
        return {
            **{name: value for name, value in query if name not in keys},
            **scope.get("path_params", {}),
            **priced.body,
        }

    def _mode(self, shape: BodyShape, requested: Images | None, *, as_base64: bool) -> Images:
        """Return the form of the pictures: that of the directive, else of the body, else of the settings, as far as the contract has it."""
        if Filling.BASE64 not in shape.fillings:
            return Images.URL
        if Filling.URL not in shape.fillings:
            return Images.B64_JSON
        usual = self._settings.images
        wanted = requested or (Images.B64_JSON if as_base64 and usual is Images.URL else usual)
        left_out = {Images.URL: Filling.BASE64, Images.B64_JSON: Filling.URL}.get(wanted)
        return wanted if left_out is None or left_out in shape.nullable else Images.BOTH

    def _remember(self, digest: str, edit: EditRequest, *, wrong_ratio: bool = False) -> Sequence[str]:
        size = self._fields.sizes.get(edit.ratio) if edit.ratio else None
        return self._gallery.remember(digest, edit, size, wrong_ratio=wrong_ratio)

    async def _links(
        self,
        shape: BodyShape,
        priced: PricedRequest,
        scope: Scope,
        headers: Mapping[bytes, bytes],
        mode: Images,
        violation: Violation | None,
    ) -> dict[Media, list[MediaLink]]:
        wrong_ratio = violation is not None and violation.effect == "wrong-aspect-ratio"
        origin = picture_origin(self._settings, scope, headers)
        links: dict[Media, list[MediaLink]] = {}
        for media in shape.media - {Media.IMAGE}:
            path = self._gallery.remember_medium(priced.digest, media)
            links[media] = [await self._link(origin, path, media, embeds=media is Media.AUDIO)]
        if Media.IMAGE in shape.media:
            embeds = mode is not Images.URL
            links[Media.IMAGE] = [
                await self._link(
                    origin,
                    path,
                    Media.IMAGE,
                    embeds=embeds,
                    is_read=shape.needs_size,
                    is_shown=mode is not Images.B64_JSON,
                )
                for path in self._remember(priced.digest, priced.edit, wrong_ratio=wrong_ratio)
            ]
        return links

    async def _link(
        self, origin: str, path: str, media: Media, *, embeds: bool, is_read: bool = False, is_shown: bool = True
    ) -> MediaLink:
        image = await self._gallery.picture(path) if embeds or is_read else None
        return MediaLink(
            url=origin + path,
            file_name=path.rpartition("/")[2],
            base64=base64.b64encode(image.data).decode() if embeds and image is not None else None,
            size=None if image is None else len(image.data),
            media_type={Media.IMAGE: "image/png", Media.AUDIO: "audio/wav", Media.VIDEO: "video/mp4"}[media],
            is_shown=is_shown,
        )
