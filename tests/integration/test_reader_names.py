"""Every series of the official exporter, in a real Prometheus, with its name, labels and value: what
v0.11.0 exposes for this simulated account, word for word (tests/bench/figure-reader-exporter runs it)."""

import json
import re

from lib.process import wait_until
from lib.stack import (API_KEY_SECRET, POOL, Collectd, Prometheus, SpaceliftSimulator, account_block,
                       block, plugin_block)
from test_reader import write

EXPORTER = """\
spacelift_current_average_run_duration 1.87e+11
spacelift_current_avg_stack_size_by_resource_count 23
spacelift_current_billing_period_end_timestamp_seconds 1.7546784e+09
spacelift_current_billing_period_start_timestamp_seconds 1.752e+09
spacelift_current_billing_period_used_private_seconds 740700
spacelift_current_billing_period_used_public_seconds 40680
spacelift_current_billing_period_used_seats 42
spacelift_current_median_run_duration 1.42e+11
spacelift_current_resources_count_by_drift{state="DRIFTED"} 14
spacelift_current_resources_count_by_drift{state="IN_SYNC"} 1902
spacelift_current_stacks_count_by_state{state="FAILED"} 7
spacelift_current_stacks_count_by_state{state="FINISHED"} 128
spacelift_current_stacks_count_by_state{state="UNCONFIRMED"} 3
spacelift_public_worker_pool_parallelism 2
spacelift_public_worker_pool_runs_pending 0
spacelift_public_worker_pool_workers_busy 0
spacelift_worker_pool_runs_pending{worker_pool_id="ID",worker_pool_name="my-amazing-worker-pool"} 4
spacelift_worker_pool_workers{worker_pool_id="ID",worker_pool_name="my-amazing-worker-pool"} 3
spacelift_worker_pool_workers_busy{worker_pool_id="ID",worker_pool_name="my-amazing-worker-pool"} 3
spacelift_worker_pool_workers_drained{worker_pool_id="ID",worker_pool_name="my-amazing-worker-pool"} 1
"""
# Those of the exporter whose value is of the moment or of the program.
PRESENT = ["spacelift_scrape_duration_seconds", "spacelift_build_info"]
# What the exporter has since then, of each collector.
COLLECTORS = ["aggregates", "publicworkerpool", "usage", "workerpools"]


def expected(pool_id):
    series = {}
    for line in EXPORTER.replace('"ID"', f'"{pool_id}"').splitlines():
        name, labels, value = re.fullmatch(r"(\w+)(?:{(.*)})? (\S+)", line).groups()
        series[(name, frozenset(re.findall(r'(\w+)="([^"]*)"', labels or "")))] = float(value)
    return series


def stored(prometheus):
    """What is there, without the labels that a host adds."""
    found = {}
    for each in prometheus.query('{__name__=~"spacelift_.+"}'):
        labels = dict(each["metric"])
        name = labels.pop("__name__")
        for own in ("instance", "job"):
            labels.pop(own, None)
        found[(name, frozenset(labels.items()))] = float(each["value"][1])
    return found


def test_all_of_the_exporter(tmp_path, parts):
    account = SpaceliftSimulator(str(tmp_path), pools=[f"{POOL}=3"])
    prometheus = Prometheus(str(tmp_path))
    for part in (account, prometheus):
        parts.append(part.start())
    account.add_runs(3)
    account.control("drain", pool=POOL, count=1)
    account.add_runs(4)
    collectd = Collectd(
        str(tmp_path),
        plugin_block("spacelift", account_block(account.url, write(tmp_path / "s", API_KEY_SECRET),
                                                UsageInterval=1, AggregatesInterval=1)),
        plugin_block("write_prometheus_remote",
                     block("Node", "p", URL=prometheus.write_url, BatchSendDeadline=1)))
    parts.append(collectd.start())
    wanted = expected(account.pool()["id"])

    def missing():
        found = stored(prometheus)
        return {series: (value, found.get(series)) for series, value in wanted.items()
                if found.get(series) != value}

    def complete():
        """A request need not hold a whole poll."""
        found = stored(prometheus)
        return ({name for name, _ in found} >= set(PRESENT) and not missing() and all(
            (f"spacelift_scrape_collector_{what}", frozenset({("collector", collector)})) in found
            for what in ("success", "supported") for collector in COLLECTORS) and found)
    found = wait_until(complete, 20, lambda: f"{missing()}")
    names = {name for name, _ in found}
    build = next(dict(labels) for name, labels in found if name == "spacelift_build_info")
    assert set(build) == {"version", "commit"} and re.fullmatch(r"unknown|[0-9a-f]{40}(-dirty)?",
                                                                build["commit"])
    for collector in COLLECTORS:
        for what, value in (("success", 1), ("supported", 1)):
            series = (f"spacelift_scrape_collector_{what}", frozenset({("collector", collector)}))
            assert found[series] == value
    assert json.dumps(sorted(names)).count("collectd_spacelift") == 0
