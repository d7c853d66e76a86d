"""Redact observations and findings before they are kept: no key and no other secret, wherever the server put it."""

from dataclasses import replace
from typing import Any

import orjson
from bodydouble_spec import Finding, Redactor, record_body, record_value
from bodydouble_spec.exchange import describe_body

from bodydouble_contract_tests.model import FetchedPicture, Observation

__all__ = ["Redaction", "parsed", "without_bytes"]

# Without a key: shows whether a redaction was because of the key, or of something that looks like a secret.
_KEYLESS = Redactor()


class Redaction:
    """Remove secrets, first of all the key of the run, from everything that is kept, shown or written."""

    def __init__(self, *keys: str) -> None:
        self.redactor = Redactor(keys)
        self._keys = [key.encode() for key in keys if len(key) >= Redactor.shortest_key]

    def observation(self, observation: Observation) -> Observation:
        """Redact an observation: only headers of the allow-list are kept, and Base64 pictures in its body are described."""
        if observation.beginning is None:
            body, raw = record_body(observation.content, self.redactor)
        else:
            # It has more values than a record may hold; to find that out takes another reading of them all.
            body, raw = None, describe_body(observation.content, self.redactor)
        content = orjson.dumps(body) if raw is None else str(raw["text"]).encode("utf-8", "replace")
        return replace(
            observation,
            sent=self.own(observation.sent.decode("utf-8", "replace")).encode("utf-8", "replace"),
            headers=self.redactor.headers(observation.headers.items()),
            content=content if observation.content else b"",
            beginning=None,
            detail=self.redactor.raw(observation.detail, 1000),
            pictures=tuple(self._picture(picture) for picture in observation.pictures),
        )

    def finding(self, finding: Finding) -> Finding:
        """Redact every text and value of a finding, except its request, which is written without secrets already."""
        text = self.redactor.text
        return replace(
            finding,
            id=text(finding.id),
            pointer=text(finding.pointer),
            message=text(finding.message),
            expected=self._value(finding.expected),
            got=self._value(finding.got),
            witness=None if finding.witness is None else text(finding.witness),
            covers=tuple(self.finding(covered) for covered in finding.covers),
        )

    def text(self, text: str) -> str:
        """Redact a text from outside."""
        return self.redactor.text(text)

    def own(self, text: str) -> str:
        """Return a text of our own, such as a request, unchanged unless the key is in it."""
        if not self.redactor.may_hold_key(text.encode("utf-8", "surrogatepass")):
            return text  # most requests: pictures in them make the other way slow
        shown = self.redactor.text(text)
        return text if shown == _KEYLESS.text(text) else shown

    def _value(self, value: Any) -> Any:
        try:
            return record_value(value, self.redactor)
        except ValueError:
            return "a value too large to keep"

    def _picture(self, picture: FetchedPicture) -> FetchedPicture:
        text = self.redactor.text
        # Image files can carry texts.
        holds_key = any(key in picture.content for key in self._keys)
        return replace(
            picture,
            pointer=text(picture.pointer),
            source=text(picture.source),
            media_type=text(picture.media_type),
            content=b"" if holds_key else picture.content,
            problem=None if picture.problem is None else text(picture.problem),
            headers=self.redactor.headers(picture.headers.items()),
        )


def parsed(content: bytes) -> Any:
    """Return the JSON value of a body; None when it is not JSON."""
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError:
        return None


def without_bytes(observation: Observation) -> Observation:
    """Return the observation without the bytes of its pictures, which are not needed any more."""
    return replace(observation, pictures=tuple(replace(picture, content=b"") for picture in observation.pictures))
