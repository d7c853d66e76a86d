"""One line a request, for whoever watches the server."""

import logging

from bodydouble_mockserver._served import Served

__all__ = ["LOG", "log_served"]

LOG = logging.getLogger("bodydouble.mockserver")


def log_served(served: Served) -> None:
    """Log method, path, status, what was done on purpose, and the first finding."""
    findings = served.answer.findings
    first = next(iter(findings), None)
    note = "" if first is None else f" {first.id} {first.pointer or '/'}: {first.message}"
    more = f" (and {len(findings) - 1} more)" if len(findings) > 1 else ""
    on_purpose = f" [{', '.join(served.applied)}]" if served.applied else ""
    line = f"{served.method} {served.path} {served.answer.status}{on_purpose}{note}{more}"
    # Control characters from a request must not reach the terminal.
    LOG.info("%s", "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in line))
