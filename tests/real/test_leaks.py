"""The daemon under valgrind: after a story with failures in it, a stop leaves nothing of ours behind,
and nothing of ours ever touched memory it should not."""

import re

import pytest

from lib.process import wait_until
from lib.stack import (API_KEY_SECRET, PLUGINS, POOL, Collectd, SpaceliftSimulator, Stack,
                       account_block, plugin_block)
from test_reader import EVERYTHING, write


def complaints(text):
    """valgrind's records in which a source file of ours or a plugin of ours appears."""
    records = re.split(r"^==\d+== \n", text, flags=re.MULTILINE)
    ours = re.compile(r"\b(sl_\w+|module_register)\b|/(%s)\.so" % "|".join(PLUGINS))
    bad = re.compile(r"definitely lost|indirectly lost|Invalid (read|write|free)|uninitialised|"
                     r"overlap")
    return [record for record in records if bad.search(record) and ours.search(record)]


def grow(stack, runs):
    """To that many workers, at work, whose runs then end."""
    stack.spacelift.add_runs(runs)
    stack.wait_size(runs, 60)
    wait_until(lambda: stack.spacelift.pool()["busy"] == runs, 60, f"{runs} at work")
    stack.spacelift.finish(runs)


@pytest.mark.parametrize("with_trouble", [False, True], ids=["calm", "trouble"])
def test_nothing_is_lost(tmp_path, parts, with_trouble):
    report = tmp_path / "valgrind.txt"
    stack = Stack(str(tmp_path), interval_s=2, wrapper=(
        "valgrind", "--leak-check=full", "--show-leak-kinds=definite,indirect",
        "--errors-for-leak-kinds=definite", "--keep-debuginfo=yes", f"--log-file={report}"))
    parts.append(stack)
    for part in (stack.prometheus, stack.kubernetes, stack.spacelift):
        part.start()
    stack.collectd.start(ready_s=60)
    grow(stack, 3)
    if with_trouble:
        for fault in ("html", "truncated_json", "null_field", "huge", "rate_limit", "outage"):
            stack.spacelift.faults(**{fault: 1})
            wait_until(lambda: not stack.spacelift.state()["faults"], 60, fault)
        for fault in ("html", "truncated_json", "conflict", "drop_answer", "outage"):
            stack.kubernetes.faults(**{fault: 1})
        grow(stack, 5)
    stack.wait_size(1, 120)
    status, _ = stack.collectd.stop(deadline_s=60)
    assert status == 0
    text = report.read_text(encoding="utf-8", errors="replace")
    assert "LEAK SUMMARY" in text or "All heap blocks were freed" in text
    found = complaints(text)
    assert not found, "\n".join(found)


def test_nothing_of_the_reader_is_lost(tmp_path, parts):
    """Every document, pages, filters, and what goes wrong on the way."""
    account = SpaceliftSimulator(str(tmp_path), pools=[f"{POOL}=3", "long=2"])
    parts.append(account.start())
    account.add_runs(5)
    account.control("runs", pool="long", count=250)
    for stack in ("locked", "held", "free"):
        account.control("runs", pool="long", count=3, blocked=True, stack=stack)
    account.control("stacks", id="locked", locked_by="alice")
    account.control("stacks", id="held", blocker="01RUN")
    report = tmp_path / "valgrind.txt"
    collectd = Collectd(
        str(tmp_path),
        plugin_block("spacelift", account_block(
            account.url, write(tmp_path / "secret", API_KEY_SECRET), ExcludePoolLabel="x*",
            **EVERYTHING)),
        wrapper=("valgrind", "--leak-check=full", "--show-leak-kinds=definite,indirect",
                 "--errors-for-leak-kinds=definite", "--keep-debuginfo=yes",
                 f"--log-file={report}"))
    parts.append(collectd)
    collectd.start(ready_s=60)
    queues = lambda: sum(r["operation"] == "CollectdSpacelift_Queue" for r in account.requests())
    wait_until(lambda: queues() >= 8, 60, "two rounds of two queues, one of three pages")
    for fault in ("html", "truncated_json", "null_field", "cut_off", "http_401"):
        account.faults(**{fault: 1})
        wait_until(lambda: not account.state()["faults"], 60, fault)
    seen = queues()
    wait_until(lambda: queues() >= seen + 4, 90, "and one after the trouble")
    status, _ = collectd.stop(deadline_s=60)
    assert status == 0
    text = report.read_text(encoding="utf-8", errors="replace")
    assert "LEAK SUMMARY" in text or "All heap blocks were freed" in text
    found = complaints(text)
    assert not found, "\n".join(found)
