"""The migration page, played: its configuration, its edits by sed, in its order. What KEDA would do the test
does: it writes sizes while the scaler watches, and after it has gone back."""

import os
import re
import subprocess

from lib.process import wait_until
from lib.stack import Collectd
from pages import Site, blocks

PAGE = "docs/manual/migration.md"
DROP_IN = "/etc/collectd/collectd.conf.d/spacelift.conf"


def edits():
    """The page's own commands that change the drop-in: over, and back."""
    found = [line for text in blocks(PAGE, "sh") for line in text.splitlines()
             if line.startswith("sed -i ") and line.endswith(DROP_IN)]
    assert len(found) == 2
    return found


def test_shadow_over_and_back(tmp_path, parts):
    site = Site(tmp_path, parts)
    text, = (each for each in blocks(PAGE, "apache"))
    collectd = Collectd(str(tmp_path), site.fill_in(text))
    parts.append(collectd)
    collectd.start()
    over, back = edits()

    def size():
        return site.spacelift.pool()["size"]

    def restart(edit):
        status, _ = collectd.stop()
        assert status == 0
        os.truncate(collectd.log, 0)
        subprocess.run(["sh", "-c", edit.replace(DROP_IN, collectd.config)], check=True)
        collectd.start()

    def wait_decided(workers):
        wait_until(lambda: re.search(rf"(?:-> |: ){workers} workers", collectd.output()), 20,
                   lambda: f"{workers} workers decided\n{collectd.output()[-3000:]}")

    # Side by side: it decides and writes nothing; what KEDA writes is what there is.
    site.spacelift.add_runs(3)
    wait_decided(3)
    assert size() == 1 and not site.kubernetes.patches()
    site.kubernetes.control("size", pool="my-amazing-worker-pool", size=2)

    # Over: KEDA is paused, the pool follows the queue.
    restart(over)
    wait_until(lambda: size() == 3, 20, lambda: collectd.output()[-3000:])

    # Back: nothing is written any more, and the pool keeps its size until KEDA decides.
    written = len(site.kubernetes.patches())
    restart(back)
    site.spacelift.add_runs(1)
    wait_decided(4)
    assert size() == 3 and len(site.kubernetes.patches()) == written
