"""The acts of the story that must be true: two runs, a burst of eight, an outage. The integration
tests and the real cluster tell the same one."""

import time

from .process import wait_until
from .stack import POOL

TUTORIAL_QUERY = (f'max_over_time(spacelift_worker_pool_runs_pending{{worker_pool_name="{POOL}"}}'
                  '[5m])')

def two_runs(stack):
    """1. Two runs: both running because the pool went to 2; one ends: back to 1."""
    stack.wait_size(1, 10)
    stack.spacelift.add_runs(2)
    wait_until(lambda: stack.spacelift.pool()["busy"] == 2, 10,
               lambda: f"two runs at work: {stack.spacelift.pool()}")
    assert stack.pool_size() == 2
    stack.collectd.wait_line(r"1 -> 2 workers: busy \d \+ pending \d = 2", 5)
    stack.spacelift.finish(1)
    stack.wait_size(1, 15)
    assert stack.spacelift.pool()["busy"] == 1
    stack.spacelift.finish(1)


def burst(stack):
    """2. Eight runs: up to the maximum, which the log says, all finish, back to the minimum."""
    done = stack.spacelift.pool()["finished"]
    stack.spacelift.add_runs(8, duration_s=2)
    stack.wait_size(5, 10)
    stack.collectd.wait_line(r"-> 5 workers: .* held at MaxWorkers 5", 5)
    stack.wait_finished(done + 8, 30)
    stack.wait_size(1, 20)


def never_below_busy(stack):
    assert stack.spacelift.pool()["shortfalls"] == 0


def tutorial_query(stack):
    """3. Prometheus answers the tutorial's own query, unchanged."""
    wait_until(lambda: (stack.prometheus.value(TUTORIAL_QUERY) or 0) >= 3, 15,
               lambda: f"{TUTORIAL_QUERY}: {stack.prometheus.query(TUTORIAL_QUERY)}")


def outage(stack, seconds):
    """4. The API goes away: nothing shrinks, the log says why once, everything recovers."""
    stack.spacelift.add_runs(3)
    stack.wait_size(3, 10)
    wait_until(lambda: stack.spacelift.pool()["busy"] == 3, 10, "three at work")
    stack.spacelift.faults(outage=True)
    failure = r'account "acme": cannot read workerPools'
    stack.collectd.wait_line(failure, 10)
    # The runs end while nobody can see it: only the last answer says that three workers are needed.
    stack.spacelift.finish(3)
    time.sleep(seconds)  # the length of the outage is what is tested
    assert stack.pool_size() == 3
    # After 5 minutes it would be said again; it was at most two.
    assert len(stack.collectd.find(failure)) == 1
    assert len(stack.collectd.find("no good data|stale|no news")) <= 2
    stack.spacelift.no_faults()
    stack.collectd.wait_line(r'account "acme": workerPools .*again', 15)
    stack.wait_size(1, 20)
