"""The story on real collectd and real Prometheus, with the simulators of the two APIs."""

import pytest

from lib import acts
from lib.stack import Stack

OUTAGE_S = 8


@pytest.fixture
def stack(tmp_path, parts):
    stack = Stack(str(tmp_path))
    parts.append(stack)
    return stack.start()


def test_story(stack):
    acts.two_runs(stack)
    acts.burst(stack)
    acts.tutorial_query(stack)
    acts.outage(stack, OUTAGE_S)
    acts.never_below_busy(stack)
    status, seconds = stack.collectd.stop()
    assert status == 0 and seconds < 1
