"""The packages are built once."""

import fcntl
import glob
import os
import subprocess
import sys

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
TREE = os.path.dirname(os.path.dirname(os.path.dirname(HERE)))
sys.path.insert(0, HERE)


@pytest.fixture(scope="session")
def once(tmp_path_factory):
    """once(name, program, *arguments, **environment): the directory `name`, which packaging/PROGRAM has
    filled. Several workers share it: the first one runs the program, the others wait.
    SL_PACKAGES=DIRECTORY takes DIRECTORY/name, which was built elsewhere."""
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent

    def fill(name, program, *arguments, **environment):
        given = os.environ.get("SL_PACKAGES")
        target = os.path.join(given, name) if given else str(shared / name)
        if given and os.path.isdir(target):
            return target
        with open(target + ".lock", "w", encoding="ascii") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not os.path.exists(target + ".done"):
                done = subprocess.run([os.path.join(TREE, "packaging", program), target, *arguments],
                                      stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                      errors="replace", env={**os.environ, **environment},
                                      check=False)
                assert done.returncode == 0, done.stdout[-6000:]
                with open(target + ".done", "w", encoding="ascii"):
                    pass
        return target
    return fill


@pytest.fixture(scope="session")
def tarball(once):
    """The release, from which everything else is built."""
    path, = glob.glob(f"{once('dist', 'dist')}/collectd-spacelift-*.tar.xz")
    return path
