"""A document as read from a file or a URL: completed from the files beside it, and the findings about its reading."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bodydouble_spec.document.external import embed_files, explain_references, file_findings
from bodydouble_spec.document.lines import DocumentLines
from bodydouble_spec.document.loader import read_document, read_source
from bodydouble_spec.errors import UnreadableDocument
from bodydouble_spec.finding import Finding

__all__ = ["SourceDocument"]


@dataclass(frozen=True, slots=True)
class SourceDocument:
    """A document with its text.

    ``published`` is its value as written, ``path`` its file (None for a URL), ``completed`` the value with references to other files of the folder
    as references to components, and ``files`` are those files.
    """

    data: bytes
    published: Any
    path: Path | None
    completed: Any
    files: tuple[Path, ...]

    @classmethod
    def of(cls, data: bytes, published: Any, path: Path | None) -> "SourceDocument":
        """Return the document completed from the files of its folder."""
        if path is None:
            return cls(data, published, None, published, ())
        return cls(data, published, path, *embed_files(published, path, read_document))

    def findings(self, findings: Iterable[Finding]) -> tuple[Finding, ...]:
        """Return the findings of the completed document with those about its reading: repeated keys, other files, and lines."""
        explained = [*explain_references(findings, self.path, read_document)]
        lines = DocumentLines(self.data)
        # A document without references to other files was completed by nothing.
        files = () if self.completed is self.published else file_findings(self.published, explained)
        located = lines.added_to((*files, *explained))
        return (*lines.repeated_keys(), *self._repeated_elsewhere(), *located)

    def _repeated_elsewhere(self) -> Iterator[Finding]:
        for file in self.files:
            try:
                repeated = DocumentLines(read_source(file)).repeated_keys()
            except UnreadableDocument:
                continue  # it was removed meanwhile
            yield from (replace(finding, message=f"in {file.name}: {finding.message}") for finding in repeated)
