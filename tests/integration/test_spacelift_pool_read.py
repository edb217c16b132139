"""spacelift-pool read: what Telegraf's inputs.exec and inputs.execd expect of a child."""

import json
import os
import re
import signal

import pytest

from lib.process import wait_until
from lib.stack import (API_KEY_ID, API_KEY_SECRET, POOL, SpaceliftSimulator, account_block,
                       plugin_block)
from lib.telegraf_host import Execd, account_options, run_once, write_secret

# What the reader says about itself is not asked for here.
LINE = re.compile(r"^spacelift\w*(,[a-z_]+=(\\.|[^\\ ,])+)* [a-z_]+=[0-9.e+-]+i?(,[a-z_]+=[0-9.e+-]+i?)* "
                  r"\d{19}$")


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    return str(tmp_path_factory.mktemp("read"))


@pytest.fixture(scope="module")
def simulator(directory):
    simulator = SpaceliftSimulator(directory, pools=(POOL, "b c"))
    try:
        yield simulator.start()
    finally:
        simulator.stop()


@pytest.fixture
def spacelift(simulator):
    yield simulator
    simulator.no_faults()


@pytest.fixture
def account(spacelift, directory):
    return account_options(spacelift.url, write_secret(directory))


@pytest.fixture
def execd(parts, account):
    def start(*more):
        child = Execd("read", "--execd", *account, *more)
        parts.append(child)
        return child
    return start


# ---- once ----------------------------------------------------------------------------------------

def test_once(account):
    status, out, err = run_once("read", *account)
    assert status == 0
    assert all(LINE.match(line) for line in out.splitlines()), out
    pools = [line for line in out.splitlines() if line.startswith("spacelift_worker_pool,")]
    assert len(pools) == 2
    assert re.search(r"^spacelift_worker_pool,worker_pool_id=\w+,worker_pool_name=b\\ c "
                     r"runs_pending=0i,workers_busy=0i,workers=0i,workers_drained=0i \d+$", out, re.M)
    assert API_KEY_SECRET not in out + err
    # All pools of a reading carry the same time.
    assert len({line.split()[-1] for line in pools}) == 1


def test_other_outputs(account):
    status, out, _ = run_once("read", *account, "--output", "json")
    assert status == 0
    names = {metric["name"] for metric in json.loads(out)["metrics"]}
    assert {"spacelift_worker_pool", "spacelift_public_worker_pool"} <= names
    status, out, _ = run_once("read", *account, "--output", "prometheus")
    assert status == 0
    assert out.count("# TYPE spacelift_worker_pool_runs_pending gauge\n") == 1
    assert re.search(r'^spacelift_worker_pool_workers\{worker_pool_name="b c",.*\} 0 \d{13}$', out,
                     re.M)


def test_where_the_account_comes_from(spacelift, directory, tmp_path):
    """A configuration file that is collectd's, the environment of spacectl, a systemd credential."""
    secret = write_secret(directory)
    (tmp_path / "other.conf").write_text('<Plugin cpu>\n  Foreign "option"\n</Plugin>\n')
    (tmp_path / "mine.conf").write_text(plugin_block("spacelift",
                                                     account_block(spacelift.url, secret)))
    (tmp_path / "collectd.conf").write_text(
        'Hostname "h"\nInterval 10\nLoadPlugin cpu\n<LoadPlugin df>\n  Interval 60\n</LoadPlugin>\n'
        f'Include "{tmp_path}/o*.conf"\n<Include "{tmp_path}">\n  Filter "mine.conf"\n</Include>\n')
    status, out, err = run_once("read", "--config", str(tmp_path / "collectd.conf"))
    assert (status, err) == (0, "") and "spacelift_worker_pool," in out

    path = {"PATH": os.environ["PATH"]}
    status, out, err = run_once("read", env={
        **path, "SPACELIFT_API_KEY_ENDPOINT": spacelift.url, "SPACELIFT_API_KEY_ID": API_KEY_ID,
        "SPACELIFT_API_KEY_SECRET": API_KEY_SECRET})
    assert (status, err) == (0, "") and "spacelift_worker_pool," in out

    (tmp_path / "telegraf.spacelift-api-key-secret").write_text(API_KEY_SECRET)
    os.chmod(tmp_path / "telegraf.spacelift-api-key-secret", 0o400)
    status, out, err = run_once("read", "--url", spacelift.url, "--api-key-id", API_KEY_ID,
                                env={**path, "CREDENTIALS_DIRECTORY": str(tmp_path)})
    assert (status, err) == (0, "") and "spacelift_worker_pool," in out


@pytest.mark.parametrize("arguments, message", [
    ([], "no Spacelift account: give --url"),
    (["--confg", "x"], "unknown option --confg, did you mean --config?"),
    (["--config", "/nonexistent"], "cannot open /nonexistent"),
    (["--url", "ftp://x"], "must begin with https:// or http://"),
    (["--timeout", "0"], "it must be from 1 to 600000 ms"),
    (["--output", "xml"], "must be one of: influx, prometheus, json"),
    (["surplus"], '"surplus" is too much'),
])
def test_usage(arguments, message):
    status, out, err = run_once("read", *arguments, env={"PATH": os.environ["PATH"]})
    assert (status, out) == (2, "")
    assert message in err.splitlines()[0]


def test_failures_come_first(account, spacelift):
    """Telegraf shows the first line of standard error, cut at 512 bytes."""
    spacelift.faults(outage=True)
    status, _, err = run_once("read", *account)
    assert status == 1
    first = err.splitlines()[0]
    assert "cannot read workerPools" in first and len(first) < 512


def test_deadline(account, spacelift):
    spacelift.faults(hang=True)
    status, _, err = run_once("read", *account, "--deadline", "0.3")
    assert status == 1
    assert "no answer within 0.3 s: raise --deadline" in err


# ---- execd ---------------------------------------------------------------------------------------

def gathers(child):
    return len(child.lines()) // 2


def test_newlines_coalesce(execd):
    child = execd()
    child.newline()
    child.wait_lines(2)
    child.newline(200)
    child.newline(200)
    child.wait_lines(4)
    status, _ = child.leave()
    assert status == 0
    assert 2 <= gathers(child) <= 4
    assert child.log.startswith("I! spacelift-pool ")
    assert all(LINE.match(line) for line in child.out.splitlines())
    assert child.out.endswith("\n")


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2])
def test_signals(execd, number):
    child = execd()
    child.wait(lambda: child.log, 10, "its first line")  # before it, a signal would end it
    for count in (1, 2):
        child.child.send_signal(number)
        child.wait_lines(2 * count)
    assert child.leave()[0] == 0


def test_by_itself(execd):
    """signal = "none"."""
    child = execd("--every", "1")
    child.wait_lines(4)
    assert child.leave()[0] == 0


def test_nothing_is_lost_at_the_end(execd):
    """telegraf --once: a newline, then the end of input at once."""
    for _ in range(5):
        child = execd()
        child.newline()
        status, seconds = child.leave()
        assert status == 0 and seconds < 5
        assert gathers(child) == 1 and child.out.endswith("\n")


@pytest.mark.parametrize("more, words", [([], "spacelift-pool "),
                                         (["--config", "/not/there"], "/not/there")])
def test_its_last_words_are_read(account, more, words):
    """Also where the start has failed."""
    assert words in Execd.check_last_words("read", "--execd", *account, *more)


def test_end_while_the_api_hangs(execd, spacelift):
    spacelift.faults(hang=True)
    child = execd()
    child.wait(lambda: child.log, 10, "its first line")
    child.newline()
    status, seconds = child.leave()
    assert status == 0 and seconds < 5


def test_outage(execd, spacelift):
    """It stays, says so once, keeps quiet about pools, and goes on afterwards."""
    child = execd()
    child.newline()
    child.wait_lines(2)
    spacelift.faults(outage=True)
    failed = "spacelift_scrape_collector,collector=workerpools success=0i"
    for count in (1, 2, 3):
        child.newline()
        child.wait(lambda n=count: child.out.count(failed) >= n, 10, f"failure {count}")
    assert gathers(child) == 1
    assert child.log.count("W! ") == len(set(re.findall(r"cannot read (\w+)", child.log)))
    assert "cannot read workerPools" in child.log
    spacelift.no_faults()
    child.newline()
    child.wait_lines(4)
    child.wait(lambda: "I! account" in child.log, 10, "the recovery in the log")
    assert child.leave()[0] == 0


def test_reader_that_stops_reading(parts, account, tmp_path):
    """Older reports give way to newer ones; the process stays small, lives and leaves."""
    many = SpaceliftSimulator(str(tmp_path), pools=[f"pool-{i:04d}" for i in range(600)])
    parts.append(many)
    many.start()
    arguments = account_options(many.url, account[-1])
    child = Execd("read", "--execd", *arguments)
    parts.append(child)
    gathers_so_far = 0
    for _ in range(20):
        child.newline()
        gathers_so_far += 1
        wait_until(lambda n=gathers_so_far: len(polls(many)) >= n, 10, "a poll")
        child.pump([child.child.stderr])
    assert child.child.poll() is None
    child.wait(lambda: "W! standard output is not read" in child.log or len(child.lines()) >= 600,
               10, "a word about it")
    child.newline()
    status, seconds = child.leave()
    assert status == 0 and seconds < 5
    lines = child.out.splitlines()
    assert all(LINE.match(line) for line in lines)
    assert len(child.lines()) < 20 * 600


def polls(simulator):
    return [r for r in simulator.requests() if r["operation"] == "CollectdSpacelift_WorkerPools"]


def test_reader_that_never_reads(execd):
    child = execd()
    for _ in range(3):
        child.newline()
    status, seconds = child.leave(reads=False)
    assert status == 0 and seconds < 5


def test_reader_that_goes(execd):
    """EPIPE is the end, not a crash."""
    child = execd()
    child.child.stdout.close()
    child.newline()
    wait_until(lambda: child.child.poll() is not None, 5, "the end")
    assert child.child.returncode == 0
