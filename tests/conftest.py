"""What all tests have in common."""

from __future__ import annotations

import sys
from threading import enumerate as enumerate_threads

import pytest
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


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown() -> None:
    """
    Leave to the next test what this one found.

    Programs may let Python call deeper, and what they forked may go on after they have
    ended, and then write to the log that it has failed. Last, since fixtures may let go
    what forks wait for.
    """
    sys.setrecursionlimit(_RECURSION_LIMIT)
    for thread in enumerate_threads():
        if thread.name == "hyperlambda-fork":
            thread.join(10)
