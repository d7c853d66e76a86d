"""Lines for the log: one for each request, without keys and control characters."""

import logging

from bodydouble_spec import Redactor
from bodydouble_spec.text import visible

from bodydouble_mockserver.asgi import Scope, header
from bodydouble_mockserver.endpoints import HandledRequest
from bodydouble_mockserver.request import bearer_key

__all__ = ["log_failure", "log_request"]

_LOG = logging.getLogger("bodydouble.mockserver")


def log_request(handled: HandledRequest, redactor: Redactor, *, with_contract: bool = False) -> None:
    """Log, without keys, method, path, status, the contract if wanted, the directives that took effect, and the first finding."""
    findings = handled.answer.findings
    first = next(iter(findings), None)
    note = "" if first is None else f" {first.id} {first.pointer or '/'}: {first.message}"
    more = f" (and {len(findings) - 1} more)" if len(findings) > 1 else ""
    directives = f" [{', '.join(handled.effects.applied)}]" if handled.effects.applied else ""
    contract = f" ({handled.contract})" if with_contract and handled.contract is not None else ""
    # A path, or the name of a parameter or header, may be a key that is in the wrong place.
    redactor = handled.redactor(redactor)
    start = f"{redactor.text(handled.method)} {redactor.path(handled.path)} {handled.answer.status}"
    line = start + redactor.text(f"{contract}{directives}{note}{more}")
    # Control characters from a request must not reach the terminal.
    _LOG.info("%s", visible(line))


def log_failure(scope: Scope, trace: str, redactor: Redactor) -> None:
    """Log an error of the mock's own, with the traceback and without keys."""
    redactor = redactor.with_keys([bearer_key(header(scope, b"authorization")).decode("latin-1")])
    shown = f"{redactor.text(scope['method'])} {redactor.path(scope['path'])}"
    lines = [visible(redactor.text(line)) for line in trace.splitlines()]
    _LOG.error("the mock failed on %s; this is a bug in bodydouble\n%s", visible(shown), "\n".join(lines))
