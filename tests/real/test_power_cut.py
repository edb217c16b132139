"""The power of a machine is cut while collectd writes through our plugin to a receiver that is away:
what had been accepted for longer than SpoolSync is delivered later, each sample once, and none is
damaged. The machine says over its serial line what has been accepted, and does not wait for a disk to do
it."""

import os
import random
import shutil
import subprocess
import time

import pytest

import machine
from lib.process import wait_until
from lib.receiver import Receiver
from lib.stack import BUILD, COLLECTD, COLLECTD_PLUGINS, Collectd, block, plugin_block

CUTS = 6         # of a machine that runs on with what the last one has left
REPLAYS = 8      # of one machine's writes, each with others lost
SYNC_S = 1       # the default of SpoolSync
SLACK_S = 0.5    # how late an emulated machine's threads may be on a busy host
THREADS, SERIES = 5, 20  # as in tests/bench/feed_counters.c
BOOKS = ("acked", "rejected", "dropped_full", "dropped_age", "dropped_invalid")

CONFIG = f"""
Hostname "host"
BaseDir "/tmp"
PIDFile "/tmp/collectd.pid"
PluginDir "/plugins"
TypesDB "/types.db"
Interval 1
LoadPlugin logfile
<Plugin logfile>
  LogLevel info
  File STDOUT
</Plugin>
LoadPlugin write_prometheus_remote
<Plugin write_prometheus_remote>
  <Node "n">
    URL "http://127.0.0.1:9/api/v1/write"
    SpoolDirectory "/spool"
    SpoolSync {SYNC_S}
  </Node>
</Plugin>
LoadPlugin feed_counters
"""

# The feeder's state file: one number for each thread, which is all that has been accepted.
INIT = """#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin FEED_BEGIN_MS FEED_STATE=/tmp/feed
mount -t proc none /proc; mount -t sysfs none /sys; mount -t devtmpfs none /dev
mount -t tmpfs none /tmp
for module in {modules}; do insmod $module; done
mount -t ext4 /dev/vda /spool || echo "no disk"
dd if=/dev/zero of=/tmp/feed bs=8 count={threads} 2>/dev/null
/usr/sbin/collectd -f -C /collectd.conf &
while :; do
  read now idle </proc/uptime
  echo "accepted $now $(od -A n -v -t u8 /tmp/feed | tr -s ' \\n' ' ')"
  sleep 0.03
done
"""


@pytest.fixture(name="kit", scope="module")
def make_kit(tmp_path_factory):
    """(directory, kernel, memory disk)."""
    reason = machine.why_not()
    if reason:
        pytest.skip(reason)
    directory = str(tmp_path_factory.mktemp("machine"))
    kernel = machine.fetch_kernel()
    subprocess.run(["make", "-s", "-C", BUILD, "feed_counters.la"], check=True,
                   stdout=subprocess.DEVNULL)
    archive = machine.Archive()
    archive.device("/dev/console", 5, 1)
    archive.program("/usr/bin/busybox", "/bin/busybox")
    archive.program(COLLECTD)
    for plugin in (os.path.join(BUILD, ".libs", "write_prometheus_remote.so"),
                   os.path.join(BUILD, ".libs", "feed_counters.so"),
                   os.path.join(COLLECTD_PLUGINS, "logfile.so")):
        archive.program(plugin, f"/plugins/{os.path.basename(plugin)}")
    archive.file("/usr/share/collectd/types.db", "/types.db")
    for folder in ("proc", "sys", "tmp", "spool"):
        archive.folder(folder)
    archive.text("/collectd.conf", CONFIG)
    modules = machine.add_kernel_modules(archive, kernel)
    archive.text("/init", INIT.format(modules=" ".join(modules), threads=THREADS), 0o755)
    memory_disk = os.path.join(directory, "memory-disk")
    archive.write(memory_disk)
    return directory, kernel, memory_disk


class Run:
    """One life of a machine: when it was heard that what had been accepted."""

    def __init__(self, begin_ms):
        self.begin_ms = begin_ms
        self.told = []

    def take(self, lines):
        words = [(at, line.split()) for at, line in lines if line.startswith("accepted ")]
        words = [(at, each) for at, each in words if len(each) == 2 + THREADS]
        self.told = [(at, [int(word) for word in each[2:]]) for at, each in words]
        # How late each line was heard, by the two clocks: the least of it at the begin and at the end,
        # since this process may pause.
        late = [at - float(each[1]) for at, each in words]
        third = max(len(late) // 3, 1)
        fast = min(late[:third]) - min(late[-third:])
        assert fast < 0.2 * (words[-1][0] - words[0][0]) + 0.001, (
            "the machine's clock is fast: its seconds would be easier to keep to")

    def accepted(self, at):
        """How far each thread had come at that moment."""
        return max((numbers for heard, numbers in self.told if heard <= at),
                   default=[0] * THREADS)

    def heard_at(self, thread, number):
        return min(heard for heard, numbers in self.told if numbers[thread] >= number)


def boot(kit, disk, begin_ms, parts, **options):
    directory, kernel, memory_disk = kit
    host = machine.Machine(directory, kernel, memory_disk, disk,
                           arguments=f"FEED_BEGIN_MS={begin_ms}", **options)
    parts.append(host)
    host.start()
    host.wait_for("Initialization complete", 60)
    assert "no disk" not in host.output()
    return host


def deliver(directory, disk, parts):
    """What a real collectd makes of the spool on the disk: {begin of a run: {(thread, series):
    [numbers]}} and the books it publishes, at every moment."""
    spool = os.path.join(directory, "spool")
    shutil.rmtree(spool, ignore_errors=True)
    os.makedirs(spool)
    machine.files_of(disk, "/n", spool)
    receiver = Receiver().start()
    parts.append(receiver)
    collectd = Collectd(directory, plugin_block(
        "write_prometheus_remote",
        block("Node", "n", URL=receiver.url, SpoolDirectory=spool, BatchSendDeadline=0)),
        interval_s=0.2)
    parts.append(collectd)
    began_ms = time.time() * 1000
    collectd.start()

    def books():
        found = {}
        for text, samples in receiver.series(own=True).items():
            name = text.partition("{")[0].removeprefix("collectd_remote_write_samples_")
            if 'node="n"' in text and name.removesuffix("_total") in (*BOOKS, "accepted", "pending"):
                found[name.removesuffix("_total")] = {each.time_ms: each.value for each in samples}
        return found

    def is_empty():
        pending = books().get("pending", {})
        return [1 for at, value in pending.items() if began_ms < at < 10**13 and value < 50]

    wait_until(is_empty, 30, lambda: f"an empty spool:\n{collectd.output()[-3000:]}", poll_s=0.1)
    collectd.stop()
    receiver.check_all()
    assert not collectd.find(r"\[error\]"), collectd.output()
    found = {}
    for text, samples in receiver.series().items():
        if not text.startswith("collectd_fed_gauge"):
            continue
        thread, series = text.split('fed="')[1].split('"')[0].split("-")
        for sample in samples:
            begin_ms = sample.time_ms - int(sample.value)
            found.setdefault(begin_ms, {}).setdefault((int(thread), int(series)), []).append(
                int(sample.value))
    return found, books()


def check_books(books):
    moments = [at for at in books["accepted"] if all(at in books[name] for name in books)]
    assert moments
    for at in moments:
        other = sum(books[name][at] for name in (*BOOKS, "pending"))
        assert books["accepted"][at] == other, (at, {name: books[name][at] for name in books})


def lost_s(run, delivered, cut_at):
    """Checks one run against what was delivered of it. Returns how old the oldest lost sample was."""
    must = run.accepted(cut_at - SYNC_S - SLACK_S)
    heard = run.accepted(cut_at)
    oldest = 0.0
    for thread in range(THREADS):
        for series in range(SERIES):
            numbers = delivered.get((thread, series), [])
            assert len(set(numbers)) == len(numbers), "a sample twice"
            missing = set(range(2, heard[thread] + 1)) - set(numbers)
            for number in missing:
                oldest = max(oldest, cut_at - run.heard_at(thread, number))
            assert not [n for n in missing if n <= must[thread]], (
                f"lost, {oldest:.2f} s after it was accepted: {sorted(missing)[:10]}")
    return oldest


def test_power_cuts(kit, tmp_path, parts):
    directory, dice, runs, first_ms = str(tmp_path), random.Random(6), [], int(time.time() * 1000)
    disk = os.path.join(directory, "disk")
    machine.make_disk(disk)
    cuts, boots = [], []
    for cut in range(CUTS):
        run = Run(first_ms + cut * 10**6)
        began = time.monotonic()
        host = boot(kit, disk, run.begin_ms, parts)
        boots.append(time.monotonic() - began)
        host.listen(dice.uniform(0.1, 4))  # a random moment is what is tested
        cuts.append(host.cut_power())
        run.take(host.lines())
        runs.append(run)
    found, books = deliver(directory, disk, parts)
    ages = [lost_s(run, found.get(run.begin_ms, {}), cut_at) for run, cut_at in zip(runs, cuts)]
    check_books(books)
    assert set(found) <= {run.begin_ms for run in runs}, "a damaged sample"
    fed = sum(len(numbers) for run in found.values() for numbers in run.values())
    assert fed > 1000
    print(f"{CUTS} power cuts: {fed} samples delivered, each once; the oldest lost one had been "
          f"accepted {max(ages):.2f} s before the cut (SpoolSync {SYNC_S} s); a machine is up after "
          f"{sum(boots) / len(boots):.1f} s")


def test_a_disk_that_loses_and_reorders_its_cache(kit, tmp_path, parts):
    """Whatever a disk had not been told to flush is lost or kept, write by write, as dice say."""
    directory, dice = str(tmp_path), random.Random(6)
    disk, log = os.path.join(directory, "disk"), os.path.join(directory, "writes")
    machine.make_disk(disk)
    pristine = os.path.join(directory, "pristine")
    shutil.copy(disk, pristine)
    open(log, "wb").close()
    run = Run(int(time.time() * 1000))
    host = boot(kit, disk, run.begin_ms, parts, drive_log=log)
    sizes = []
    host.listen(8, lambda: sizes.append((time.monotonic(), os.path.getsize(log))))
    host.cut_power()
    run.take(host.lines())
    writes = machine.WriteLog(log)
    ages, lost = [], 0
    ends = [write[4] for write in writes.writes if sizes[0][1] < write[4] <= sizes[-1][1]]
    for end in dice.sample(ends, REPLAYS):  # most of them between a write and its flush
        cut_at = min(at for at, size in sizes if size >= end)
        shutil.copy(pristine, disk)
        lost += writes.replay(disk, end, dice)
        found, books = deliver(directory, disk, parts)
        ages.append(lost_s(run, found.get(run.begin_ms, {}), cut_at))
        check_books(books)
        assert set(found) <= {run.begin_ms}, "a damaged sample"
    print(f"{REPLAYS} power cuts in one machine's {len(writes.writes)} writes, {lost} of them lost "
          f"although later ones were kept: the oldest lost sample had been accepted "
          f"{max(ages):.2f} s before the cut (SpoolSync {SYNC_S} s)")
