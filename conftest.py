"""Hypothesis profiles for all tests: ``ci`` tries the same examples every time, ``--hypothesis-profile=long`` looks for new ones."""

from hypothesis import HealthCheck, settings

_SLOW = (HealthCheck.too_slow, HealthCheck.data_too_large)

settings.register_profile("ci", deadline=None, derandomize=True, max_examples=100, suppress_health_check=_SLOW)
settings.register_profile("long", deadline=None, derandomize=False, max_examples=2000, suppress_health_check=_SLOW)
settings.load_profile("ci")
