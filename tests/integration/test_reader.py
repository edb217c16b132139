"""What the reader reads: each metric of the official exporter and those beyond it, on the real
daemon, and that one part that fails costs only itself."""

import math
import os
import re
import socket
import subprocess
import urllib.request

import pytest

from lib.process import free_ports, wait_until
from lib.stack import (API_KEY_SECRET, POOL, Collectd, SpaceliftSimulator, account_block, http,
                       plugin_block)
from lib.unixsock import Values

EVERYTHING = {"Workers": True, "Schedulable": True, "Queue": True, "BillingDetails": True,
              "Seats": True, "WorkerMetadataKey": "asg_id", "UsageInterval": 1,
              "AggregatesInterval": 1, "WorkersInterval": 1, "QueueInterval": 1,
              "SchedulableInterval": 1, "BillingDetailsInterval": 1, "SeatsInterval": 1,
              "Blocked": True, "BlockedInterval": 1}


def write(path, text, mode=0o600):
    with open(path, "w", encoding="utf-8",
              opener=lambda name, flags: os.open(name, flags, mode)) as file:
        file.write(text)
    return str(path)


@pytest.fixture
def make_host(tmp_path, parts):
    """Starts a simulator and a daemon that reads it: (account, daemon, its values)."""
    def make(*, pools=(f"{POOL}=3",), extra=(), more_blocks=(), stock_plugins=(), **options):
        account = SpaceliftSimulator(str(tmp_path), pools=pools, extra=extra)
        parts.append(account.start())
        secret = write(tmp_path / "secret", API_KEY_SECRET)
        values = Values(tmp_path / "sock")
        collectd = Collectd(
            str(tmp_path), values.config(), *more_blocks,
            plugin_block("spacelift", account_block(account.url, secret,
                                                    **{"Timeout": 60000, **options})),
            stock_plugins=("unixsock", *stock_plugins))
        parts.append(collectd)
        return account, collectd, values
    return make


def wait_values(values, identifier, **expected):
    """Until the daemon knows these numbers of the identifier."""
    def good():
        got = values.get(identifier)
        return got is not None and all(
            math.isnan(got[name]) if number is None
            else math.isclose(got[name], number, rel_tol=1e-5)  # it prints seven digits
            for name, number in expected.items())
    wait_until(good, 15, lambda: f"{identifier} {expected}: {values.get(identifier)}\n" +
               "\n".join(values.identifiers()))


def assert_pauses(account, name):
    """What is refused is asked for again after 10 s."""
    asked = [r["at_ns"] for r in account.requests() if r["operation"] == f"CollectdSpacelift_{name}"]
    assert asked and all(later - earlier > 5e9 for earlier, later in zip(asked, asked[1:]))


def test_everything_there_is(make_host):
    """Values as the official exporter has them for Spacelift's own fixture, and what it lacks."""
    account, collectd, values = make_host(**EVERYTHING)
    account.add_runs(2)
    account.control("drain", pool=POOL, count=1)
    account.add_runs(1, pool=POOL)  # takes the third worker
    account.control("runs", pool=POOL, count=1, age_s=100, drift_detection=True)
    account.control("runs", pool=POOL, count=2, age_s=1000, run_type="TASK", prioritized=True)
    account.control("runs", pool=POOL, count=3, blocked=True, needs_approval=True)
    collectd.start()
    pool = account.pool()["id"]
    of_pool = lambda kind: f"spacelift-{POOL}/{kind}-{pool}"
    wait_values(values, of_pool("worker_pool"), runs_pending=3, workers_busy=3, workers=3,
                workers_drained=1)
    wait_values(values, of_pool("worker_pool_queue"), waiting=3, blocked=3, needs_approval=3,
                drift_detection=1, prioritized=2, in_progress=3)
    wait_values(values, of_pool("worker_pool_wait"), le_15=0, le_60=0, le_300=1, le_900=1,
                le_3600=3, le_inf=3)
    wait_until(lambda: 1000 <= (values.get(of_pool("worker_pool_wait")) or {}).get("oldest", 0) < 1100,
               10, lambda: str(values.get(of_pool("worker_pool_wait"))))
    wait_values(values, of_pool("worker_pool_runs_by_type"), tracked=1, task=2, other=0)
    wait_values(values, of_pool("worker_pool_runs_by_state"), ready=3, queued=3, planning=3)
    wait_values(values, of_pool("worker_pool_blocked"), approval=3, lock=0, dependency=0)
    wait_values(values, of_pool("worker_pool_schedulable"), runs_schedulable=9)
    wait_values(values, of_pool("worker_pool_workers"), idle=0, draining=1)
    wait_until(lambda: 0 <= (values.get(of_pool("worker_pool_workers")) or {}).get(
        "age_oldest", -1) < 120, 10, lambda: str(values.get(of_pool("worker_pool_workers"))))
    wait_values(values, of_pool("worker_pool_workers_by_metadata") + f"-asg-{POOL}", workers=3)
    wait_values(values, "spacelift/public_worker_pool", runs_pending=0, workers_busy=0,
                parallelism=2)
    wait_values(values, "spacelift/billing_period", start=1752000000, end=1754678400,
                used_private=12345 * 60, used_public=678 * 60, used_seats=42)
    wait_values(values, "spacelift/billing_details", used_workers=9, allowed_seats=50,
                allowed_minutes=None, price_worker=12500, subscription=250000)
    wait_values(values, "spacelift/account_seats", users=42, users_limit=None, api_keys=3,
                api_keys_limit=10)
    for state, count in (("FINISHED", 128), ("FAILED", 7), ("UNCONFIRMED", 3)):
        wait_values(values, f"spacelift/current_stacks_count_by_state-{state}", value=count)
    for state, count in (("IN_SYNC", 1902), ("DRIFTED", 14)):
        wait_values(values, f"spacelift/current_resources_count_by_drift-{state}", value=count)
    wait_values(values, "spacelift/current_avg_stack_size", value=23)
    wait_values(values, "spacelift/current_run_duration", average_ns=187e9, median_ns=142e9,
                average=187, median=142)
    for collector in ("workerpools", "publicworkerpool", "usage", "aggregates", "workers",
                      "schedulable", "queue", "blocked", "billing", "seats"):
        wait_values(values, f"spacelift/api_collector-{collector}", success=1, supported=1,
                    truncated=0)
    wait_until(lambda: (values.get("spacelift/api_scrape") or {}).get("duration", 60) < 60, 10,
               lambda: str(values.get("spacelift/api_scrape")))
    wait_until(lambda: [name for name in values.identifiers()
                        if name.startswith("spacelift/build_info-")], 10, "build_info")
    assert not collectd.find("cannot read")


def test_a_refused_part_costs_only_itself(make_host):
    """A key that may read the pools and nothing else: said once for each part, not asked for at
    every poll, and everything else goes on."""
    account, collectd, values = make_host(UsageInterval=1, AggregatesInterval=1)
    account.control("refuse", usage="not available for machine sessions", metrics="unauthorized")
    status, output = collectd.test()
    assert status == 0, output  # a key without these rights is a good key
    account.requests(forget=True)
    collectd.start()
    collectd.wait_line(r"usage \(usage\) is not to be had .*not available for machine sessions", 10)
    collectd.wait_line(r"cannot read metrics .*may not read metrics: give it read access", 10)
    pool = account.pool()["id"]
    wait_values(values, f"spacelift-{POOL}/worker_pool-{pool}", workers=3)
    wait_values(values, "spacelift/api_collector-usage", success=1, supported=0)
    wait_values(values, "spacelift/api_collector-aggregates", success=0, supported=1)
    wait_values(values, "spacelift/api_collector-workerpools", success=1)
    count = lambda name: sum(r["operation"] == f"CollectdSpacelift_{name}"
                             for r in account.requests())
    wait_until(lambda: count("WorkerPools") >= 5, 20, "five polls")
    assert count("Usage") == 1 and count("Login") == 1
    assert_pauses(account, "Aggregates")
    wait_until(lambda: count("Viewer") == count("Aggregates"), 10, "a look at the rights for each try")
    assert len(collectd.find("usage .*is not to be had")) == 1 and not collectd.find("cannot read usage")
    # Nobody asks for them now; that they are not there is still said, so that an alert can be.
    wait_values(values, "spacelift/api_collector-usage", supported=0)
    wait_values(values, "spacelift/api_collector-aggregates", success=0)
    assert not collectd.find("cannot read workerPools")


def test_what_holds_runs_is_told_apart(make_host):
    account, collectd, values = make_host(Blocked=True, BlockedInterval=1)
    runs = lambda stack, count=1, **kind: account.control(
        "runs", pool=POOL, count=count, blocked=True, stack=stack, **kind)["ids"]
    runs("free", count=2)  # nothing holds it: a dependency
    runs("free", needs_approval=True)
    runs("locked", count=3)
    runs("held", count=4)
    holder = runs("its-own")[0]
    runs("secret", count=5)
    account.add_runs(1)  # is ready: does not count
    account.control("stacks", id="locked", locked_by="alice")
    account.control("stacks", id="held", blocker="01RUN")
    account.control("stacks", id="its-own", blocker=holder)
    account.control("stacks", id="secret", refuse="unauthorized")
    collectd.start()
    identifier = f"spacelift-{POOL}/worker_pool_blocked-{account.pool()['id']}"
    wait_values(values, identifier, approval=1, lock=3, run=4, dependency=3, unknown=5)
    wait_values(values, "spacelift/api_collector-blocked", success=1, supported=1, truncated=0)
    for number in range(60):
        runs(f"stack-{number}")
    # All of them are counted, but fifty stacks are asked for at most.
    def complete():
        known = values.get(identifier)
        return known and sum(known.values()) == 1 + 3 + 4 + 3 + 5 + 60 and known
    counted = wait_until(complete, 30, lambda: f"{values.get(identifier)}")
    wait_values(values, "spacelift/api_collector-blocked", success=1, truncated=1)
    assert len(collectd.find("has more than 50 stacks with blocked runs")) == 1
    assert (counted["lock"], counted["run"]) == (3, 4) and 46 <= counted["dependency"] <= 50


@pytest.mark.parametrize("field, collector", [("stack", "blocked"), ("workerPool", "blocked"),
                                              ("workerPool", "queue")])
def test_queues_and_stacks_that_no_key_may_read(make_host, field, collector):
    """Then the part is not to be had, is said once, and costs nothing else."""
    account, collectd, values = make_host(Blocked=True, BlockedInterval=1, Queue=True,
                                          QueueInterval=1)
    account.control("runs", pool=POOL, count=1, blocked=True)
    account.control("refuse", **{field: "not available for machine sessions"})
    collectd.start()
    collectd.wait_line(rf"\({collector}\) is not to be had .*machine sessions", 15)
    wait_values(values, f"spacelift/api_collector-{collector}", success=1, supported=0)
    wait_values(values, f"spacelift-{POOL}/worker_pool-{account.pool()['id']}", workers=3)
    assert not collectd.find("cannot read")


def test_an_old_release(make_host):
    """What it lacks is asked for once per token and said once; the rest is read."""
    account, collectd, values = make_host(extra=["--old-release"], **EVERYTHING)
    collectd.start()
    for collector in ("schedulable", "queue", "blocked", "billing", "seats"):
        collectd.wait_line(rf"\w+ \({collector}\) is not to be had of this Spacelift", 15)
        wait_values(values, f"spacelift/api_collector-{collector}", success=1, supported=0)
    pool = account.pool()["id"]
    wait_values(values, f"spacelift-{POOL}/worker_pool-{pool}", workers=3)
    wait_values(values, f"spacelift-{POOL}/worker_pool_workers-{pool}", idle=3)
    wait_values(values, "spacelift/billing_period", used_seats=42)
    count = lambda name: sum(r["operation"] == f"CollectdSpacelift_{name}"
                             for r in account.requests())
    wait_until(lambda: count("WorkerPools") >= 4, 20, "four polls")
    assert count("Seats") == 1 and count("Queue") == 1
    assert not collectd.find("cannot read")


def test_pages_are_followed_and_the_cap_is_said(make_host):
    account, collectd, values = make_host(
        pools=[f"{POOL}=1", "endless=0"], Queue=True, QueueInterval=1, Usage=False,
        Aggregates=False)
    account.control("runs", pool=POOL, count=251)
    account.control("runs", pool="endless", count=5300)
    collectd.start()
    pool, endless = (account.pool(name)["id"] for name in (POOL, "endless"))
    wait_values(values, f"spacelift-{POOL}/worker_pool_queue-{pool}", waiting=250, in_progress=1)
    wait_until(lambda: values.get(f"spacelift-endless/worker_pool_queue-{endless}"), 60,
               collectd.output)
    wait_values(values, f"spacelift-endless/worker_pool_queue-{endless}", waiting=5000)
    collectd.wait_line(r'pool "endless" has more than 5000 runs in its queue', 5)
    wait_values(values, "spacelift/api_collector-queue", success=1, truncated=1)
    assert len(collectd.find("has more than")) == 1


def test_queues_do_not_hold_up_the_pools(make_host):
    """The queues of 400 pools take several polls; the pools are read at each of them meanwhile. Where
    the key may read no queue, that is asked for one pool, not for 400."""
    account, collectd, values = make_host(
        pools=[f"p{number}" for number in range(400)], Queue=True, QueueInterval=3600, Usage=False,
        Aggregates=False, PublicWorkerPool=False, Interval=0.2)
    collectd.start()
    wait_until(lambda: values.get("spacelift/api_collector-queue"), 180, collectd.output)
    wait_values(values, "spacelift/api_collector-queue", success=1)
    asked = [r["operation"].rpartition("_")[2] for r in account.requests()]
    begin, end = asked.index("Queue"), len(asked) - asked[::-1].index("Queue")
    assert asked.count("Queue") == 400
    assert asked[begin:end].count("WorkerPools") >= 2
    assert len([name for name in values.identifiers() if "/worker_pool_queue-" in name]) == 400


def test_queues_that_the_key_may_not_read(make_host):
    account, collectd, values = make_host(
        pools=[f"p{number}" for number in range(50)], Queue=True, QueueInterval=1, Usage=False,
        Aggregates=False)
    account.control("refuse", workerPool="unauthorized")
    collectd.start()
    collectd.wait_line(r"cannot read workerPool \(queue\).*may not read workerPool", 10)
    wait_until(lambda: sum(r["operation"] == "CollectdSpacelift_WorkerPools"
                           for r in account.requests()) >= 4, 10, "four polls")
    assert_pauses(account, "Queue")


def test_intervals(make_host):
    """Each part at its own pace, and its values say so to the daemon."""
    account, collectd, values = make_host(
        Usage=True, UsageInterval=3600, Seats=True, SeatsInterval=3600, Aggregates=False,
        Interval=0.2)
    collectd.start()
    count = lambda name: sum(r["operation"] == f"CollectdSpacelift_{name}"
                             for r in account.requests())
    wait_until(lambda: count("WorkerPools") >= 15, 20, "fifteen polls")
    assert (count("Usage"), count("Seats"), count("Aggregates")) == (1, 1, 0)
    # Three seconds later values that came every 0.2 s would be forgotten.
    wait_values(values, "spacelift/billing_period", used_seats=42)


def pools_of(values):
    return sorted(name.partition("/")[0].removeprefix("spacelift-") for name in values.identifiers()
                  if "/worker_pool-" in name)


@pytest.mark.parametrize("options, expected", [
    ({"PoolName": ["prod-*", "edge"]}, ["edge", "prod-a", "prod-b"]),
    ({"ExcludePoolName": "prod-*"}, ["edge", "test"]),
    ({"PoolLabel": "team:*", "ExcludePoolSpace": "root"}, ["prod-b"]),
    ({"PoolSpace": "legacy-*", "PoolName": "*"}, ["prod-b", "test"]),
], ids=["name", "not-name", "label-and-not-space", "space-and-name"])
def test_filters(make_host, options, expected):
    account, collectd, values = make_host(pools=["edge"], Usage=False, Aggregates=False, **options)
    account.control("pools", name="prod-a", labels=["team:web"], space="root")
    account.control("pools", name="prod-b", labels=["x", "team:db"], space="legacy-1")
    account.control("pools", name="test", labels=[], space="legacy-2")
    collectd.start()
    wait_until(lambda: pools_of(values) == expected, 15, lambda: f"{pools_of(values)}")


def test_filter_by_id(make_host):
    account, collectd, values = make_host(pools=["a", "b"], Usage=False, Aggregates=False)
    wanted = account.pool("b")["id"]
    with open(collectd.config, encoding="utf-8") as file:
        config = file.read()
    write(collectd.config, config.replace(
        "</Account>", f'PoolID "{wanted}"\n</Account>'))
    collectd.start()
    wait_until(lambda: pools_of(values) == ["b"], 15, lambda: f"{pools_of(values)}")


def test_a_pool_that_goes_ends_its_series(make_host):
    """And one that is renamed goes on under its new name only."""
    account, collectd, values = make_host(pools=["stays=1", "goes=1", "before=1"], Usage=False,
                                          Aggregates=False)
    collectd.start()
    wait_until(lambda: pools_of(values) == ["before", "goes", "stays"], 15, "three pools")
    account.control("rename", pool="before", name="after")
    http("DELETE", f"{account.url}/control/pools", {"name": "goes"})
    wait_until(lambda: pools_of(values) == ["after", "stays"], 20, lambda: f"{pools_of(values)}")


STRANGE = ['a "quoted" \\ name', "web/eu/1", "Zürich ☃", "two\nlines", "x" * 200, "tab\there",
           "same", "comma,equals=blank {brace}", "<script>&amp;", "percent%d$(reboot)"]


def test_strange_names_on_every_writer(make_host, tmp_path):
    """csv, rrdtool, network and write_prometheus of the real collectd take all of them, apart."""
    out, port = tmp_path / "out", free_ports(1)[0]
    receiver = udp_socket()
    more = [f'LoadPlugin csv\n<Plugin csv>\n  DataDir "{out}/csv"\n</Plugin>',
            f'LoadPlugin rrdtool\n<Plugin rrdtool>\n  DataDir "{out}/rrd"\n</Plugin>',
            'LoadPlugin network\n<Plugin network>\n'
            f'  Server "127.0.0.1" "{receiver.getsockname()[1]}"\n</Plugin>',
            f'LoadPlugin write_prometheus\n<Plugin write_prometheus>\n  Port "{port}"\n</Plugin>']
    account, collectd, values = make_host(
        pools=["same=2"], more_blocks=more, Queue=True, QueueInterval=1,
        stock_plugins=("csv", "rrdtool", "network", "write_prometheus"))
    for name in STRANGE:
        account.control("pools", name=name, size=1)
    collectd.start()
    pools = account.state()["pools"].values()
    ids = {pool["id"] for pool in pools}
    assert len(ids) == len(STRANGE) + 1
    id_of = lambda name: re.search(r"/worker_pool-(\w+)", name).group(1)
    wait_until(lambda: {id_of(name) for name in values.identifiers() if "/worker_pool-" in name}
               == ids, 15, lambda: "\n".join(values.identifiers()))
    wait_until(lambda: set(files(out / "csv", r"worker_pool-(\w{26})-\d{4}-")) == ids, 15,
               lambda: f"{sorted(os.listdir(out))}")
    wait_until(lambda: set(files(out / "rrd", r"/worker_pool-(\w+)\.rrd$")) == ids, 15,
               lambda: "rrd files")
    def exposed():
        text = exposition(port)
        return {pool for pool in ids if pool in text}
    wait_until(lambda: exposed() == ids, 15, lambda: exposition(port)[:2000])
    read = subprocess.run(["promtool", "check", "metrics"], input=exposition(port), text=True,
                          capture_output=True, check=False)
    assert read.returncode in (0, 3), read.stderr  # 3: it can be read, names could be finer
    received = set()

    def arrived():
        received.update(re.findall(rb"\x00\x05\x00\x1f(\w{26})\x00", receiver.recv(65536)))
        return {pool.encode() for pool in ids} <= received
    wait_until(arrived, 15, lambda: f"datagrams of the network plugin: {received}")
    receiver.close()
    complaints = [line for line in collectd.find(r"\[error\]|\[warning\]")
                  if not re.search("MHD_OPTION_EXTERNAL_LOGGER|No such group"  # of any start
                                   # of a busy machine
                                   "|above its read interval|interval is .* in the past"
                                   "|Deleting a metric in family"
                                   # rrdtool knows whole seconds: two readings fell into one
                                   "|illegal attempt to update using time", line)]
    assert not complaints


def udp_socket():
    receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    receiver.bind(("127.0.0.1", 0))
    receiver.settimeout(15)
    return receiver


def files(folder, pattern):
    found = []
    for directory, _, names in os.walk(folder):
        for name in names:
            match = re.search(pattern, os.path.join(directory, name))
            found += [match.group(1)] if match else []
    return found


def exposition(port):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
            return answer.read().decode("utf-8", "replace")
    except OSError:
        return ""
