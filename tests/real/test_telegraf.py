"""The real Telegraf: its parser takes what we print, its outputs make of it exactly the series of
Spacelift's own exporter, and a pool is resized on a real kube-apiserver with no collectd around."""

import re
import urllib.request

import pytest

import telegraf
from cluster import ADMIN_TOKEN, NAMESPACE, POOL
from lib.process import wait_until
from lib.stack import Prometheus, SpaceliftSimulator
from test_reader_names import expected

OF_A_POOL = ("runs_pending", "workers_busy", "workers", "workers_drained")
# Telegraf reports a batch that was not done in time as an error, as it should; here the API server
# stands on the machine of the tests, which may pause for longer.
PATIENCE = {"spacelift_scale_exec.conf": (('"scale", ', '"scale", "--deadline", "55", '),
                                          ('timeout = "5s"', 'timeout = "60s"'))}
OTHER = "it's, a \\ \"pool\" \N{SNOWMAN}"


@pytest.fixture
def spacelift(tmp_path, parts):
    """The account of which test_reader_names.py says what the official exporter exposes, and one
    more pool, whose name is hard to write."""
    simulator = SpaceliftSimulator(str(tmp_path), pools=(f"{POOL}=3", OTHER))
    parts.append(simulator)
    simulator.start()
    simulator.add_runs(3)
    simulator.control("drain", pool=POOL, count=1)
    simulator.add_runs(4)
    return simulator


def exporters_series(simulator):
    """{(name, labels): value} as the exporter has them."""
    pools = simulator.state()["pools"]
    series = expected(pools[POOL]["id"])
    labels = frozenset({("worker_pool_id", pools[OTHER]["id"]), ("worker_pool_name", OTHER)})
    series.update({(f"spacelift_worker_pool_{metric}", labels): 0 for metric in OF_A_POOL})
    return series


SAMPLE = re.compile(r'^(\w+)(?:\{(.*)\})? (\S+)')
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


def exposed(url):
    """{(name, labels): value} and {name: type} of an exposition."""
    series, types = {}, {}
    with urllib.request.urlopen(url, timeout=5) as answer:
        lines = answer.read().decode().splitlines()
    for line in lines:
        if line.startswith("# TYPE"):
            _, _, name, kind = line.split()
            types[name] = kind
        elif not line.startswith("#"):
            name, labels, value = SAMPLE.match(line).groups()
            found = frozenset((key, re.sub(r'\\(.)', r'\1', text))
                              for key, text in LABEL.findall(labels or ""))
            series[name, found] = float(value)
    return series, types


def of_the_exporter(series, wanted):
    """Those with names that the exporter has, too: of these there must be no other."""
    names = {name for name, _ in wanted}
    return {key: value for key, value in series.items() if key[0] in names}


@pytest.mark.parametrize("way", ["spacelift_exec.conf", "spacelift_execd.conf"])
def test_prometheus_client(tmp_path, parts, spacelift, way):
    """Exactly the exporter's series: names, labels, types, values; as a user without rights."""
    host = telegraf.Host(spacelift.url)
    parts.append(host)
    port = telegraf.port()
    agent = telegraf.Telegraf(
        host.directory, telegraf.drop_in(way, *host.paths),
        telegraf.drop_in("spacelift_prometheus.conf", ('":9273"', f'"127.0.0.1:{port}"')))
    parts.append(agent)
    agent.start()

    wanted = exporters_series(spacelift)

    def all_there():
        try:
            series, _ = exposed(f"http://127.0.0.1:{port}/metrics")
        except OSError:
            return False
        return of_the_exporter(series, wanted) == wanted
    wait_until(all_there, 30, lambda: f"the exporter's series: {wanted}\n"
                                      f"{agent.output()[-3000:]}")
    _, types = exposed(f"http://127.0.0.1:{port}/metrics")
    assert {kind for name, kind in types.items() if name.startswith("spacelift_")} == {"gauge"}
    assert not agent.errors()
    status, _ = agent.stop()
    assert status == 0
    assert not agent.errors(), agent.output()[-2000:]


def test_remote_write(tmp_path, parts, spacelift):
    """The same through remote write, into a real Prometheus."""
    prometheus = Prometheus(str(tmp_path))
    parts.append(prometheus)
    prometheus.start()
    host = telegraf.Host(spacelift.url)
    parts.append(host)
    agent = telegraf.Telegraf(
        host.directory, telegraf.drop_in("spacelift_execd.conf", *host.paths),
        telegraf.drop_in("spacelift_remote_write.conf",
                         ("http://prometheus.example:9090/api/v1/write", prometheus.write_url)))
    parts.append(agent)
    agent.start()

    wanted = exporters_series(spacelift)

    def received():
        series = {}
        for sample in prometheus.query('{__name__=~"spacelift_.+"}'):
            labels = dict(sample["metric"])
            name = labels.pop("__name__")
            series[name, frozenset(labels.items())] = float(sample["value"][1])
        return of_the_exporter(series, wanted)
    wait_until(lambda: received() == wanted, 30,
               lambda: f"{received()} is not {wanted}\n"
                       f"{agent.output()[-3000:]}")


@pytest.mark.parametrize("way", ["spacelift_scale_exec.conf", "spacelift_scale_execd.conf"])
def test_resize(tmp_path, parts, cluster, way):
    """Input to a resized pool: out at once, in after the window, and over a restart of Telegraf."""
    cluster.create_pool()
    try:
        simulator = SpaceliftSimulator(str(tmp_path), kubernetes=(cluster.url, ADMIN_TOKEN,
                                                                  cluster.ca))
        parts.append(simulator)
        simulator.start()
        host = telegraf.Host(simulator.url, cluster.scaler_kubeconfig(), POOL,
                             Namespace=NAMESPACE, MinWorkers=1, MaxWorkers=5, ScaleInWindow=3)
        parts.append(host)
        agent = telegraf.Telegraf(host.directory,
                                  telegraf.drop_in("spacelift_execd.conf", *host.paths),
                                  telegraf.drop_in(way, *host.paths, *PATIENCE.get(way, ())))
        parts.append(agent)
        agent.start()
        simulator.add_runs(4)
        wait_size(cluster, 4, agent)
        wait_until(lambda: simulator.pool()["busy"] == 4, 15, lambda: str(simulator.pool()))
        simulator.finish(3)
        wait_size(cluster, 1, agent)
        wait_until(lambda: simulator.pool()["size"] == 1, 15, lambda: str(simulator.pool()))
        agent.stop()
        agent.start()
        simulator.add_runs(2)
        wait_size(cluster, 3, agent)
        assert simulator.pool()["shortfalls"] == 0
        assert not agent.errors(), agent.output()[-3000:]
    finally:
        cluster.delete_pool()


@pytest.mark.parametrize("way", ["spacelift_scale_exec.conf", "spacelift_scale_execd.conf"])
def test_failure_is_said(tmp_path, parts, cluster, way):
    """A WorkerPool that the rights do not cover: Telegraf's log says so, with the server's words."""
    simulator = SpaceliftSimulator(str(tmp_path))
    parts.append(simulator)
    simulator.start()
    host = telegraf.Host(simulator.url, cluster.scaler_kubeconfig(), POOL,
                         WorkerPool="not-there", Namespace=NAMESPACE, MinWorkers=1, MaxWorkers=5)
    parts.append(host)
    agent = telegraf.Telegraf(host.directory,
                              telegraf.drop_in("spacelift_execd.conf", *host.paths),
                              telegraf.drop_in(way, *host.paths))
    parts.append(agent)
    agent.start()
    agent.wait_line(r" E! .*not-there.*HTTP 403 Forbidden", 20)


def wait_size(cluster, size, agent):
    wait_until(lambda: cluster.pool_size() == size, 30,
               lambda: f"poolSize {size}, it is {cluster.pool_size()}\n{agent.output()[-3000:]}")
