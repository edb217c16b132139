"""The spool on a disk that is full, has no inodes, turns read-only, fails, hangs or is taken away, with a
real collectd and small real file systems. Whatever it is: the daemon lives, its other writers go on and
its write threads do not wait, the log says what is wrong and what to do, once, and that it is over, once;
and every sample is delivered, once, when the receiver is there again."""

import contextlib
import fcntl
import glob
import os
import shutil
import signal
import struct
import time

import pytest

import mounts
from lib.process import free_ports, wait_until
from lib.receiver import Receiver
from lib.stack import LEFT_ITS_LOOP, Collectd, block, plugin_block
from lib.unixsock import Values

BOOKS = ("acked", "rejected", "dropped_full", "dropped_age", "dropped_invalid")
SEGMENT = 256 * 1024  # of a spool of 4 MiB
GROWS = 12000         # values: 24 bytes each, more than a segment
FS_IOC_SHUTDOWN = 0x8004587D
WITHOUT_LOG = 2       # what has not been written stays unwritten


class Host:
    """A collectd with a spool on a file system of its own, a receiver that is away, and csv beside it."""

    def __init__(self, directory, parts, system, nodes=("n",)):
        self.directory = str(directory)
        self.parts = parts
        self.system = system
        self.port = free_ports(1)[0]
        self.spool = os.path.join(system.path, "spool")
        self.values = Values(directory / "sock")
        self.csv = os.path.join(self.directory, "csv")
        self.collectd = Collectd(
            self.directory, self.values.config(),
            f'LoadPlugin csv\n<Plugin csv>\n  DataDir "{self.csv}"\n</Plugin>',
            plugin_block("write_prometheus_remote", *[block(
                "Node", node, URL=f"http://127.0.0.1:{self.port}/api/v1/write",
                SpoolDirectory=self.spool, SpoolSize=4, SpoolSync=0.2, BatchSendDeadline=0,
                MaxBackoff=0.2) for node in nodes]),
            stock_plugins=("unixsock", "csv"), settings="WriteThreads 1")
        parts.append(self.collectd)
        self.receiver = None
        self.time_s = time.time() - 10**5
        self.count = 0

    def put(self, count):
        """So many numbered values; returns when every writer has had them."""
        numbers = range(self.count + 1, self.count + count + 1)
        self.values.put(*[f"test/gauge-x{number % 600} {self.time_s + number:.3f}:{number}"
                          for number in numbers])
        self.count += count
        self.values.settle()

    def segments(self):
        return sorted(os.path.join(path, name) for path, _, names in os.walk(self.spool)
                      for name in names if name.endswith(".seg"))

    def segments_in_files_only(self):
        """Those that wait for their turn and take no memory meanwhile."""
        return set(self.segments()) - {os.path.realpath(each) for each in glob.glob(
            f"/proc/{self.collectd.pid}/fd/*")}

    def wait_error(self, words, count=1):
        line = self.collectd.wait_line(rf"\[error\] write_prometheus_remote.*{words}", 10, count)
        assert f'node "n"' in line and self.spool in line
        return line

    def wait_over(self, count=1):
        self.collectd.wait_line(r"\[notice\].*is written again", 10, count)

    def errors(self):
        return self.collectd.find(r"\[error\] write_prometheus_remote")

    def receive(self):
        """The receiver, which is there from now on."""
        if self.receiver is None:
            self.receiver = Receiver(port=self.port).start()
            self.parts.append(self.receiver)
        return self.receiver

    def fail(self):
        """Every access to the file system is an EIO from now on."""
        root = os.open(self.system.path, os.O_RDONLY)
        fcntl.ioctl(root, FS_IOC_SHUTDOWN, struct.pack("I", WITHOUT_LOG))
        os.close(root)

    def check(self, errors, lost=0):
        """The receiver comes back: everything arrives, once, and the books say so."""
        assert self.collectd.alive()
        receiver = self.receive()
        wait_until(lambda: 'test="x' in str(receiver.series().keys()), 20, "the first values")
        self.put(1)

        def found():
            return [sample.value for text, samples in receiver.series().items()
                    if text.startswith("collectd_test_gauge") for sample in samples]

        wait_until(lambda: self.count in found()[-5:] or self.count in found(), 40,
                   lambda: f"the last of {self.count} values; {len(found())} are there",
                   poll_s=0.3)
        numbers = found()
        assert len(set(numbers)) == len(numbers), "a sample twice"
        missing = set(range(1, self.count + 1)) - set(numbers)
        assert len(missing) == lost, f"{len(missing)} lost: {sorted(missing)[:10]}"
        self._check_books(receiver, lost)
        said = self.errors()
        assert len(said) == errors, said
        self._check_csv()

    def _check_books(self, receiver, lost):
        def moments():
            own = {text.partition("{")[0].removeprefix("collectd_remote_write_samples_")
                   .removesuffix("_total"): {each.time_ms: each.value for each in samples}
                   for text, samples in receiver.series(own=True).items()
                   if text.startswith("collectd_remote_write_samples_") and 'node="n"' in text}
            return [{name: own[name][at] for name in (*BOOKS, "accepted", "pending")}
                    for at in sorted(own.get("accepted", {}))
                    if all(at in own.get(name, {}) for name in (*BOOKS, "pending"))]

        wait_until(lambda: moments() and moments()[-1]["pending"] < 100, 20,
                   lambda: f"an empty spool: {moments()[-1:]}", poll_s=0.3)
        for books in moments():
            assert books["accepted"] == sum(books[name] for name in (*BOOKS, "pending")), books
        assert sum(moments()[-1][name] for name in BOOKS[1:]) == lost

    def _check_csv(self):
        rows = 0
        for path, _, names in os.walk(self.csv):
            for name in names:
                if name.startswith("gauge-x"):
                    with open(os.path.join(path, name), encoding="utf-8") as file:
                        rows += sum(1 for line in file if not line.startswith("epoch"))
        assert rows == self.count, "another writer has missed something"


@pytest.fixture(name="make_system")
def system_maker(tmp_path, parts):
    why_not = mounts.enter_namespace()
    if why_not:
        pytest.skip(why_not)

    def make(kind="ext4", **options):
        system = mounts.FileSystem(str(tmp_path), kind, **options)
        why_not = system.start()
        if why_not:
            pytest.skip(why_not)
        parts.insert(0, system)
        return system

    return make


@pytest.fixture(name="make_host")
def host_maker(tmp_path, parts, make_system):
    return lambda kind="ext4", nodes=("n",), **options: Host(
        tmp_path, parts, make_system(kind, **options), nodes)


@pytest.mark.parametrize("kind", ["ext4", "tmpfs"])
def test_full_before_the_start(make_host, kind):
    host = make_host(kind)
    filling = host.system.fill()
    host.collectd.start()
    host.wait_error("No space left on device.*free some space")
    host.put(500)
    os.remove(filling)
    host.wait_over()
    host.put(500)
    host.check(errors=1)


@pytest.mark.parametrize("kind", ["ext4", "tmpfs", "xfs", "btrfs"])
def test_becomes_full(make_host, kind):
    host = make_host(kind)
    host.collectd.start()
    host.put(100)
    wait_until(host.segments, 5, "a segment")
    filling = host.system.fill()
    host.put(GROWS)
    host.wait_error("No space left on device.*free some space")
    host.put(GROWS)
    assert host.collectd.alive()
    os.remove(filling)
    host.wait_over()
    host.check(errors=1)


def test_killed_and_started_while_the_disk_is_full(make_host):
    """What could be written nowhere is found in memory by the next process."""
    host = make_host()
    host.collectd.start()
    host.put(100)
    filling = host.system.fill()
    host.put(GROWS)
    host.wait_error("No space left on device.*free some space")
    for end in (signal.SIGKILL, signal.SIGTERM):
        host.collectd.signal(end)
        host.collectd.wait(5)
        host.collectd.start()
        host.put(100)
    host.wait_error("No space left on device.*free some space", 3)
    os.remove(filling)
    host.wait_over()
    host.check(errors=3)


def test_no_inodes(make_host):
    host = make_host(make=("-N", "32"))
    host.collectd.start()
    host.put(100)
    wait_until(host.segments, 5, "a segment")
    taken = host.system.take_inodes()
    host.put(GROWS)
    host.wait_error("No space left on device.*inodes")
    shutil.rmtree(taken)
    host.wait_over()
    host.check(errors=1)


def test_becomes_read_only_after_an_error(make_host):
    """ext4 with errors=remount-ro meets an error; then it is checked and mounted again."""
    host = make_host(options="errors=remount-ro")
    host.collectd.start()
    host.put(100)
    wait_until(host.segments, 5, "a segment")
    device = os.path.basename(next(line.split()[0] for line in open("/proc/mounts", encoding="utf-8")
                                   if line.split()[1] == host.system.path))
    with open(f"/sys/fs/ext4/{device}/trigger_fs_error", "w", encoding="utf-8") as file:
        file.write("a test")
    host.put(100)
    host.wait_error("Read-only file system.*mount it writable again|Input/output error")
    host.put(GROWS)
    host.system.unmount()  # nobody holds it: no -l
    mounts.run("e2fsck", "-fy", host.system.image, check=False)
    host.system.mount_again()
    host.wait_over()
    host.check(errors=len(host.errors()))


def test_the_device_fails(make_host):
    host = make_host()
    host.collectd.start()
    host.put(100)
    wait_until(host.segments, 5, "a segment")
    host.fail()
    host.put(100)
    host.wait_error("Input/output error.*the kernel's log")
    host.put(GROWS)
    host.system.unmount()  # nobody holds it: no -l
    host.system.mount_again()
    host.wait_over()
    host.check(errors=1)


def test_the_receiver_comes_while_the_device_fails(make_host):
    """What waits in files cannot be read, and is not given up for that."""
    host = make_host()
    host.collectd.start()
    host.put(5 * GROWS)
    wait_until(host.segments_in_files_only, 10, "segments that are in files only")
    host.fail()
    host.put(100)
    host.wait_error("cannot be written.*Input/output error")
    host.receive()
    host.wait_error("nothing is sent.*cannot be read")
    host.system.unmount()  # nobody holds it: no -l
    host.system.mount_again()
    host.wait_over()
    host.collectd.wait_line(r"\[info\].*is read again", 10)
    host.check(errors=2)


def test_the_directory_is_removed(make_host):
    host = make_host()
    host.collectd.start()
    host.put(100)
    before = wait_until(host.segments, 5, "a segment")
    shutil.rmtree(host.spool)
    host.put(100)
    wait_until(host.segments, 5, "the directory, made again")
    assert len(before) == 1
    host.put(GROWS)
    host.check(errors=0)


def test_segments_are_truncated(make_host):
    """By somebody, while they are written: the memory has what the file has not."""
    host = make_host()
    host.collectd.start()
    host.put(100)
    for segment in wait_until(host.segments, 5, "a segment"):
        os.truncate(segment, 0)
    host.put(100)
    wait_until(lambda: all(os.path.getsize(each) > 4096 for each in host.segments()), 5,
               "the file, made again")
    host.put(GROWS)
    host.check(errors=0)


@contextlib.contextmanager
def hanging(system, collectd):
    """Nothing that is written returns; afterwards collectd, which was told to end, has ended."""
    mounts.run("fsfreeze", "-f", system.path)
    try:
        yield
    finally:
        mounts.run("fsfreeze", "-u", system.path)
    collectd.wait(10)


def end_while_it_hangs(collectd):
    """The seconds it took: the kernel lets no process go of which a thread waits for a disk, but all
    its other threads have ended."""
    collectd.signal(signal.SIGTERM)
    collectd.wait_line(LEFT_ITS_LOOP, 10)
    begin = time.monotonic()
    wait_until(lambda: open(f"/proc/{collectd.pid}/stat", encoding="utf-8").read().rpartition(
        ")")[2].split()[0] == "Z", 10, lambda: f"the end:\n{collectd.output()[-2000:]}")
    return time.monotonic() - begin


def test_the_disk_hangs(make_host):
    """Nothing that is written returns. The write threads do not notice, and neither does the end."""
    host = make_host()
    host.collectd.start()
    host.put(100)
    wait_until(host.segments, 5, "a segment")
    with hanging(host.system, host.collectd):
        begin = time.monotonic()
        host.put(GROWS)
        took_s = time.monotonic() - begin
        ended_s = end_while_it_hangs(host.collectd)
    print(f"{GROWS} values while the disk hung: {took_s:.2f} s; the end: {ended_s:.2f} s")
    assert ended_s < 3
    host.wait_error("does not answer")
    host.collectd.start()
    host.check(errors=1)


def test_the_disk_of_many_nodes_hangs(make_host):
    """They end side by side."""
    nodes = [f"n{number}" for number in range(12)]
    host = make_host(nodes=nodes)
    host.collectd.start()
    host.put(100)
    wait_until(lambda: len(host.segments()) == len(nodes), 5, "a segment of each")
    with hanging(host.system, host.collectd):
        host.put(100)
        ended_s = end_while_it_hangs(host.collectd)
    print(f"the end of {len(nodes)} nodes: {ended_s:.2f} s")
    assert ended_s < 3
    assert len(host.collectd.find("does not answer")) == len(nodes)
