"""Small file systems of a test's own, in a mount namespace that ends with the test."""

import ctypes
import os
import subprocess

from lib.process import wait_until
from lib.stack import TREE

PATH = os.environ["PATH"] + ":/usr/sbin:/sbin"
_CLONE_NEWNS, _MS_REC_PRIVATE, _MNT_DETACH = 0x20000, 0x4000 | 0x40000, 2
_libc = ctypes.CDLL(None, use_errno=True)


def run(*argv, check=True):
    done = subprocess.run([str(word) for word in argv], stdout=subprocess.PIPE, text=True,
                          stderr=subprocess.STDOUT, env={**os.environ, "PATH": PATH}, check=False)
    assert not check or done.returncode == 0, f"{argv}: {done.stdout}"
    return done


def install(*packages):
    """The system's words where they cannot be installed, else None."""
    done = run(os.path.join(TREE, "tests", "tools", "install-packages"), *packages, check=False)
    return None if done.returncode == 0 else done.stdout.strip().splitlines()[-1]


def enter_namespace():
    """From now on mounts of this process and its children are seen by nobody else. Why it cannot be,
    or None."""
    if os.getuid() != 0:
        return "mounting needs root"
    if _libc.unshare(_CLONE_NEWNS) != 0:
        return f"unshare: {os.strerror(ctypes.get_errno())}"
    if _libc.mount(None, b"/", None, _MS_REC_PRIVATE, None) != 0:
        return f"mount --make-rprivate /: {os.strerror(ctypes.get_errno())}"
    return None


class FileSystem:
    """kind: ext4, xfs, btrfs (in a file, through a loop device) or tmpfs."""

    PACKAGES = {"ext4": ["e2fsprogs"], "xfs": ["xfsprogs"], "btrfs": ["btrfs-progs"]}
    SIZES_MIB = {"ext4": 16, "tmpfs": 16, "xfs": 320, "btrfs": 128}  # as small as they can be

    def __init__(self, directory, kind, options="", make=()):
        self.path = os.path.join(directory, "mnt")
        self.kind = kind
        self.image = os.path.join(directory, "image")
        self._options = options
        self._size_mib = self.SIZES_MIB[kind]
        self._make = make
        self.is_mounted = False

    def start(self):
        """Mounts it. Returns the system's words where it cannot be, else None."""
        why_not = install(*self.PACKAGES.get(self.kind, ()))
        if why_not:
            return why_not
        os.makedirs(self.path, exist_ok=True)
        options = self._options
        if self.kind == "tmpfs":
            source = "tmpfs"
            options = f"size={self._size_mib}m,{options}".rstrip(",")
        else:
            source = self.image
            options = f"loop,{options}".rstrip(",")
            with open(source, "wb") as file:
                file.truncate(self._size_mib << 20)
            run(f"mkfs.{self.kind}", "-q", *self._make, source)
        done = run("mount", "-t", self.kind, "-o", options, source, self.path, check=False)
        self.is_mounted = done.returncode == 0
        return None if self.is_mounted else done.stdout.strip()

    def unmount(self):
        """As an administrator does; collectd itself has its working directory elsewhere."""
        wait_until(lambda: run("umount", self.path, check=False).returncode == 0, 10,
                   f"{self.path} unmounted")
        self.is_mounted = False

    def mount_again(self):
        run("mount", "-t", self.kind, "-o", "loop", self.image, self.path)
        self.is_mounted = True

    def fill(self, name="somebody-elses-file"):
        """Somebody else's file takes all that there is."""
        path = os.path.join(self.path, name)
        with open(path, "ab", buffering=0) as file:
            for block in (64 << 20, 1 << 20, 64 << 10, 4096):
                try:
                    while True:
                        os.posix_fallocate(file.fileno(), os.fstat(file.fileno()).st_size, block)
                except OSError:
                    pass
            try:
                while file.write(bytes(4096)):
                    pass
            except OSError:
                pass
        return path

    def take_inodes(self):
        """Empty files until there can be no more. The directory they are in."""
        folder = os.path.join(self.path, "somebody-elses")
        os.makedirs(folder)
        try:
            for number in range(10**6):
                os.close(os.open(os.path.join(folder, str(number)), os.O_CREAT | os.O_WRONLY))
        except OSError:
            pass
        return folder

    def stop(self):
        if self.is_mounted:
            run("umount", "-l", self.path, check=False)
            self.is_mounted = False
