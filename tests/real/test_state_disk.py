"""StateDirectory on a disk that hangs: the scaler goes on, and so does the end of collectd."""

import json
import os

import mounts
from lib.process import wait_until
from lib.stack import POOL, Stack
from test_spool_disk import (end_while_it_hangs, hanging,
                             system_maker)  # noqa: F401 pylint: disable=unused-import


def test_the_disk_hangs(tmp_path, parts, make_system):
    system = make_system()
    stack = Stack(str(tmp_path), with_prometheus=False)
    state = os.path.join(system.path, "state")
    with open(stack.collectd.config, encoding="utf-8") as file:
        text = file.read()
    before = "<Plugin workerpool_scaler>\n"
    assert before in text
    with open(stack.collectd.config, "w", encoding="utf-8") as file:
        file.write(text.replace(before, f'{before}  StateDirectory "{state}"\n'))
    parts.append(stack)
    stack.start()

    def status():
        try:
            with open(os.path.join(state, "prod.status"), encoding="utf-8") as file:
                return json.loads(file.read().splitlines()[1])
        except FileNotFoundError:
            return {}
    wait_until(lambda: status().get("pool") == POOL, 10, "a status file")
    mounts.run("fsfreeze", "-f", system.path)
    try:
        stack.spacelift.add_runs(3)
        stack.wait_size(3, 10)
        for name in ("state", "status"):
            stack.collectd.wait_line(
                rf"cannot write {state}/prod.{name}: its disk has not answered for 5 s", 40)
        stack.spacelift.add_runs(1)
        stack.wait_size(4, 10)
    finally:
        mounts.run("fsfreeze", "-u", system.path)
    for name in ("state", "status"):
        stack.collectd.wait_line(rf"{state}/prod.{name} is written again", 30)
    wait_until(lambda: status().get("size") == 4, 20, lambda: str(status()))
    with hanging(system, stack.collectd):
        stack.spacelift.add_runs(1)
        stack.wait_size(5, 10)
        ended_s = end_while_it_hangs(stack.collectd)
    print(f"scaled to 5 workers while the disk hung; the end: {ended_s:.2f} s")
    assert ended_s < 2
    stack.collectd.wait_line(f'the disk of StateDirectory "{state}" does not answer', 5)
    stack.collectd.start()
    wait_until(lambda: status().get("size") == 5, 20, lambda: str(status()))
