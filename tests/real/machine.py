"""A virtual machine whose power can be cut: Debian's own kernel, and a memory disk put together from what
is installed here: busybox, collectd, our plugins and their libraries. What the machine has not written to
its disk when it is killed is gone, as it is in a host."""

import os
import re
import signal
import stat
import struct
import subprocess
import time

from lib.process import Process, wait_until
from mounts import install

HERE = os.path.dirname(os.path.abspath(__file__))
MODULES = ("virtio_pci", "virtio_blk")  # and what they depend on
QEMU = "qemu-system-x86_64"
SECTOR = 512


def why_not():
    """Why there can be no machine here; None: there can. Installs what it needs."""
    if os.uname().machine != "x86_64":
        return "not an amd64 machine"
    return install("qemu-system-x86", "busybox", "e2fsprogs")


def fetch_kernel():
    done = subprocess.run([os.path.join(HERE, "fetch-kernel")], stdout=subprocess.PIPE, text=True,
                          check=True)
    return done.stdout.strip()


# ---- the memory disk -----------------------------------------------------------------------------

class Archive:
    """cpio's "newc", which the kernel unpacks."""

    def __init__(self):
        self._out = bytearray()
        self._seen = set()

    def _add(self, name, mode, data=b"", device=(0, 0)):
        if name in self._seen:
            return
        self._seen.add(name)
        fields = [len(self._seen), mode, 0, 0, 1, 0, len(data), 0, 0, *device, len(name) + 1, 0]
        self._out += b"070701" + b"".join(b"%08x" % field for field in fields)
        self._out += name.encode() + b"\0"
        self._pad()
        self._out += data
        self._pad()

    def _pad(self):
        self._out += bytes(-len(self._out) % 4)

    def folder(self, path):
        parts = path.strip("/").split("/")
        for end in range(1, len(parts) + 1):
            self._add("/".join(parts[:end]), stat.S_IFDIR | 0o755)

    def text(self, path, text, mode=0o644):
        self.folder(os.path.dirname(path))
        self._add(path.strip("/"), stat.S_IFREG | mode, text.encode())

    def file(self, source, path=None):
        path = path or source
        self.folder(os.path.dirname(path))
        with open(source, "rb") as file:
            self._add(path.strip("/"), stat.S_IFREG | 0o755, file.read())

    def program(self, source, path=None):
        """With every library that it needs."""
        self.file(source, path)
        needed = subprocess.run(["ldd", source], capture_output=True, text=True, check=False).stdout
        for library in re.findall(r"(?:=> )?(/\S+) \(0x", needed):
            self.file(os.path.realpath(library), library)

    def device(self, path, major, minor):
        self.folder(os.path.dirname(path))
        self._add(path.strip("/"), stat.S_IFCHR | 0o600, device=(major, minor))

    def write(self, path):
        self._add("TRAILER!!!", 0)
        with open(path, "wb") as file:
            file.write(self._out)


def add_kernel_modules(archive, kernel):
    """The paths of what the machine's devices need, in the order in which they are loaded."""
    paths, order = {}, []
    for directory, _, names in os.walk(os.path.join(kernel, "lib", "modules")):
        paths.update({name.removesuffix(".ko").replace("-", "_"): os.path.join(directory, name)
                      for name in names if name.endswith(".ko")})

    def add(name):
        with open(paths[name], "rb") as file:
            needed = re.search(rb"\0depends=([^\0]*)\0", file.read())
        for other in needed[1].decode().split(",") if needed and needed[1] else ():
            add(other.replace("-", "_"))
        if name not in order:
            order.append(name)
            archive.file(paths[name], f"/modules/{name}.ko")

    for name in MODULES:
        if name in paths:  # else it is in the kernel itself
            add(name)
    return [f"/modules/{name}.ko" for name in order]


# ---- the machine ---------------------------------------------------------------------------------

class Machine(Process):
    """Its serial console is the log; lines() gives what it says, with the time each line came."""

    def __init__(self, directory, kernel, memory_disk, disk, *, arguments="", drive_log=None):
        image = next(name for name in os.listdir(os.path.join(kernel, "boot"))
                     if name.startswith("vmlinuz-"))
        # What qemu has written outlives it without a flush of this host's own disk, which would take
        # the time that others need it for.
        drive = f"file={disk},format=raw,if=virtio,cache=unsafe"
        if drive_log:  # every write is noted in the order in which the disk gets them
            drive = ("driver=blklogwrites,if=virtio,file.driver=file,"
                     f"file.filename={disk},file.cache.no-flush=on,"
                     f"log.driver=file,log.filename={drive_log},log.cache.no-flush=on")
        super().__init__("machine", [
            QEMU, "-accel", "tcg", "-m", "192", "-smp", "1", "-nodefaults",
            "-display", "none", "-no-reboot", "-serial", "stdio", "-nic", "none",
            "-drive", drive,
            "-kernel", os.path.join(kernel, "boot", image), "-initrd", memory_disk,
            "-append", "console=ttyS0 quiet panic=-1 random.trust_cpu=on clocksource=acpi_pm "
            f"{arguments}"],
            os.path.join(directory, "console.log"))
        self._heard = []
        self._offset = 0

    def start(self):
        self._heard = []
        open(self.log, "wb").close()
        self._offset = 0
        return super().start()

    def lines(self):
        """[(monotonic time, line)] of all that has been said until now."""
        with open(self.log, "rb") as file:
            file.seek(self._offset)
            new = file.read()
        now = time.monotonic()
        whole = new.rfind(b"\n") + 1
        self._offset += whole
        self._heard += [(now, line.decode(errors="replace").strip())
                        for line in new[:whole].splitlines()]
        return self._heard

    def listen(self, duration_s, also=lambda: None):
        """For so long; lines() knows when each line came only if somebody listens."""
        until = time.monotonic() + duration_s
        while time.monotonic() < until:
            self.lines()
            also()
            time.sleep(0.005)

    def wait_for(self, pattern, deadline_s):
        def find():
            if not self.alive():
                raise AssertionError(f"the machine has ended:\n{self.output()[-3000:]}")
            return [line for _, line in self.lines() if re.search(pattern, line)]
        return wait_until(find, deadline_s, lambda: f"{pattern}:\n{self.output()[-3000:]}",
                          poll_s=0.01)

    def cut_power(self):
        """The time of it."""
        self.lines()
        self.signal(signal.SIGKILL)
        at = time.monotonic()
        self.wait(10)
        return at


# ---- disks ---------------------------------------------------------------------------------------

def _run(*argv, good=(0,)):
    environment = {**os.environ, "PATH": os.environ["PATH"] + ":/usr/sbin:/sbin"}
    done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          env=environment, check=False, errors="replace")
    assert done.returncode in good, f"{argv}: {done.stdout}"
    return done.stdout


def make_disk(path, size_mib=64):
    with open(path, "wb") as file:
        file.truncate(size_mib << 20)
    _run("mkfs.ext4", "-q", "-E", "nodiscard,lazy_itable_init=0", path)


def files_of(disk, path, directory):
    """What stands below path in the file system on the disk, as a host finds it after its next start:
    the file system's own journal is replayed (on a copy)."""
    copy = os.path.join(directory, "disk-after")
    _run("cp", "--sparse=always", disk, copy)
    _run("e2fsck", "-fy", copy, good=(0, 1))
    os.makedirs(directory, exist_ok=True)
    _run("debugfs", "-R", f'rdump {path} "{directory}"', copy)
    os.remove(copy)


class WriteLog:
    """What qemu's blklogwrites has noted: the writes in their order, and the flushes between them
    (linux/drivers/md/dm-log-writes.c). A disk with a cache of its own that loses power keeps all that
    was flushed, and of the rest whatever it likes."""

    FLUSH, FUA = 1, 2

    def __init__(self, path):
        self.writes = []  # (sector, bytes, must have been flushed before it, end in the log)
        with open(path, "rb") as file:
            self._data = file.read()
        magic, _, _, size = struct.unpack_from("<QQQI", self._data)
        assert magic == 0x6a736677736872, "no log of writes"
        at = size
        while at + size <= len(self._data):
            sector, count, flags, _ = struct.unpack_from("<QQQQ", self._data, at)
            end = at + size + (count * SECTOR if not flags & 4 else 0)
            if end > len(self._data) or (sector, count, flags) == (0, 0, 0):
                break
            self.writes.append((sector, at + size, count * SECTOR, flags, end))
            at = -(-end // size) * size

    def replay(self, disk, end, dice):
        """Makes of the disk before the first write what a loss of power leaves when the log has
        grown to end: the last flush and everything before it, and some of what came after. Returns
        how many writes were lost."""
        writes = [write for write in self.writes if write[4] <= end]
        flushed = max([i for i, write in enumerate(writes) if write[3] & self.FLUSH], default=0)
        lost = 0
        with open(disk, "r+b") as file:
            for i, (sector, at, count, flags, _) in enumerate(writes):
                if i > flushed and not flags & self.FUA and dice.random() < 0.5:
                    lost += 1
                    continue
                file.seek(sector * SECTOR)
                file.write(self._data[at:at + count])
        return lost
