"""spacelift-pool status, why and watch beside a real daemon."""

import json
import os
import re
import shutil
import signal
import subprocess
import time

import pytest
from lib.command import PROGRAM, spacelift_pool
from lib.process import wait_until
from lib.stack import POOL, Stack
from lib.terminal import Terminal


@pytest.fixture(name="stack")
def running_stack(tmp_path):
    stack = Stack(str(tmp_path), with_prometheus=False)
    stack.start()
    yield stack
    stack.stop()


def states(stack):
    return os.path.join(stack.collectd.data, "workerpool_scaler")


def wait_status(stack, condition):
    """Waits until `status` says something of which condition(pool as JSON) is true."""
    def look():
        answer = spacelift_pool("status", "--output", "json", "--state-directory", states(stack))
        if answer.status == 0:
            [cluster] = json.loads(answer.out)
            return condition(cluster["each_pool"][0]) and cluster
        return None
    return wait_until(look, 20, "the status", poll_s=0.2)


def test_status_and_why(stack, tmp_path):
    wait_status(stack, lambda p: p["size"] == 1 and p["data"] == "good")
    stack.spacelift.add_runs(3, duration_s=600)
    wait_status(stack, lambda p: p["size"] == 3 and p.get("change_to") == 3 and p["busy"] == 3)

    where = ("--state-directory", states(stack))
    row = rf"^{POOL} +3 +3 +3 +0 +1-5  busy 3 \+ pending 0 = 3$"
    answer = wait_until(lambda: (told := spacelift_pool("status", *where)) and told.status == 0
                        and re.search(row, told.out, re.M) and told, 10,
                        lambda: f"{row}: {spacelift_pool('status', *where)}", poll_s=0.2)
    assert re.search(r"^cluster prod  decides, as of \d+ s ago$", answer.out, re.M), answer
    assert "\x1b" not in answer.out
    answer = spacelift_pool("status", "--color", "always", *where)
    assert "\x1b[32mdecides\x1b[0m" in answer.out, answer

    answer = spacelift_pool("why", POOL, *where)
    assert answer.status == 0, answer
    assert "size         3 workers" in answer.out, answer
    assert re.search(r"last change  \d{4}-\d\d-\d\d \d\d:\d\d:\d\d, \d+ s ago: .*-> 3", answer.out), \
        answer
    answer = spacelift_pool("why", "my-amazing-workerpool", *where)
    assert answer.status == 1 and f'did you mean "{POOL}"?' in answer.err, answer

    # The configuration says where the files are, too. A file nobody has written for long: dead.
    stack.collectd.stop()
    old = tmp_path / "old"
    shutil.copytree(states(stack), old)
    [name] = [n for n in os.listdir(old) if n.endswith(".status")]
    text = (old / name).read_text()
    (old / name).write_text(re.sub(r'"written_ms":\d+', '"written_ms":1766000000000', text))
    config = tmp_path / "pool.conf"
    config.write_text(f'<Plugin workerpool_scaler>\n  StateDirectory "{old}"\n</Plugin>\n')
    answer = spacelift_pool("status", "--config", config)
    assert answer.status == 1 and "nobody has written this for" in answer.out, answer


def test_status_without_an_agent(tmp_path):
    answer = spacelift_pool("status", "--state-directory", tmp_path / "nothing")
    assert answer.status == 1 and "is workerpool_scaler running on this host" in answer.err, answer
    answer = spacelift_pool("status", "--state-directory", tmp_path)
    assert answer.status == 1 and "holds no status of any cluster" in answer.err, answer
    (tmp_path / "x.status").write_text("{}\n")
    answer = spacelift_pool("status", "--state-directory", tmp_path)
    assert answer.status == 1 and "x.status" in answer.err, answer


def write_status(directory, size=3):
    now_ms = int(time.time() * 1000)
    lines = [{"form": 1, "cluster": "prod", "written_ms": now_ms, "leader": True, "pools": 1},
             {"pool": "builds", "worker_pool": "builds", "size": size, "actual": size,
              "desired": size, "data": "good", "busy": size, "demand": size, "floor": 1, "cap": 9,
              "why": f"busy {size} + pending 0 = {size}"}]
    new = directory / "new"
    new.write_text("".join(json.dumps(line) + "\n" for line in lines))
    os.rename(new, directory / "prod.status")


@pytest.mark.parametrize("end", ["q", signal.SIGTERM])
def test_watch_in_a_terminal(tmp_path, end):
    write_status(tmp_path)
    terminal = Terminal(PROGRAM, "watch", "--state-directory", str(tmp_path))
    try:
        terminal.read_until(r"\x1b\[\?1049h(.|\n)*busy 3 \+ pending 0 = 3")
        write_status(tmp_path, size=4)
        terminal.read_until(r"busy 4 \+ pending 0 = 4")
        if end == "q":
            os.write(terminal.master, b"q")
        else:
            terminal.child.send_signal(end)
        terminal.read_until(r"\x1b\[\?25h\x1b\[\?1049l$")  # the screen is as it was
        assert terminal.child.wait(10) == 0
    finally:
        terminal.close()


def test_watch_fits(tmp_path):
    """More pools than lines: the head stays, nothing scrolls, and it says that there are more."""
    for name in range(9):
        write_status(tmp_path)
        os.rename(tmp_path / "prod.status", tmp_path / f"c{name}.status")
    terminal = Terminal(PROGRAM, "watch", "--state-directory", str(tmp_path), size=(8, 50))
    try:
        terminal.read_until(r"q to leave; \d+ more lines in a taller window")
        picture = terminal.seen.split("\x1b[H")[1].split("q to leave")[0]
        lines = [re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", line).strip() for line in
                 picture.split("\n")]
        assert len(lines) == 8 and lines[0].startswith("cluster "), lines
        assert max(map(len, lines)) <= 50, lines
    finally:
        terminal.close()


def test_watch_without_a_terminal(tmp_path):
    write_status(tmp_path)
    with subprocess.Popen([PROGRAM, "watch", "--state-directory", str(tmp_path)],
                          stdout=subprocess.PIPE, text=True) as child:
        first = [child.stdout.readline() for _ in range(3)]
        write_status(tmp_path, size=4)
        second = [child.stdout.readline() for _ in range(3)]
        child.send_signal(signal.SIGINT)
        assert child.wait(10) == 0
    assert first[2].endswith("busy 3 + pending 0 = 3\n") and "\x1b" not in "".join(first)
    assert second[2].endswith("busy 4 + pending 0 = 4\n")
