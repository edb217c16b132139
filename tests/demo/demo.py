#!/usr/bin/python3
"""usage: ./demo [--duration SECONDS] [--plain]

Shows collectd-spacelift at work: real collectd with its three plugins and real Prometheus, a
simulated Spacelift account and a stand-in for the Kubernetes API. Nothing leaves this machine.

  act 1  two runs are triggered; one ends
  act 2  a burst of eight runs meets MaxWorkers 5
  act 3  the Spacelift API goes away while runs end, and comes back

  --duration SECONDS  go on for so long: after the three acts, a minute in all, runs come at random
  --plain             lines instead of a picture, as when the output is not a terminal
  --help              this

Ends with what was seen, and exit status 0 only if all of it was as it should be.
"""

import argparse
import os
import random
import re
import shutil
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "integration"))
from lib.process import Timeout, wait_until  # noqa: E402
from lib.stack import POOL, Stack  # noqa: E402

QUERY = f'max_over_time(spacelift_worker_pool_runs_pending{{worker_pool_name="{POOL}"}}[5m])'
MAX_WORKERS = 5
OUTAGE_S = 10
LOG_LINE = re.compile(r"^\[\d+-\d+-\d+ (\d+:\d+:\d+)\] \[(\w+)\] (\w+) plugin: (.*)$")


class Ended(Exception):
    """The time is over, or somebody pressed Ctrl-C."""


class Observer:
    """What can be seen from outside, and its history."""

    def __init__(self, stack):
        self.stack = stack
        self.begin = time.monotonic()
        self.history = []  # (seconds, pending, busy, workers, size)
        self.prometheus = None
        self._asked_prometheus = 0

    def seconds(self):
        return time.monotonic() - self.begin

    def look(self):
        pool = self.stack.spacelift.pool()
        now = (pool["pending"], pool["busy"], pool["workers"], pool["size"])
        self.history.append((self.seconds(), *now))
        if time.monotonic() - self._asked_prometheus > 1:
            self._asked_prometheus = time.monotonic()
            self.prometheus = self.stack.prometheus.value(QUERY)
        return now

    def log(self):
        """(time, severity, plugin, words) of our plugins' lines."""
        found = [LOG_LINE.match(line) for line in self.stack.collectd.output().splitlines()]
        return [match.groups() for match in found if match]


class Plain:
    """A line for each change."""

    def __init__(self, observer, duration_s):
        del duration_s
        self.observer = observer
        self._last = None
        self._lines_shown = 0

    def act(self, title):
        print(f"\n== {title}", flush=True)

    def show(self):
        now = self.observer.look()
        for clock, _, plugin, words in self.observer.log()[self._lines_shown:]:
            self._lines_shown += 1
            print(f"{'':8} {clock} {plugin}: {words}")
        if now != self._last:
            self._last = now
            answer = self.observer.prometheus
            print(f"{self.observer.seconds():6.1f} s  pending {now[0]}  busy {now[1]}  "
                  f"workers {now[2]}  poolSize {now[3]}  Prometheus: most pending "
                  f"{'-' if answer is None else format(answer, 'g')}", flush=True)

    def close(self):
        pass


class Picture:
    """The whole screen, drawn again ten times a second."""

    BARS = " ▁▂▃▄▅▆▇█"

    def __init__(self, observer, duration_s):
        self.observer = observer
        self.duration_s = duration_s
        self._title = ""
        sys.stdout.write("\x1b[?1049h\x1b[?25l")

    def act(self, title):
        self._title = title

    def _graph(self, column, width, top):
        """The history as one bar per slice of time."""
        if not self.observer.history:
            return ""
        end = max(self.duration_s, self.observer.history[-1][0])
        bars = [None] * width
        for entry in self.observer.history:
            at = min(width - 1, int(entry[0] / end * width))
            bars[at] = max(bars[at] or 0, entry[column])
        text, last = "", 0
        filled = int(self.observer.history[-1][0] / end * width)
        for value in bars[:filled + 1]:
            last = last if value is None else value
            text += self.BARS[min(8, -(-last * 8 // top))]
        return text

    def show(self):
        pending, busy, workers, size = self.observer.look()
        columns, rows = shutil.get_terminal_size((100, 30))
        width = max(20, columns - 24)
        answer = self.observer.prometheus
        lines = [
            f"\x1b[1mcollectd-spacelift\x1b[0m   {self.observer.seconds():.0f} s of "
            f"{self.duration_s:.0f} s   {POOL}, MinWorkers 1, MaxWorkers {MAX_WORKERS}",
            f"\x1b[33m{self._title}\x1b[0m", "",
            f" runs pending   {pending:3}  \x1b[31m{self._graph(1, width, 8)}\x1b[0m",
            f" workers busy   {busy:3}  \x1b[32m{self._graph(2, width, 8)}\x1b[0m",
            f" workers        {workers:3}  {self._graph(3, width, 8)}",
            f" poolSize       {size:3}  \x1b[36m{self._graph(4, width, 8)}\x1b[0m", "",
            " Prometheus: " + QUERY, f"   = {'-' if answer is None else format(answer, 'g')}", "",
            " collectd's log",
        ]
        log = self.observer.log()[-max(3, rows - len(lines) - 1):]
        lines += [f"   {clock} {plugin}: {words}" for clock, _, plugin, words in log]
        cut = [line if "\x1b" in line else line[:columns] for line in lines]
        sys.stdout.write("\x1b[H" + "".join(f"{line}\x1b[K\n" for line in cut) + "\x1b[J")
        sys.stdout.flush()

    def close(self):
        sys.stdout.write("\x1b[?25h\x1b[?1049l")
        sys.stdout.flush()


class Story:
    """The acts, and what was true of them."""

    def __init__(self, stack, observer, view, duration_s):
        self.stack = stack
        self.observer = observer
        self.view = view
        self.duration_s = duration_s
        self.facts = []  # (what, whether)

    def check(self, what, condition, deadline_s):
        """Shows while it waits for something that should become true."""
        def is_true():
            if self.observer.seconds() > self.duration_s + 60:
                raise Ended
            self.view.show()
            return condition()
        try:
            wait_until(is_true, deadline_s, what, poll_s=0.1, is_limit=True)
            self.facts.append((what, True))
        except Timeout:
            self.facts.append((what, False))

    def watch(self, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.view.show()
            time.sleep(0.1)

    def _said(self, pattern, count=1):
        return lambda: len(self.stack.collectd.find(pattern)) >= count

    def act_1(self):
        spacelift = self.stack.spacelift
        self.view.act("Act 1: two runs are triggered; one ends")
        self.watch(3)
        spacelift.add_runs(2)
        self.check("two runs: both at work, because the pool went to 2",
                   lambda: spacelift.pool()["busy"] == 2 and self.stack.pool_size() == 2, 10)
        self.watch(3)
        spacelift.finish(1)
        self.check("one of them ended: the pool went back to 1",
                   lambda: self.stack.pool_size() == 1 and spacelift.pool()["busy"] == 1, 15)
        spacelift.finish(1)

    def act_2(self):
        spacelift = self.stack.spacelift
        self.view.act("Act 2: a burst of eight runs meets MaxWorkers 5")
        done = spacelift.pool()["finished"]
        spacelift.add_runs(8, duration_s=5)
        self.check("a burst of 8: the pool went to 5", lambda: self.stack.pool_size() == 5, 10)
        self.check("the log said that the maximum held it there",
                   self._said(r"-> 5 workers: .*held at MaxWorkers 5"), 5)
        self.check("all 8 finished", lambda: spacelift.pool()["finished"] >= done + 8, 30)
        self.check("the pool went back to 1", lambda: self.stack.pool_size() == 1, 20)
        self.check("Prometheus answered the tutorial's query",
                   lambda: (self.observer.prometheus or 0) >= 3, 10)

    def act_3(self):
        spacelift = self.stack.spacelift
        self.view.act(f"Act 3: the Spacelift API goes away for {OUTAGE_S} seconds while runs end")
        spacelift.add_runs(3)
        self.check("three runs: all at work, because the pool went to 3",
                   lambda: spacelift.pool()["busy"] == 3 and self.stack.pool_size() == 3, 10)
        failure = r"cannot read workerPools"
        before = len(self.stack.collectd.find(failure))
        spacelift.faults(outage=True)
        spacelift.finish(3)
        self.watch(OUTAGE_S)
        self.facts.append(("outage: nothing shrank", self.stack.pool_size() == 3))
        self.facts.append(("outage: the log said why, once",
                           len(self.stack.collectd.find(failure)) == before + 1))
        spacelift.no_faults()
        self.check("afterwards it recovered by itself, back to 1",
                   lambda: self.stack.pool_size() == 1, 20)

    def encore(self):
        """Runs at random until the time is over."""
        rng = random.Random()
        self.view.act("Encore: runs come at random")
        while self.observer.seconds() < self.duration_s:
            if rng.random() < 0.15:
                self.stack.spacelift.add_runs(rng.randint(1, 4), duration_s=rng.uniform(2, 8))
            self.watch(min(1, self.duration_s - self.observer.seconds()))

    def tell(self):
        self.act_1()
        self.act_2()
        self.act_3()
        if self.observer.seconds() < self.duration_s:
            self.encore()
        self.facts.append(("at no moment was the pool smaller than its busy workers",
                           self.stack.spacelift.pool()["shortfalls"] == 0))


def summary(story, stop_s, seconds):
    print(f"\nWhat was seen in {seconds:.0f} s:")
    for what, is_true in story.facts:
        print(f"  {'yes' if is_true else 'NO '}  {what}")
    print(f"  {'yes' if stop_s < 1 else 'NO '}  collectd stopped within a second ({stop_s:.2f} s)")
    return all(is_true for _, is_true in story.facts) and stop_s < 1


def play(stack, arguments):
    observer = Observer(stack)
    is_plain = arguments.plain or not sys.stdout.isatty()
    view = (Plain if is_plain else Picture)(observer, arguments.duration)
    story = Story(stack, observer, view, arguments.duration)
    is_whole = False
    try:
        story.tell()
        is_whole = True
    except (Ended, KeyboardInterrupt):
        pass
    finally:
        view.close()
    _, stop_s = stack.collectd.stop()
    if not is_plain:
        print("\n".join(f"  {clock} {plugin}: {words}"
                        for clock, _, plugin, words in observer.log() if "workers:" in words))
    is_true = summary(story, stop_s, observer.seconds())
    if not is_whole:
        print("It was not told to its end.")
    return 0 if is_true and is_whole else 1


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("\n", maxsplit=1)[0].removeprefix(
        "usage: "), add_help=False)
    parser.add_argument("--duration", type=float, default=60)
    parser.add_argument("--plain", action="store_true")
    arguments = parser.parse_args()
    directory = tempfile.mkdtemp(prefix="collectd-spacelift-demo-")
    print("starting Prometheus, the simulators and collectd", flush=True)
    stack = None
    try:
        stack = Stack(directory, max_workers=MAX_WORKERS, registration_s=1, scale_in_window_s=4)
        return play(stack.start(), arguments)
    finally:
        if stack:
            stack.stop()
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
