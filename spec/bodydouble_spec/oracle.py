"""openapi-core as a second validator of the same document: for tests, and for single documents.

Its import takes 0.6 s and each message a millisecond, so no server code imports it. Install it with ``pip install
'bodydouble[contract]'``.
"""

from bodydouble_spec._oracle import Oracle
from bodydouble_spec._oracle_document import document_errors

__all__ = ["Oracle", "document_errors"]
