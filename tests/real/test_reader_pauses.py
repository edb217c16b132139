"""What takes the reader longer than ./check may take: pauses of ten seconds that must be kept."""

import os
import sys

from lib.process import wait_until
from lib.stack import POOL, SpaceliftSimulator

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))),
                                "integration"))
from test_reader_trouble import daemon, pauses_at_429, polls  # noqa: E402


def started(tmp_path, parts):
    account = SpaceliftSimulator(str(tmp_path), pools=[f"{POOL}=1"])
    parts.append(account.start())
    collectd, values = daemon(tmp_path, account.url)
    parts.append(collectd.start())
    return account, collectd, values


def test_rate_limit_without_retry_after(tmp_path, parts):
    account, collectd, _ = started(tmp_path, parts)
    pauses_at_429(account, collectd, "rate_limit", 9)


def refused(account):
    return [request for request in account.requests() if request["status"] == 401]


def test_what_is_refused_is_not_hammered(tmp_path, parts):
    """HTTP 401 for everything: who am I, one exchange, and then a pause; recovery by itself."""
    account, collectd, _ = started(tmp_path, parts)
    wait_until(lambda: polls(account) >= 2, 10, "polls")
    account.requests(forget=True)
    account.faults(http_401=True)
    collectd.wait_line("cannot read workerPools.*refused: check APIKeyID", 10)
    assert len(refused(account)) <= 4
    account.faults(http_401=False)
    collectd.wait_line("workerPools .*is read again", 30)
    first = refused(account)[-1]["at_ns"]
    second = min(r["at_ns"] for r in account.requests() if r["at_ns"] > first)
    assert 9 <= (second - first) / 1e9 < 18
