"""The remote writer and a current Prometheus, which takes remote write 2.0: what 2.0 can say arrives, and
nothing is lost when the receiver is replaced by one that knows 1.0 only, and by one of today again."""

import json
import time
import urllib.request

from lib.process import wait_until
from lib.receiver import Receiver
from lib.stack import Collectd, Prometheus, block, plugin_block
from lib.unixsock import Values
from prometheus3 import Prometheus3

FEATURES = "--enable-feature=metadata-wal-records,st-storage"


class Host:
    """Collectd with some values of its own and those that a test puts."""

    def __init__(self, directory, *nodes):
        self.values = Values(f"{directory}/sock")
        self.collectd = Collectd(
            directory, self.values.config(), "LoadPlugin interface\nLoadPlugin memory",
            plugin_block("write_prometheus_remote", *nodes),
            stock_plugins=("unixsock", "interface", "memory"), settings="WriteThreads 1")
        self.number = 0

    def put_number(self):
        """1, 2, 3, ... each at a time of its own."""
        self.number += 1
        self.values.put(f"test/gauge-number {time.time():.3f}:{self.number}")
        time.sleep(0.005)


def node(url, name="n", **options):
    return block("Node", name, URL=url, **{"BatchSendDeadline": 0, **options})


def samples_of(receiver):
    """{(series, time): all that was said of it}"""
    return {(series.text(), sample.time_ms):
            (sample.bits, sample.start_ms, series.kind, series.unit, series.help)
            for request in receiver.accepted() for series in request.series
            for sample in series.samples if "remote_write" not in series.name}


def test_all_that_2_0_says_is_understood(tmp_path, parts):
    """Prometheus repeats in 2.0 what it has understood, and that is what we have sent to a receiver
    that looks at every byte: series, values, times, starts, types, units, help, stale markers."""
    direct, repeated = Receiver().start(), Receiver().start()
    prometheus = Prometheus3(str(tmp_path), FEATURES, settings=json.dumps({"remote_write": [
        {"url": repeated.url, "protobuf_message": "io.prometheus.write.v2.Request",
         "queue_config": {"batch_send_deadline": "200ms"}}]})).start()
    host = Host(str(tmp_path), node(prometheus.write_url), node(direct.url, "direct"))
    parts.extend((direct, repeated, prometheus, host.collectd.start()))
    reset = 'collectd_test_derive_total{instance="host",test="reset"}'
    gone = 'collectd_test_gauge{instance="host",test="gone"}'
    counts = iter((100, 200, 5, *range(6, 1000)))

    def told():
        host.put_number()
        host.values.put(f"test/derive-reset {time.time():.3f}:{next(counts)}")
        if host.number < 5:
            host.values.put(f"test/gauge-gone {time.time():.3f}:{host.number}", interval_s=1)
        theirs = samples_of(repeated)
        return (any(name == reset and said[1] for (name, _), said in theirs.items())
                and any(name == gone and said[0] == 0x7ff0000000000002
                        for (name, _), said in theirs.items()) and theirs)
    theirs = wait_until(told, 30, lambda: f"a start and a stale marker: {prometheus.output()}",
                        poll_s=0.3)
    # Each node waits for a disk of its own before it sends.
    ours = wait_until(lambda: theirs.keys() <= (found := samples_of(direct)).keys() and found, 20,
                      "the same samples, sent directly", poll_s=0.3)
    assert all(ours.get(key) == said for key, said in theirs.items()), [
        (key, said, ours.get(key)) for key, said in theirs.items() if ours.get(key) != said][:5]
    names = {name.split("{")[0]: said[2:] for (name, _), said in theirs.items()}
    assert names["collectd_interface_if_octets_rx_total"][0] == "counter"
    assert names["collectd_interface_if_octets_rx_total"][1] == "bytes"
    assert names["collectd_memory"][:2] == ("gauge", "bytes") and names["collectd_memory"][2]
    # The start of a counter is the sample before its reset.
    at_200 = next(at for (name, at), said in ours.items()
                  if name == reset and said[0] == 0x4069000000000000)
    assert {said[1] for (name, at), said in ours.items() if name == reset and at > at_200} == {at_200}
    assert not host.collectd.find("does not know remote write 2.0|refuses")
    assert all(request.protocol == "2.0" for request in direct.requests)
    direct.check_all()
    without = "prometheus_api_remote_write_without_metadata_appended_samples_total"
    print(f"{len(theirs)} samples of {len(names)} metrics")
    assert f"{without} 0" in text_of(prometheus)


def text_of(prometheus):
    with urllib.request.urlopen(f"{prometheus.url}/metrics", timeout=10) as answer:
        return answer.read().decode()


def test_a_receiver_that_is_replaced_in_place(tmp_path, parts):
    """3.x, then 2.42 at the same address, which takes 2.0 for an empty request and says it is well,
    then 3.x again: every number is in one of them, once."""
    new = Prometheus3(str(tmp_path))
    host = Host(str(tmp_path), node(new.write_url, ProtocolRetry=2))
    parts.extend((new.start(), host.collectd.start()))
    old_directory = tmp_path / "old"
    old_directory.mkdir()
    old = Prometheus(str(old_directory))
    old.argv = [word.replace(f":{old.port}", f":{new.port}") for word in old.argv]
    old.url = new.url
    series = 'collectd_test_gauge{instance="host",test="number"}'
    protocol = 'collectd_remote_write_protocol{node="n"}'

    def go_on_until(condition, what):
        def step():
            host.put_number()
            return condition()
        wait_until(step, 30, lambda: f"{what}:\n{host.collectd.output()[-2000:]}", poll_s=0.1)

    go_on_until(lambda: new.value(protocol) == 2, "2.0 spoken")
    new.stop()
    go_on_until(lambda: host.collectd.find("samples wait"), "an outage")
    parts.append(old.start())
    go_on_until(lambda: old.value(protocol) == 1, "1.0 spoken")
    old.stop()
    new.start()
    go_on_until(lambda: host.collectd.find("knows remote write 2.0 now"), "2.0 spoken again")
    end = host.number
    wait_until(lambda: (new.value(series) or 0) >= end, 20, "the last number", poll_s=0.3)
    reader = Prometheus(str(old_directory))  # of what the old one has left
    parts.append(reader.start())
    found = [value for prometheus in (new, reader)
             for samples in prometheus.matrix(series).values() for _, value in samples]
    assert sorted(found) == list(range(1, end + 1))
    print(f"{end} numbers, each once")
    assert len(host.collectd.find("does not know remote write 2.0")) == 1
