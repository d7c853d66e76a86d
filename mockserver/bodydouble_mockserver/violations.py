"""Named ways to break a success body, for tests; `Prefer: violation=<id>` requests one from the mock server."""

from bodydouble_mockserver._violations import Violation, violations

__all__ = ["Violation", "violations"]
