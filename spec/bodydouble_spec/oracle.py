"""openapi-core as a second opinion on the same document: for tests, and for looking at a document once.

It takes 0.6 s to import and a millisecond a message, so nothing that serves requests imports this module's dependencies. They are
installed by ``pip install 'bodydouble[contract]'``.
"""

from bodydouble_spec._oracle import Oracle
from bodydouble_spec._oracle_document import document_errors

__all__ = ["Oracle", "document_errors"]
