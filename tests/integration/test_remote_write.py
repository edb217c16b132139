"""write_prometheus_remote on real collectd: headers, retries, refusals, other plugins' values."""

import time

import pytest

from lib.process import wait_until
from lib.receiver import Receiver
from lib.stack import Collectd, Prometheus, block, plugin_block


def collectd_with(directory, *nodes, stock=("load", "memory")):
    return Collectd(str(directory), *[f"LoadPlugin {name}" for name in stock],
                    plugin_block("write_prometheus_remote", *nodes), stock_plugins=stock)


@pytest.mark.parametrize("protocol,content_type,version", [
    ("auto", "application/x-protobuf;proto=io.prometheus.write.v2.Request", "2.0.0"),
    ("2.0", "application/x-protobuf;proto=io.prometheus.write.v2.Request", "2.0.0"),
    ("1.0", "application/x-protobuf", "0.1.0")])
def test_headers(tmp_path, parts, protocol, content_type, version):
    receiver = Receiver().start()
    parts.append(receiver)
    parts.append(collectd_with(tmp_path, block("Node", "n", URL=receiver.url, User="me",
                                               Password="pw", BatchSendDeadline=0,
                                               Protocol=protocol)).start())
    wait_until(lambda: receiver.requests, 10, "a request")
    headers = receiver.requests[0].headers
    assert headers["Content-Encoding"] == "snappy"
    assert headers["Content-Type"] == content_type
    assert headers["X-Prometheus-Remote-Write-Version"] == version
    assert headers["User-Agent"].startswith("collectd-spacelift/")
    assert headers["Authorization"] == "Basic bWU6cHc="


def test_retry_sends_the_same_bytes(tmp_path, parts):
    receiver = Receiver(script=[503, (429, {"Retry-After": "1"}), 500]).start()
    parts.append(receiver)
    collectd = collectd_with(tmp_path, block("Node", "n", URL=receiver.url, BatchSendDeadline=0))
    parts.append(collectd.start())
    wait_until(lambda: len(receiver.requests) >= 5, 20, "requests")
    first = receiver.requests[:4]
    assert [r.status for r in first] == [503, 429, 500, 204]
    assert len({r.body for r in first}) == 1
    assert receiver.requests[4].body != first[0].body
    assert len(collectd.find('node "n": .*HTTP (503|429|500)')) <= 3
    collectd.wait_line('node "n": delivers again after', 5)


def test_refused_is_dropped_and_said_once(tmp_path, parts):
    receiver = Receiver(script=[400] * 3).start()
    parts.append(receiver)
    collectd = collectd_with(tmp_path, block("Node", "n", URL=receiver.url, BatchSendDeadline=0,
                                             Protocol="1.0"))
    parts.append(collectd.start())
    wait_until(lambda: len(receiver.requests) >= 5, 20, "requests")
    assert len({r.body for r in receiver.requests}) == len(receiver.requests)
    said = collectd.find('node "n": .*refuses \\d+ samples.*the receiver.s own words')
    assert len(said) == 1, collectd.output()
    collectd.wait_line('node "n": accepts samples again', 5)


def test_outage_loses_nothing(tmp_path, parts):
    """Prometheus stops and comes back: every value of the time between is in it, each once."""
    prometheus = Prometheus(str(tmp_path)).start()
    parts.append(prometheus)
    collectd = collectd_with(tmp_path, block("Node", "n", URL=prometheus.write_url,
                                             BatchSendDeadline=0.5))
    parts.append(collectd.start())
    series = 'collectd_load_shortterm{instance="host"}'
    wait_until(lambda: prometheus.value(series) is not None, 15, "a first value")
    begin = time.time()
    prometheus.stop()
    collectd.wait_line('node "n": .*samples wait', 15)
    time.sleep(5)  # the length of the outage is what is tested
    prometheus.start()
    collectd.wait_line('node "n": delivers again after', 20)
    time.sleep(2)
    seconds = int(time.time() - begin)
    count = prometheus.value(f"count_over_time({series}[{seconds}s])")
    assert count >= seconds - 2, f"{count} values in {seconds} s at Interval 1"


def test_others_get_the_names_of_write_prometheus(tmp_path, parts):
    prometheus = Prometheus(str(tmp_path)).start()
    parts.append(prometheus)
    parts.append(collectd_with(tmp_path, block("Node", "n", URL=prometheus.write_url, Job="hosts",
                                               BatchSendDeadline=0), stock=("memory", "cpu",
                                                                            "interface")).start())
    for expression in ('collectd_memory{memory="free",instance="host",job="hosts"}',
                       'collectd_cpu_total{cpu="0",type="idle",instance="host"}',
                       'collectd_interface_if_octets_rx_total{interface="lo"}'):
        wait_until(lambda: prometheus.value(expression) is not None, 15,
                   expression)


def test_a_dead_node_does_not_disturb_another(tmp_path, parts):
    receiver = Receiver().start()
    parts.append(receiver)
    parts.append(collectd_with(
        tmp_path, block("Node", "dead", URL="http://127.0.0.1:9/", BatchSendDeadline=0),
        block("Node", "alive", URL=receiver.url, BatchSendDeadline=0)).start())
    wait_until(lambda: len(receiver.requests) >= 3, 10, "requests of the other node")


def test_last_values_leave_when_collectd_stops(tmp_path, parts):
    receiver = Receiver().start()
    parts.append(receiver)
    collectd = collectd_with(tmp_path, block("Node", "n", URL=receiver.url, BatchSendDeadline=600))
    collectd.start()
    time.sleep(2.5)  # values come and wait for their request to fill
    assert not receiver.requests
    status, seconds = collectd.stop()
    assert (status, len(receiver.requests) > 0) == (0, True) and seconds < 1
