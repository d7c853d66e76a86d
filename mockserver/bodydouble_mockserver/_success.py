"""A success answer: the pictures remembered, the body written as the contract or a dialect has it, the cost in the headers."""

import base64
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import Any

import orjson
from bodydouble_spec import Operation, is_object

from bodydouble_mockserver._directives import Choices, Directives
from bodydouble_mockserver._gallery import Gallery
from bodydouble_mockserver._imaging import Cost, Edit, Imaging, PictureLink
from bodydouble_mockserver._problem import JSON
from bodydouble_mockserver._settings import Images, Settings
from bodydouble_mockserver._violations import Violation, violations
from bodydouble_mockserver._wire import Answer, Headers, Scope

__all__ = ["Asked", "SuccessWriter"]

# What may stand in a Host header; anything else is not echoed into URLs.
_NOTHING: frozenset[str] = frozenset()
_IMAGES = frozenset({"images"})
_VIOLATION = frozenset({"violation"})
_HOST = re.compile(rb"[A-Za-z0-9.:_\[\]-]{1,255}")


@dataclass(slots=True)
class Asked:
    """What a valid request asks for: its digest (64 hexadecimal digits), the edit, and what it will cost."""

    digest: str
    edit: Edit
    cost: Cost


class SuccessWriter:
    """Writes success answers of one operation in every dialect that its contract has.

    Raises ValueError when the contract does not have the dialect of the settings.
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
        self._imagings = {name: Imaging(operation, published, name) for name in dialects}
        self._usual = self._imagings[settings.dialect]
        self._operation = operation

    @cached_property
    def violations(self) -> Mapping[str, Violation]:
        """The ways in which a success body of this operation can break its contract, by id; made when first asked for."""
        return {violation.id: violation for violation in violations(self._operation)}

    @property
    def choices(self) -> Choices:
        """The dialects and violations that a call may ask for."""
        return Choices(tuple(self._imagings), tuple(self.violations))

    def write_usual(self, parsed: Any, scope: Scope, headers: Mapping[bytes, bytes], request_id: str) -> Answer | None:
        """The answer to a call that asks for nothing special, where the body can be joined from prepared pieces; None where not."""
        imaging = self._usual
        if not is_object(parsed) or not imaging.has_pieces or not self._gives_urls(imaging, parsed):
            return None
        digest = self._digest(parsed)
        count = imaging.count(parsed)
        paths = self._gallery.recall(digest)
        if paths is None:
            paths = self._remember(imaging, digest, imaging.read(parsed))
        body = imaging.join(self._settings.public_url or _origin(scope, headers), paths)
        return Answer(self._status, JSON, body, _headers(digest, imaging.cost(count), request_id), (), imaging.is_plain)

    def read(self, parsed: Any) -> Asked:
        """What a valid request asks for."""
        imaging = self._imagings["documented"]
        edit = imaging.read(parsed if is_object(parsed) else {})
        return Asked(self._digest(parsed), edit, imaging.cost(edit.count))

    def _digest(self, parsed: Any) -> str:
        # Sorted, so that the same request is the same picture however its keys were ordered.
        return sha256(self._salt + orjson.dumps(parsed, option=orjson.OPT_SORT_KEYS)).hexdigest()

    async def write(
        self, asked: Asked, scope: Scope, headers: Mapping[bytes, bytes], request_id: str, directives: Directives
    ) -> tuple[Answer, frozenset[str]]:
        """The success answer, and the names of directives that change nothing in its dialect.

        Draws the pictures only when the body is to carry them.
        """
        imaging = self._imagings[directives.dialect or self._settings.dialect]
        mode = self._mode(imaging, asked.edit, directives.images)
        ignored = _NOTHING if imaging.can_carry or directives.images is Images.URL else _IMAGES
        violation = None if directives.violation is None else self.violations[directives.violation]
        links = [PictureLink("", "")]
        if imaging.is_imaging:
            links = await self._links(imaging, asked, scope, headers, mode, violation)
        written = imaging.write(links, asked.cost, int(asked.digest[-8:], 16))
        if violation is not None:
            broken = violation.apply(written)
            if broken == written and violation.effect is None:
                ignored |= _VIOLATION
            written = broken
        return Answer(
            self._status, JSON, orjson.dumps(written), _headers(asked.digest, asked.cost, request_id)
        ), ignored

    def _mode(self, imaging: Imaging, edit: Edit, asked: Images | None) -> Images:
        """How the pictures come back: as the call asks, else as its body does, else as usual; URLs where there is no place for Base64."""
        if not imaging.can_carry:
            return Images.URL
        usual = self._settings.images
        return asked or (Images.B64_JSON if edit.as_base64 and usual is Images.URL else usual)

    def _gives_urls(self, imaging: Imaging, parsed: Mapping[str, Any]) -> bool:
        """Whether a call that asks for nothing beside its body gets URLs and no Base64."""
        return not imaging.can_carry or (self._settings.images is Images.URL and not imaging.wants_base64(parsed))

    def _remember(self, imaging: Imaging, digest: str, edit: Edit, *, misshapen: bool = False) -> Sequence[str]:
        size = imaging.sizes.get(edit.ratio) if edit.ratio else None
        return self._gallery.remember(digest, edit, size, misshapen=misshapen)

    async def _links(
        self,
        imaging: Imaging,
        asked: Asked,
        scope: Scope,
        headers: Mapping[bytes, bytes],
        mode: Images,
        violation: Violation | None,
    ) -> list[PictureLink]:
        misshapen = violation is not None and violation.effect == "wrong-aspect-ratio"
        origin = self._settings.public_url or _origin(scope, headers)
        carries = mode is not Images.URL
        links: list[PictureLink] = []
        for path in self._remember(imaging, asked.digest, asked.edit, misshapen=misshapen):
            drawn = await self._gallery.picture(path) if carries or imaging.needs_size else None
            links.append(
                PictureLink(
                    url=origin + path if mode is not Images.B64_JSON else "",
                    file_name=path.rpartition("/")[2],
                    base64=base64.b64encode(drawn.data).decode() if carries and drawn is not None else None,
                    size=None if drawn is None else len(drawn.data),
                )
            )
        return links


def _headers(digest: str, cost: Cost, request_id: str) -> Headers:
    inference_id = f"{digest[:8]}-{digest[8:12]}-4{digest[12:15]}-b{digest[15:18]}-{digest[18:30]}"
    return [(b"x-request-id", request_id.encode()), (b"x-inference-id", inference_id.encode()), *cost.headers]


def _origin(scope: Scope, headers: Mapping[bytes, bytes]) -> str:
    """Scheme and host as the client knows them, so that picture URLs lead back here through a port mapping too."""
    host = headers.get(b"host", b"")
    if not _HOST.fullmatch(host):
        name, port = scope.get("server") or ("127.0.0.1", 80)
        return f"{scope['scheme']}://{f'[{name}]' if ':' in name else name}:{port}"
    return f"{scope['scheme']}://{host.decode()}"
