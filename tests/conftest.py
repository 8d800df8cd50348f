"""What all tests have in common."""

from __future__ import annotations

import sys

from hypothesis import HealthCheck, settings

from hyperlambda import Evaluator

# Machines that run tests are shared, and slow at times: how long one example takes says
# nothing about the code. What must be quick has a test that measures it.
settings.register_profile(
    "shared machine", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("shared machine")

# The first program lets Python call deeper. Hypothesis minds when that happens inside of
# a test, so it happens here.
Evaluator().run("")
_RECURSION_LIMIT = sys.getrecursionlimit()


def pytest_runtest_teardown() -> None:
    """Leave to the next test what this one found: programs may let Python call deeper."""
    sys.setrecursionlimit(_RECURSION_LIMIT)
