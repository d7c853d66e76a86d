"""The errors of this package.

SpecError
├── ContractError            a document cannot be read, or strict loading refuses it
│   └── UnreadableDocument   the document cannot be fetched or opened (file, network)
├── OverlayError             an overlay document is malformed
└── UnknownOperation         the contract has no such operation
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bodydouble_spec.finding import Finding

__all__ = ["ContractError", "OverlayError", "SpecError", "UnknownOperation", "UnreadableDocument"]


class SpecError(Exception):
    """Base class of this package's errors; the text says the problem, the place and the remedy."""


class ContractError(SpecError):
    """A document cannot be used as a contract; ``findings`` has the reasons."""

    def __init__(self, message: str, findings: "tuple[Finding, ...]" = ()) -> None:
        super().__init__(message)
        self.findings = findings


class UnreadableDocument(ContractError):
    """The document could not be fetched or opened."""


class OverlayError(SpecError):
    """An overlay document is not a usable OpenAPI Overlay 1.0."""


class UnknownOperation(SpecError):
    """The contract has no operation of that name."""
