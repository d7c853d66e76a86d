"""One log line for each request."""

import logging

from bodydouble_mockserver._served import HandledRequest

__all__ = ["LOG", "log_request"]

LOG = logging.getLogger("bodydouble.mockserver")


def log_request(handled: HandledRequest) -> None:
    """Log method, path, status, the directives that took effect, and the first finding."""
    findings = handled.answer.findings
    first = next(iter(findings), None)
    note = "" if first is None else f" {first.id} {first.pointer or '/'}: {first.message}"
    more = f" (and {len(findings) - 1} more)" if len(findings) > 1 else ""
    directives = f" [{', '.join(handled.effects.applied)}]" if handled.effects.applied else ""
    line = f"{handled.method} {handled.path} {handled.answer.status}{directives}{note}{more}"
    # Control characters from a request must not reach the terminal.
    LOG.info("%s", "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in line))
