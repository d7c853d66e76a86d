"""Bodies as the intake reads them, for tests of what comes after it."""

import hashlib

from bodydouble_mockserver import Settings
from bodydouble_mockserver.request import Intake, take_in

__all__ = ["json_intake"]


def json_intake(body: bytes) -> Intake:
    """Read a JSON body with the default limits; its pictures are hashed and not stored."""
    headers = {b"content-type": b"application/json"}
    return take_in(body, headers, Settings(), lambda data: hashlib.sha256(data).hexdigest())
