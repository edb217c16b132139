"""What can go wrong between the reader and Spacelift, one row each: the real daemon survives it, says
once what it is, dispatches nothing for what it did not get, and recovers by itself."""

import re
import subprocess

import pytest

from lib.process import wait_until
from lib.stack import (API_KEY_SECRET, POOL, Collectd, SpaceliftSimulator, account_block,
                       plugin_block)
from lib.unixsock import Values
from test_reader import write


INTERVAL_S = 0.25


def polls(account, name="WorkerPools"):
    return sum(r["operation"] == f"CollectdSpacelift_{name}" for r in account.requests())


def daemon(directory, url, **options):
    values = Values(directory / "sock")
    secret = write(directory / "secret", API_KEY_SECRET)
    quiet = {"PublicWorkerPool": False, "Usage": False, "Aggregates": False, "Timeout": 60000, **options}
    collectd = Collectd(str(directory), values.config(),
                        plugin_block("spacelift", account_block(url, secret, **quiet)),
                        stock_plugins=("unixsock",), interval_s=INTERVAL_S)
    return collectd, values


# fault, options of the account, what the one line must say
ANSWERS = [
    ("outage", {}, r"Empty reply"),
    ("reset", {}, r"reset|cut off|closed|ended|transfer"),
    ("cut_off", {}, r"bytes|cut off|closed"),
    ("slow", {"Timeout": 1500}, r"timed out"),
    ("hang", {"Timeout": 1500}, r"timed out"),
    ("html", {}, r"begins with \"<html>.*is URL right"),
    ("html_503", {}, r"HTTP 503 with a web page"),
    ("truncated_json", {}, r"not valid JSON|premature|ends"),
    ("null_field", {}, r"workerPools\[0\]\.pendingRuns is null"),
    ("null_data", {}, r"no workerPools and no error"),
    ("redirect", {}, r"redirected to \"https://elsewhere\.example"),
]


@pytest.mark.parametrize("fault, options, words", ANSWERS, ids=[case[0] for case in ANSWERS])
def test_trouble(tmp_path, parts, fault, options, words):
    account = SpaceliftSimulator(str(tmp_path), pools=[f"{POOL}=1"])
    parts.append(account.start())
    collectd, values = daemon(tmp_path, account.url, **options)
    parts.append(collectd.start())
    pool = f"spacelift-{POOL}/worker_pool-{account.pool()['id']}"
    wait_until(lambda: values.get(pool), 10, collectd.output)
    before = len(collectd.find("cannot read workerPools"))  # on a machine that paused
    account.faults(**{fault: True})
    line = collectd.wait_line("cannot read workerPools", 10, before + 1)
    assert re.search(words, line), line
    assert f"{account.url}/graphql" in line or "workerPools[0]" in line or "workerPools and" in line
    # Nothing is dispatched for what was not got: the daemon itself forgets the values.
    wait_until(lambda: values.get(pool) is None, 15, "values that stay away")
    assert len(collectd.find("cannot read workerPools")) == before + 1
    account.no_faults()
    wait_until(lambda: values.get(pool), 30, collectd.output)
    collectd.wait_line("workerPools .*is read again, after", 10, before + 1)
    assert len(collectd.find("workerPools .*is read again, after")) == before + 1


@pytest.mark.parametrize("dress", ["gzip", "chunked", "text_plain"])
def test_good_answers_in_another_dress(tmp_path, parts, dress):
    account = SpaceliftSimulator(str(tmp_path), pools=[f"{POOL}=1"])
    parts.append(account.start())
    account.faults(**{dress: True})
    collectd, values = daemon(tmp_path, account.url)
    parts.append(collectd.start())
    wait_until(lambda: values.get(f"spacelift-{POOL}/worker_pool-{account.pool()['id']}"), 10,
               collectd.output)
    assert not collectd.find("cannot read")


def test_rate_limit(tmp_path, parts):
    """HTTP 429 with JSON that says it is text: not asked again before the server's own time, though
    it is polled four times a second. Without Retry-After: tests/real/test_reader_pauses.py."""
    account = SpaceliftSimulator(str(tmp_path), pools=[f"{POOL}=1"])
    parts.append(account.start())
    collectd, _ = daemon(tmp_path, account.url)
    parts.append(collectd.start())
    pauses_at_429(account, collectd, "rate_limit_retry_after", 3)


def pauses_at_429(account, collectd, fault, least_s):
    wait_until(lambda: polls(account) >= 1, 10, "a poll")
    account.requests(forget=True)
    account.faults(**{fault: 1})
    line = collectd.wait_line("cannot read workerPools", 10)
    assert re.search(r"HTTP 429.*rate limit exceeded", line), line
    collectd.wait_line("workerPools .*is read again", 30)
    asked = account.requests()
    refused = next(number for number, r in enumerate(asked) if r["status"] == 429)
    pause_s = (asked[refused + 1]["at_ns"] - asked[refused]["at_ns"]) / 1e9
    assert least_s - 0.01 <= pause_s < least_s + 8  # our clock counts milliseconds


def test_down_at_start(tmp_path, parts):
    """The daemon starts; values come when the API does."""
    account = SpaceliftSimulator(str(tmp_path), pools=[f"{POOL}=1"])
    collectd, values = daemon(tmp_path, account.url)
    status, output = collectd.test()
    assert status != 0 and re.search("cannot read workerPools.*[Cc]onnect", output)
    parts.append(collectd.start())
    collectd.wait_line("cannot read workerPools.*[Cc]onnect", 10)
    parts.append(account.start())
    wait_until(lambda: values.get(f"spacelift-{POOL}/worker_pool-{account.pool()['id']}"), 15,
               collectd.output)


@pytest.mark.parametrize("pools, workers", [(1, 10_000), (1000, 0)], ids=["workers", "pools"])
def test_large_accounts(tmp_path, parts, pools, workers):
    account = SpaceliftSimulator(str(tmp_path), pools=[f"pool-{n}={workers}" for n in range(pools)])
    parts.append(account.start())
    collectd, values = daemon(tmp_path, account.url, Interval=5, Timeout=60000)
    parts.append(collectd.start())
    known = lambda: [name for name in values.identifiers() if "/worker_pool-" in name]
    wait_until(lambda: len(known()) == pools, 60, lambda: f"{len(known())} pools")
    wait_until(lambda: (values.get(known()[0]) or {}).get("workers") == workers, 10, "its workers")
    assert not collectd.find("cannot read")


# ---- the way there -------------------------------------------------------------------------------

def certificate(directory, name, *, names="IP:127.0.0.1", days="2"):
    file, key = str(directory / f"{name}.pem"), str(directory / f"{name}.key")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out", file, "-days",
                    days, "-subj", f"/CN={name}", "-addext", f"subjectAltName={names}"],
                   check=True, capture_output=True)
    return file, key


def expired(directory):
    """openssl x509 takes a negative number of days, req does not."""
    file, key = certificate(directory, "expired")
    request = str(directory / "expired.csr")
    names = directory / "names"
    names.write_text("subjectAltName=IP:127.0.0.1\n")
    subprocess.run(["openssl", "req", "-new", "-key", key, "-out", request, "-subj", "/CN=expired"],
                   check=True, capture_output=True)
    subprocess.run(["openssl", "x509", "-req", "-in", request, "-signkey", key, "-out", file,
                    "-days", "-1", "-extfile", str(names)], check=True, capture_output=True)
    return file, key


TLS = [
    ("good", lambda d: certificate(d, "good"), True, None),
    ("unknown CA", lambda d: certificate(d, "private"), False, r"CACert"),
    ("expired", expired, True, r"certificate has expired"),
    ("wrong host name", lambda d: certificate(d, "wrong", names="DNS:elsewhere.example"), True,
     r"127\.0\.0\.1|subject|does not match"),
]


@pytest.mark.parametrize("make, is_trusted, words", [case[1:] for case in TLS],
                         ids=[case[0].replace(" ", "-") for case in TLS])
def test_certificates(tmp_path, parts, make, is_trusted, words):
    tls = make(tmp_path)
    account = SpaceliftSimulator(str(tmp_path), pools=[f"{POOL}=1"], tls=tls)
    parts.append(account.start())
    collectd, _ = daemon(tmp_path, account.url, **({"CACert": tls[0]} if is_trusted else {}))
    status, output = collectd.test()
    if words is None:
        assert status == 0, output
    else:
        assert status != 0
        assert re.search(rf"cannot read workerPools.*(certificate|TLS).*({words})", output), output
        assert not account.requests()  # no key and no token went there


def test_ipv6_only(tmp_path, parts):
    account = SpaceliftSimulator(str(tmp_path), pools=[f"{POOL}=1"], extra=["--host", "::1"])
    account.url = f"http://[::1]:{account.port}"
    parts.append(account.start())
    collectd, _ = daemon(tmp_path, account.url)
    status, output = collectd.test()
    assert status == 0, output
    assert polls(account) == 1


def test_two_accounts(tmp_path, parts):
    """One hangs; the other one is read as ever. Account-wide values carry the second one's name."""
    hung, good = (SpaceliftSimulator(str(tmp_path / name), pools=[f"{name}=1"])
                  for name in ("hung", "good"))
    for account, folder in ((hung, "hung"), (good, "good")):
        (tmp_path / folder).mkdir()
        parts.append(account.start())
    hung.faults(hang=True)
    values = Values(tmp_path / "sock")
    secret = write(tmp_path / "secret", API_KEY_SECRET)
    collectd = Collectd(str(tmp_path), values.config(),
                        plugin_block("spacelift", account_block(hung.url, secret, name="first"),
                                     account_block(good.url, secret, name="second")),
                        stock_plugins=("unixsock",))
    parts.append(collectd.start())
    wait_until(lambda: values.get(f"spacelift-good/worker_pool-{good.pool('good')['id']}"), 10,
               collectd.output)
    wait_until(lambda: values.get("spacelift-second/public_worker_pool"), 10, collectd.output)
    wait_until(lambda: values.get("spacelift-second/billing_period"), 10, collectd.output)
    status, seconds = collectd.stop()
    assert status == 0 and seconds < 2
