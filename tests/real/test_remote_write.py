"""The remote writer and a real Prometheus, with a real collectd that is killed a hundred times: the
distribution's Prometheus gets 1.0, a current one 2.0."""

import array
import os
import random
import shutil
import signal
import subprocess
import time

import pytest

from lib.process import wait_until
from lib.stack import BUILD, Collectd, Prometheus, block, plugin_block
from prometheus3 import Prometheus3

THREADS, SERIES = 5, 20  # as in tests/bench/feed_counters.c
BOOKS = ("acked", "rejected", "dropped_full", "dropped_age", "dropped_invalid")


class Feed:
    """What tests/bench/feed_counters.c puts, and how far it has come."""

    def __init__(self, directory):
        self.path = os.path.join(directory, "feed")
        self.begin_ms = int(time.time() * 1000)
        with open(self.path, "wb") as file:
            file.write(bytes(8 * THREADS))
        self.environment = {"FEED_STATE": self.path, "FEED_BEGIN_MS": str(self.begin_ms)}

    def done(self):
        numbers = array.array("Q")
        with open(self.path, "rb") as file:
            numbers.frombytes(file.read())
        return list(numbers)


def collectd_of(directory, prometheus, feeds):
    subprocess.run(["make", "-s", "-C", BUILD, "feed_counters.la"], check=True,
                   stdout=subprocess.DEVNULL)
    shutil.rmtree(os.path.join(directory, "plugins"), ignore_errors=True)
    collectd = Collectd(
        directory,
        plugin_block("write_prometheus_remote",
                     block("Node", "n", URL=prometheus.write_url, BatchSendDeadline=0.1)),
        *(["LoadPlugin feed_counters"] if feeds else []))
    shutil.copy(os.path.join(BUILD, ".libs", "feed_counters.so"), collectd.plugin_dir)
    return collectd


@pytest.mark.parametrize("receiver,protocol,kills", [(Prometheus, 1, 100), (Prometheus3, 2, 100)])
def test_nothing_is_lost_over_kills(tmp_path, parts, receiver, protocol, kills):
    """While Prometheus is away, too, which it is from a third of the kills on for another third."""
    directory = str(tmp_path)
    dice = random.Random(6)
    prometheus = receiver(directory).start()
    parts.append(prometheus)
    feed = Feed(directory)
    os.environ.update(feed.environment)
    collectd = collectd_of(directory, prometheus, feeds=True)
    parts.append(collectd)
    for kill in range(kills):
        if kill == kills * 3 // 10:
            prometheus.stop()
        if kill == kills * 6 // 10:
            prometheus.start()
        before = feed.done()
        collectd.start()
        wait_until(lambda: all(a > b for a, b in zip(feed.done(), before)), 20,
                   lambda: f"values after kill {kill}:\n{collectd.output()[-2000:]}", poll_s=0.005)
        time.sleep(dice.uniform(0, 0.5))  # a random moment is what is tested
        collectd.signal(signal.SIGKILL)
        collectd.wait(10)
    done = feed.done()
    collectd = collectd_of(directory, prometheus, feeds=False)
    parts.append(collectd.start())
    pending = 'collectd_remote_write_samples_pending{node="n"}'
    began_ms = time.time() * 1000
    wait_until(lambda: [v for at, v in prometheus.matrix(pending).popitem()[1]
                        if at > began_ms and v < 100], 60, "an empty journal", poll_s=0.5)

    # Every number that a callback has returned 0 for, once; at most one more of each kill, whose
    # callbacks may have returned when nobody could write it down.
    found = prometheus.matrix("collectd_fed_gauge")
    assert len(found) == THREADS * SERIES
    more = 0
    for labels, samples in found.items():
        thread = int(dict(labels)["fed"].split("-")[0])
        assert all(at == feed.begin_ms + value for at, value in samples)
        numbers = [value for _, value in samples]
        assert len(set(numbers)) == len(numbers)
        gaps = set(range(1, done[thread] + 1)) - set(numbers)
        assert len(gaps) <= kills and not any(number + 1 in gaps for number in gaps)
        more += sum(number > done[thread] for number in numbers)
    assert more <= THREADS * SERIES
    fed = sum(len(samples) for samples in found.values())
    assert fed >= (sum(done) - THREADS * kills) * SERIES

    # The books, at every moment that was recorded.
    books = {dict(labels)["__name__"].removeprefix("collectd_remote_write_samples_"): dict(samples)
             for labels, samples in prometheus.matrix(
                 '{__name__=~"collectd_remote_write_samples_.*",node="n"}').items()}
    moments = sorted(books["accepted_total"])
    assert len(moments) >= kills / 2
    for at in moments:
        other = sum(books[f"{name}_total"][at] for name in BOOKS) + books["pending"][at]
        assert books["accepted_total"][at] == other, at
    spoken = {value for samples in prometheus.matrix(
        'collectd_remote_write_protocol{node="n"}').values() for _, value in samples}
    assert protocol in spoken <= {2, protocol}  # 2.0 before the first answer
    last = {name: books[f"{name}_total"][moments[-1]] for name in ("accepted", *BOOKS)}
    assert last["accepted"] >= fed
    assert all(last[name] == 0 for name in BOOKS[1:]), last
    print(f"{kills} kills: {fed} samples of {len(found)} series, each once; {last}")
