"""The bodies of one media type of a success, prepared when they are first asked for."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

from bodydouble_spec import Contract, Operation, Response, join_pointer, pointer_parts, resolve_pointer
from bodydouble_spec.schema import SchemaValidator, names_failure

from bodydouble_mockserver.answer.body import BodyShape
from bodydouble_mockserver.answer.content import Content, content_of
from bodydouble_mockserver.answer.media import Media
from bodydouble_mockserver.answer.sample import NoSample, check_sample, sample
from bodydouble_mockserver.asgi import write_json

__all__ = ["DOCUMENTED", "PreparedContent", "Unanswerable", "check_answerable"]

DOCUMENTED = "documented"
"""The dialect that follows the schema; an example of that name is a hint for it."""


class Unanswerable(ValueError):
    """No value was found that conforms to the schema of an answer; the message names the place."""


def check_answerable(contract: Contract) -> None:
    """Check with little work that a body can conform to each schema of an answer, refusals included. Raises Unanswerable.

    Schemas that are written alike are checked once: documents repeat those of their refusals in every operation. A bound that could not be read
    cannot be kept either, wherever it stands.
    """
    for finding in contract.findings:
        if finding.id == "number-too-large":
            raise Unanswerable(f"{finding.message}, at {finding.pointer}; correct the contract there")
    known: set[bytes] = set()
    for operation in contract.operations:
        for status, response in operation.responses.items():
            for name, validator in response.content.items():
                if validator is None or not content_of(name).is_json:
                    continue
                pointer = join_pointer(operation.pointer, "responses", status, "content", name, "schema")
                written = write_json(resolve_pointer(contract.document, pointer_parts(pointer)))
                if written not in known:
                    known.add(written)
                    try:
                        check_sample(validator, response.samples.get(name, ()))
                    except NoSample as error:
                        raise _unanswerable(operation, error) from None


def _unanswerable(operation: Operation, error: NoSample) -> Unanswerable:
    return Unanswerable(
        f"{operation.key} cannot be answered: {error.reason} at {error.pointer}; correct the contract there"
    )


class PreparedContent:
    """One content of one response: a body for each dialect. ``said`` returns the names that a request can have."""

    def __init__(
        self, operation: Operation, response: Response | None, content: Content, said: Callable[[], Sequence[str]]
    ) -> None:
        self.content = content
        self._operation = operation
        self._said = said
        self._examples: Mapping[str, Any] = {} if response is None or not content.is_json else response.examples
        self._validator: SchemaValidator | None = None if response is None else response.content.get(content.key)
        self._samples: Sequence[Any] = () if response is None else response.samples.get(content.key, ())
        self._shapes: dict[str, BodyShape] = {}

    @property
    def is_prepared(self) -> bool:
        """Return whether a body was made already."""
        return bool(self._shapes)

    @property
    def size(self) -> int:
        """The size of the schema."""
        return 0 if self._validator is None else self._validator.size

    @cached_property
    def dialects(self) -> list[str]:
        """The names of the bodies: that of the schema, and those of the examples that conform to it."""
        return [DOCUMENTED, *(name for name in self._named if name not in self.refused_dialects)]

    @cached_property
    def refused_dialects(self) -> list[str]:
        """The names of the examples that do not conform."""
        validator = self._validator
        return (
            [] if validator is None else [name for name in self._named if not validator.is_valid(self._examples[name])]
        )

    @property
    def _named(self) -> list[str]:
        return [name for name in self._examples if name != DOCUMENTED]

    def shape(self, dialect: str) -> BodyShape:
        """Return the body of a dialect. Raises Unanswerable."""
        shape = self._shapes.get(dialect)
        if shape is None:
            template = self._sample() if dialect == DOCUMENTED else self._examples[dialect]
            shape = BodyShape(template, self._validator, self._operation.path, self._said())
            self._shapes[dialect] = shape
        return shape

    @property
    def _hints(self) -> list[Any]:
        """The examples of the document, those called after an error last."""
        first = [self._examples[DOCUMENTED]] if DOCUMENTED in self._examples else []
        failures = [value for name, value in self._examples.items() if names_failure(name)]
        return [*first, *(value for value in self._samples if value not in failures), *failures]

    def _sample(self) -> Any:
        if self._validator is None:
            nothing: Any = {} if self.content.is_json else "text"
            return next(iter(self._hints), nothing)
        try:
            return sample(self._validator, self._hints)
        except NoSample as error:
            raise _unanswerable(self._operation, error) from None

    def notices(self, dialect: str) -> Iterator[str]:
        """Yield the limits of a dialect's body that an app should know: everything in it that is not as at the service."""
        key, shape = self._operation.key, self.shape(dialect)
        if self.content.notice:
            yield f"{key}: {self.content.notice}"
        for slot in shape.left_alone:
            place = ".".join(map(str, slot.path)) or "the body"
            yield f"{key}: the contract does not allow the {slot.media} of this server at {place}; the URL there leads to no file"
        if Media.VIDEO in shape.media:
            yield f"{key}: the mock makes no video; the video's URL leads to no file"
