"""The named ways to break a success body, for whoever tests against them; `Prefer: violation=<id>` asks the mock server for one."""

from bodydouble_mockserver._violations import Violation, violations

__all__ = ["Violation", "violations"]
