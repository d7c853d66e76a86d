"""The second operation of the mock: the files of pictures, with directives, scripted answers, an end of their life, and findings."""

from collections.abc import Callable, Mapping, Sequence
from urllib.parse import parse_qsl

from bodydouble_spec import Evidence, Finding, Redactor, Severity, credentials, is_secret_name

from bodydouble_mockserver.answer import RefusalWriter, ServedImage
from bodydouble_mockserver.asgi import BODILESS, Answer, Receive, Scope
from bodydouble_mockserver.directives import DirectiveChoices, Directives, prefer_finding
from bodydouble_mockserver.endpoints.handled import HandledRequest, apply_script
from bodydouble_mockserver.endpoints.parts import SharedParts
from bodydouble_mockserver.request import CheckedRequest, Refusal

__all__ = ["PICTURE", "PICTURES", "PictureEndpoint"]

PICTURES = "/generations/"
"""The path below which the files of pictures are."""

PICTURE = "picture"
"""The kind of a journal entry about the file of a picture."""

# The directives that mean something for a file.
_MEANINGFUL = ("code", "delay", "fault", "retry-after")
_NO_CHOICES = DirectiveChoices((), ())


class PictureEndpoint:
    """Answers requests for the files of pictures. ``refusals`` gives the writer of the contracts that are served now, ``recorded`` a picture of a recording."""

    def __init__(
        self,
        parts: SharedParts,
        refusals: Callable[[], RefusalWriter],
        recorded: Callable[[str], ServedImage | None] = lambda _path: None,
    ) -> None:
        self._gallery = parts.gallery
        self._state = parts.state
        self._parts = parts
        self._refusals = refusals
        self._recorded = recorded

    async def answer(self, scope: Scope, _receive: Receive) -> HandledRequest:
        """Answer one request, GET or HEAD; nothing is sent."""
        headers: dict[bytes, bytes] = dict(scope["headers"])
        keys = _sent_keys(scope)
        checked = CheckedRequest(None, keys[0] if keys else b"", secrets=keys)
        findings = [_key_finding(scope)] if keys else []
        preferred, told = self._preferred(scope, headers)
        findings += told
        scripted = self._state.next_for_picture(scope, headers, checked) if self._state.is_scripted else None
        wanted = preferred if scripted is None else preferred.with_defaults(scripted.directives)
        answer = await self._file(scope, headers, wanted.code)
        if wanted.retry_after is not None:
            answer.headers.append((b"retry-after", b"%d" % wanted.retry_after))
        if scripted is not None:
            apply_script(answer, scripted)
        if answer.status in BODILESS:
            answer.body = answer.content_type = b""
        applied = [text for name, text in preferred.as_preferences().items() if name in _MEANINGFUL]
        if applied:
            answer.headers.append((b"preference-applied", ", ".join(applied).encode("latin-1")))
        answer.findings = findings
        named = [text for name, text in wanted.as_preferences().items() if name in _MEANINGFUL]
        effects = self._parts.effects(wanted, scripted, named)
        return HandledRequest(scope, answer, checked, effects=effects, kind=PICTURE)

    def _preferred(self, scope: Scope, headers: Mapping[bytes, bytes]) -> tuple[Directives, list[Finding]]:
        """Return the directives of the Prefer headers that mean something for a file, and findings about the others."""
        if b"prefer" not in headers:
            return Directives(), []
        preferred, findings = self._parts.preferred(scope, _NO_CHOICES, None)
        useless = [text for name, text in preferred.as_preferences().items() if name not in _MEANINGFUL]
        if useless:
            reason = f"{', '.join(useless)} has no effect on a picture; only {', '.join(_MEANINGFUL)} have one"
            findings.append(prefer_finding("prefer-not-applied", reason, None))
        return preferred, findings

    async def _file(self, scope: Scope, headers: Mapping[bytes, bytes], code: int | None) -> Answer:
        if code is not None and code >= 300:
            return self._refuse(scope, code, "This error was requested by a Prefer header or a script")
        age_s = self._gallery.age_s(scope["path"])
        lifetime_s = self._state.limits.expires_after_s
        if age_s is not None and lifetime_s is not None and age_s >= lifetime_s:
            return self._refuse(scope, 404, f"The picture has expired: it is kept for {lifetime_s:g} seconds")
        image = self._recorded(scope["path"]) or await self._gallery.picture(scope["path"])
        if image is None:
            return self._refuse(scope, 404, None)
        answer = _served(image, headers.get(b"if-none-match", b"").decode("latin-1"))
        answer.status = answer.status if code is None else code
        return answer

    def _refuse(self, scope: Scope, status: int, message: str | None) -> Answer:
        return self._parts.refuse(self._refusals(), Refusal(status, message), scope["path"])


def _served(image: ServedImage, known: str) -> Answer:
    headers = [(b"etag", image.etag.encode()), (b"cache-control", b"public, max-age=31536000")]
    if image.etag in known or known.strip() == "*":
        return Answer(304, image.media_type.encode(), b"", headers)
    if image.note:
        headers.append((b"x-bodydouble-note", image.note.encode("ascii", "backslashreplace")))
    return Answer(200, image.media_type.encode(), image.data, headers)


def _sent_keys(scope: Scope) -> Sequence[bytes]:
    """Return the keys in the headers and the query of a request."""
    headers = ((name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"])
    query = parse_qsl(scope.get("query_string", b"").decode("latin-1"))
    texts = [*credentials(headers), *(value for name, value in query if is_secret_name(name) and value)]
    return [text.encode("latin-1", "replace") for text in texts]


def _key_finding(scope: Scope) -> Finding:
    names = (name.decode("latin-1") for name, _ in scope["headers"])
    header = next((name for name in names if name.lower() in Redactor.credential_headers), None)
    where, pointer = ("its query", "/query") if header is None else (f"the header {header}", f"/header/{header}")
    message = (
        f"the request for a picture has the API key in {where}; the service has its pictures on another host, which must not receive it. "
        "Download them with a separate client that has no key"
    )
    return Finding(
        "picture-key-sent", Severity.WARNING, Evidence.INFERRED, pointer, message, direction="request"
    )  # fmt: skip
