"""write_prometheus_remote on real collectd: protocols, what every answer leads to, stale markers, and
that nothing is lost: outage, restart, kill, a full or forbidden spool."""

import os
import re
import signal
import threading
import time

import pytest

from lib import remote_write
from lib.process import wait_until
from lib.receiver import OWN, Receiver
from lib.stack import Collectd, Prometheus, block, plugin_block
from lib.unixsock import Values

CONTENT_TYPES = remote_write.CONTENT_TYPES
BOOKS = ("accepted", "acked", "rejected", "dropped_full", "dropped_age", "dropped_invalid")


def collectd_with(directory, *nodes, stock=("load", "memory"), settings=""):
    return Collectd(str(directory), *[f"LoadPlugin {name}" for name in stock],
                    plugin_block("write_prometheus_remote", *nodes), stock_plugins=stock,
                    settings=settings)


def node(receiver, *inner, name="n", **options):
    return block("Node", name, *inner, URL=receiver.url if isinstance(receiver, Receiver) else receiver,
                 **{"BatchSendDeadline": 0, **options})


class Fed:
    """Collectd that has only the values that the test puts in."""

    def __init__(self, directory, *nodes):
        self.values = Values(directory / "sock")
        self.collectd = Collectd(str(directory), self.values.config(),
                                 plugin_block("write_prometheus_remote", *nodes),
                                 stock_plugins=("unixsock",), settings="WriteThreads 1")

    def start(self):
        self.collectd.start()
        return self

    def stop(self):
        return self.collectd.stop()

    def kill(self):
        """When the remote writer has taken what was put: what collectd itself still holds is lost."""
        self.values.settle()
        self.collectd.signal(signal.SIGKILL)
        self.collectd.wait(10)

    def put(self, name, value, time_s, **options):
        self.values.put(f"test/gauge-{name} {time_s:.3f}:{value}", **options)


def values_of(receiver, name):
    samples = receiver.series().get(f'collectd_test_gauge{{instance="host",test="{name}"}}', [])
    return [sample.value for sample in samples]


def books_of(receiver):
    """The newest books that the receiver has: one consistent snapshot."""
    own = receiver.series(own=True)
    newest = {}
    for name in (*(f"{each}_total" for each in BOOKS), "pending"):
        samples = own.get(f'collectd_remote_write_samples_{name}{{instance="host",node="n"}}', [])
        if samples:
            newest[name.removesuffix("_total")] = samples[-1].value
    return newest


def check_books(receiver):
    books = books_of(receiver)
    assert books["accepted"] == sum(books[name] for name in (*BOOKS[1:], "pending")), books
    return books


@pytest.fixture(name="receiver")
def make_receiver(parts):
    receiver = Receiver().start()
    parts.append(receiver)
    return receiver


def scripted(parts, *script, **options):
    receiver = Receiver(script=script, **options).start()
    parts.append(receiver)
    return receiver


# ---- protocols -------------------------------------------------------------------------------------

@pytest.mark.parametrize("option,protocol", [("auto", "2.0"), ("2.0", "2.0"), ("1.0", "1.0")])
def test_headers(tmp_path, parts, receiver, option, protocol):
    parts.append(collectd_with(tmp_path, node(receiver, User="me", Password="pw",
                                              Protocol=option)).start())
    wait_until(lambda: len(receiver.requests) >= 2, 10, "requests")
    receiver.check_all()
    headers = receiver.requests[0].headers
    assert headers["Content-Encoding"] == "snappy"
    assert headers["Content-Type"] == CONTENT_TYPES[protocol]
    assert headers["X-Prometheus-Remote-Write-Version"] == remote_write.VERSIONS[protocol]
    assert headers["User-Agent"].startswith("collectd-spacelift/")
    assert headers["Authorization"] == "Basic bWU6cHc="
    assert headers["Expect"] is None


@pytest.mark.parametrize("receiver_is", [{"speaks": ("1.0",)}, {"legacy": True, "speaks": ("1.0",)},
                                         {"first": 400}])
def test_a_receiver_of_1_0_gets_the_same_samples_in_1_0(tmp_path, parts, receiver_is):
    first = receiver_is.pop("first", None)
    receiver = scripted(parts, *([first] if first else []), **receiver_is)
    collectd = collectd_with(tmp_path, node(receiver))
    parts.append(collectd.start())
    wait_until(lambda: len(receiver.requests) >= 4, 10, "requests")
    requests = [(request.protocol, request.decode()) for request in receiver.requests[:4]]
    assert [protocol for protocol, _ in requests] == ["2.0", "1.0", "1.0", "1.0"]
    asked, again = ({(series.key(), series.samples[0].bits, series.samples[0].time_ms)
                     for series in request.series} for _, request in requests[:2])
    assert asked == again
    assert len(collectd.find("does not know remote write 2.0")) == 1
    receiver.check_all()


def test_2_0_that_must_be_is_not_given_up(tmp_path, parts):
    receiver = scripted(parts, 415, 415)
    collectd = collectd_with(tmp_path, node(receiver, Protocol="2.0"))
    parts.append(collectd.start())
    wait_until(lambda: len(receiver.requests) >= 3, 10, "requests")
    assert {request.protocol for request in receiver.requests} == {"2.0"}
    collectd.wait_line("refuses \\d+ samples, which are lost: HTTP 415", 5)


def test_metadata_travels_with_2_0(tmp_path, parts, receiver):
    parts.append(collectd_with(tmp_path, node(receiver), stock=("interface", "memory")).start())

    def kinds():
        return {series.name: (series.kind, bool(series.help))
                for request in receiver.accepted() for series in request.series}
    wanted = {"collectd_interface_if_octets_rx_total": ("counter", True),
              "collectd_memory": ("gauge", True)}
    wait_until(lambda: wanted.items() <= kinds().items(), 10, lambda: str(kinds()))


# ---- answers ---------------------------------------------------------------------------------------

def test_retry_sends_the_same_bytes(tmp_path, parts):
    receiver = scripted(parts, 503, (429, {"Retry-After": "1"}), 500, "reset", 302)
    collectd = collectd_with(tmp_path, node(receiver))
    parts.append(collectd.start())
    wait_until(lambda: len(receiver.requests) >= 7, 20, "requests")
    first = receiver.requests[:6]
    assert [r.status for r in first] == [503, 429, 500, 0, 302, 204]
    assert len({r.body for r in first}) == 1
    assert first[2].time - first[1].time >= 0.99  # clocks of whole milliseconds
    assert receiver.requests[6].body != first[0].body
    collectd.wait_line('node "n": delivers again after', 5)
    receiver.check_all()


def test_refused_is_dropped_said_once_and_kept_as_text(tmp_path, parts):
    counted = {"X-Prometheus-Remote-Write-Samples-Written": "1"}
    receiver = scripted(parts, *[(400, counted, b"no\nsuch " + b"x" * 5000)] * 3)
    rejected = tmp_path / "rejected"
    collectd = collectd_with(tmp_path, node(receiver, RejectedFile=str(rejected)))
    parts.append(collectd.start())
    wait_until(lambda: len(receiver.requests) >= 6, 20, "requests")
    assert len({r.body for r in receiver.requests}) == len(receiver.requests)
    said = collectd.find('node "n": .*refuses \\d+ samples.*HTTP 400: no such xxx')
    assert len(said) == 1 and len(said[0]) < 1100, collectd.output()
    collectd.wait_line('node "n": accepts samples again', 5)
    text = rejected.read_text()
    for series in receiver.requests[0].decode().series:
        assert re.search(rf"^{re.escape(series.text())} [-\d.e+]+ {series.samples[0].time_ms}$", text,
                         re.M), (series, text)
    asked = [request.decode().sample_count() for request in receiver.requests[:3]]
    wait_until(lambda: books_of(receiver).get("rejected") == sum(asked) - 3, 10,
               lambda: f"{sum(asked) - 3} rejected in the books: {books_of(receiver)}")
    check_books(receiver)


def test_too_large_is_sent_in_pieces(tmp_path, parts):
    all_put = threading.Event()
    held_back = {"X-Prometheus-Remote-Write-Samples-Written": lambda: all_put.wait(60) and "1"}
    receiver = scripted(parts, (204, held_back), "reset", 413, 413)
    # Without what the remote writer says of itself: nine values of one list, which stay together.
    keep = block("WriteRelabelConfig", None, SourceLabels="__name__", Regex="collectd_test_.*",
                 Action="keep")
    fed = Fed(tmp_path, node(receiver, keep))
    parts.append(fed.start())
    now = time.time()
    # What comes while the first request has no answer is collected.
    fed.put("first", 1, now)
    wait_until(receiver.accepted, 15, "the first request")
    for number in range(40):
        fed.put(f"s{number}", number, now)
    fed.values.settle()
    all_put.set()
    wait_until(lambda: len(receiver.series()) >= 41, 15, "all series")
    counts = [request.decode().sample_count() for request in receiver.requests[1:]]
    assert counts[0] == counts[1] == 40
    assert counts[2] <= counts[1] // 2 and counts[3] <= counts[2] // 2
    assert all(len(samples) == 1 for samples in receiver.series().values())
    receiver.check_all()


def test_fewer_written_than_sent_is_counted(tmp_path, parts):
    receiver = scripted(parts, (204, {"X-Prometheus-Remote-Write-Samples-Written": "2"}))
    # Without memory, whose values come one by one: a request of a single one could be the first.
    collectd = collectd_with(tmp_path, node(receiver), stock=("load",))
    parts.append(collectd.start())
    collectd.wait_line("it says that it has stored 2 of \\d+ samples", 10)
    wait_until(lambda: books_of(receiver).get("rejected"), 10, "rejected in the books")
    assert check_books(receiver)["rejected"] == receiver.requests[0].decode().sample_count() - 2


def test_a_large_body_of_a_success_is_ignored(tmp_path, parts):
    receiver = scripted(parts, (200, {}, b"x" * 1000000))
    parts.append(collectd_with(tmp_path, node(receiver, Protocol="1.0")).start())
    wait_until(lambda: len(receiver.requests) >= 3, 10, "requests")
    assert len({r.body for r in receiver.requests}) == len(receiver.requests)


# ---- the end of a series ---------------------------------------------------------------------------

def test_stale_markers_once_and_none_at_the_end(tmp_path, parts, receiver):
    fed = Fed(tmp_path, node(receiver))
    fed.start()
    parts.append(fed)
    gone = 'collectd_test_gauge{instance="host",test="gone"}'

    def stale(text):
        return [sample for sample in receiver.series(stale=True).get(text, []) if sample.is_stale]

    def go_on():
        fed.put("stays", 1, time.time(), interval_s=5)
        return stale(gone)

    fed.put("gone", 1, time.time(), interval_s=1)
    wait_until(go_on, 10, "a stale marker", poll_s=0.2)
    last = max(sample.time_ms for sample in receiver.series()[gone])
    for _ in range(10):
        wait_until(lambda: go_on() or True, 1, "")
        time.sleep(0.2)  # two more intervals, in which nothing may happen to it again
    assert len(stale(gone)) == 1 and stale(gone)[0].time_ms > last
    fed.put("gone", 2, time.time())  # it comes back
    wait_until(lambda: values_of(receiver, "gone") == [1, 2], 10, "its return")
    fed.stop()
    assert len(stale(gone)) == 1
    assert not stale('collectd_test_gauge{instance="host",test="stays"}')
    receiver.check_all()


# ---- nothing is lost -------------------------------------------------------------------------------

def test_outage_loses_nothing(tmp_path, parts):
    """Prometheus stops and comes back: every value of the time between is in it, each once."""
    prometheus = Prometheus(str(tmp_path)).start()
    parts.append(prometheus)
    fed = Fed(tmp_path, node(prometheus.write_url, BatchSendDeadline=0.5))
    parts.append(fed.start())
    count = 0

    def put():
        nonlocal count
        count += 1
        fed.put("x", count, time.time())

    def stored():
        return [value for _, value in prometheus.matrix("collectd_test_gauge").get(
            (("__name__", "collectd_test_gauge"), ("instance", "host"), ("test", "x")), [])]

    put()
    wait_until(stored, 15, "a first value")
    prometheus.stop()
    put()
    fed.collectd.wait_line('node "n": .*samples wait', 15)
    for _ in range(50):
        put()
        time.sleep(0.1)  # the length of the outage is what is tested
    prometheus.start()
    fed.collectd.wait_line('node "n": delivers again after', 20)
    put()
    wait_until(lambda: count in stored(), 20, lambda: f"{count} values: {stored()}", poll_s=0.2)
    assert stored() == list(range(1, count + 1))


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_what_waits_outlives_the_process(tmp_path, parts, end):
    receiver = Receiver()  # not there yet
    dead = Receiver().start()
    dead.stop()
    fed = Fed(tmp_path, node(dead.url))
    now = time.time() - 100
    for start in (1, 11, 21):
        fed.start()
        parts.append(fed)
        for number in range(start, start + 10):
            fed.put("x", number, now + number)
        fed.values.settle()  # what collectd itself still holds when it stops is lost
        status, seconds = getattr(fed, end)() or (0, 0)
        assert (status, seconds < 1) == (0, True)
        if end == "stop":
            fed.collectd.wait_line("samples stay in the spool", 5)
    receiver.start()
    parts.append(receiver)
    replace_url(fed.collectd.config, dead.url, receiver.url)
    fed.start()
    fed.put("x", 31, time.time())
    wait_until(lambda: 31 in values_of(receiver, "x"), 15, lambda: f"{values_of(receiver, 'x')}")
    assert values_of(receiver, "x") == list(range(1, 32))
    receiver.check_all()
    wait_until(lambda: books_of(receiver).get("accepted", 0) > 31, 10, "books")
    books = check_books(receiver)
    assert books["rejected"] == books["dropped_full"] == books["dropped_invalid"] == 0


def replace_url(path, old, new):
    with open(path, encoding="utf-8") as file:
        text = file.read()
    with open(path, "w", encoding="utf-8") as file:
        file.write(text.replace(old, new))


def test_killed_while_it_delivers(tmp_path, parts, receiver):
    """Requests under way when the process dies are sent again as they were, and only those."""
    fed = Fed(tmp_path, node(receiver, MaxSamplesPerSend=5))
    parts.append(fed)
    now = time.time() - 1000
    number = 0
    for _ in range(5):
        fed.start()
        for _ in range(50):
            number += 1
            fed.put(f"x{number % 7}", number, now + number)
        fed.kill()
    fed.start()
    fed.put("x0", 0, time.time())
    wait_until(lambda: 0 in values_of(receiver, "x0"), 15, "the last value")
    bodies, seen = set(), []
    for request in receiver.requests:
        if request.body not in bodies:
            seen += [sample.value for series in request.decode().series for sample in series.samples
                     if series.name == "collectd_test_gauge"]
        bodies.add(request.body)
    assert sorted(seen) == list(range(number + 1))


def test_a_full_spool_drops_its_oldest_and_counts(tmp_path, parts):
    dead = Receiver().start()
    dead.stop()
    fed = Fed(tmp_path, node(dead.url, SpoolSize=1))
    begin = time.monotonic()
    parts.append(fed.start())
    now = time.time() - 1000
    fed.values.put(*[f"test/gauge-x{series} {now + number:.3f}:{number}"
                     for number in range(1, 101) for series in range(600)])
    fed.values.settle()
    fed.stop()
    intervals = time.monotonic() - begin + 2  # of 1 s
    receiver = Receiver().start()
    parts.append(receiver)
    replace_url(fed.collectd.config, dead.url, receiver.url)
    fed.start()
    wait_until(lambda: 100 in values_of(receiver, "x599")[-1:], 30, "the newest value", poll_s=0.5)
    found = [[sample.value for sample in samples] for name, samples in receiver.series().items()
             if 'test="x' in name]
    assert all(values == list(range(101 - len(values), 101)) for values in found)
    lost = 60000 - sum(len(values) for values in found)
    wait_until(lambda: books_of(receiver).get("dropped_full", 0) >= lost, 10,
               lambda: f"{lost} lost, the books say {books_of(receiver)}", poll_s=0.5)
    books = check_books(receiver)
    own = sum(name.startswith(OWN) for name in receiver.series(own=True))
    assert lost > 10000 and books["dropped_full"] - lost <= own * intervals  # they are samples, too


def test_without_a_spool(tmp_path, parts):
    """A directory that cannot be made is an error in the log, and the values go through memory."""
    receiver = scripted(parts, 503, 503)
    (tmp_path / "file").write_text("not a directory")
    collectd = collectd_with(tmp_path, node(receiver, SpoolDirectory=str(tmp_path / "file")))
    parts.append(collectd.start())
    collectd.wait_line('node "n": no spool, .*Not a directory', 5)
    wait_until(lambda: len(receiver.requests) >= 4, 10, "requests")
    receiver.check_all()


def test_a_dead_node_does_not_disturb_another(tmp_path, parts, receiver):
    parts.append(collectd_with(tmp_path, node("http://127.0.0.1:9/", name="dead"),
                               node(receiver, name="alive")).start())
    wait_until(lambda: len(receiver.requests) >= 3, 10, "requests of the other node")
    spools = os.listdir(tmp_path / "collectd" / "write_prometheus_remote")
    assert sorted(spools) == ["alive", "dead"]


def test_last_values_leave_when_collectd_stops(tmp_path, parts, receiver):
    # A disk that is slow would keep it back: it is to be there before its sample is sent.
    fed = Fed(tmp_path, node(receiver, BatchSendDeadline=600, SpoolSync=0))
    fed.start()
    fed.put("x", 1, time.time())  # waits for its request to fill
    fed.values.settle()  # what collectd itself still holds when it stops is lost
    status, seconds = fed.stop()
    assert (status, values_of(receiver, "x")) == (0, [1]) and seconds < 1


def test_a_test_of_the_configuration_sends_nothing(tmp_path, parts):
    """collectd -T beside the daemon, which loses nothing by it."""
    prometheus = Prometheus(str(tmp_path))
    collectd = Collectd(str(tmp_path), "LoadPlugin load", plugin_block(
        "write_prometheus_remote", block("Node", "p", URL=prometheus.write_url, BatchSendDeadline=1)),
        stock_plugins=("load",))
    for part in (prometheus, collectd):
        part.start()
        parts.append(part)
    wait_until(lambda: prometheus.query("collectd_load_shortterm"), 20, "the daemon's samples")
    status, said = collectd.test()
    assert status == 0 and "nothing is sent, and no spool opened" in said, said
    # What collectd itself says, of values that it drops at its end, is not ours.
    said = re.sub(r".*left after shutting down the write threads.*", "", said)
    assert "[error]" not in said and "[warning]" not in said, said
    wait_until(lambda: prometheus.query("count_over_time(collectd_load_shortterm[1m]) > 3"), 20,
               lambda: f"more of them:\n{collectd.output()}")
    assert not collectd.find("refuse")
