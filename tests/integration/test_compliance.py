"""The official sender compliance cases (prometheus/compliance, remotewrite/sender), re-stated.

The official suites are Go programs that start a sender, scrape and push included: here the sender is
collectd with prometheus_scrape and write_prometheus_remote, as their adapter would start it. The
names on the left are the official ones: those of HEAD for 2.0, and those of commit 7667b56 for 1.0.
Cases that assert nothing there (constants, "if present") assert something here. Every request is
checked to the byte by lib/remote_write.py on top of it.

Left out: the cases of exemplars and native histograms, which are MAYs; collectd cannot hold them.
How a sender behaves on errors is in test_compliance_http.py.
"""

import math
import re
import time

import pytest

from lib.exposition import Exposition
from lib.process import wait_until
from lib.receiver import OWN, Receiver
from lib.remote_write import Violation, require, series_text
from lib.stack import Collectd, block, plugin_block

HUGE, LONG_NAME = "v" * 10000, "very_long_metric_name_" + "n" * 735
MAX_FLOAT, MIN_FLOAT = 1.7976931348623157e308, 2.2250738585072014e-308

TEXT = "\n".join([
    "# HELP http_requests_total Total HTTP requests \\\\ \"with\" a\\nline feed.",
    "# TYPE http_requests_total counter",
    *[f'http_requests_total{{service="s{n}",method="GET",endpoint="/e{n}"}} {n}.5'
      for n in range(6)],
    "# HELP test_metric Some gauge.", "# TYPE test_metric gauge",
    'test_metric{zebra="z",alpha="a",Upper="u",_under="x"} 42',
    "# TYPE request_duration_seconds histogram",
    'request_duration_seconds_bucket{le="0.1"} 1', 'request_duration_seconds_bucket{le="1"} 5',
    'request_duration_seconds_bucket{le="+Inf"} 1000000000',
    "request_duration_seconds_sum 53423.25", "request_duration_seconds_count 1000000000",
    "# TYPE rpc_seconds summary", 'rpc_seconds{quantile="0.5"} 4773', "rpc_seconds_sum 1.5e7",
    "rpc_seconds_count 2693",
    "test_float 123.45", "test_integer 42", "test_zero 0", "test_negative -15.5",
    "test_inf +Inf", "test_minus_inf -Inf", "test_nan NaN", f"test_large {MAX_FLOAT!r}",
    f"test_small {MIN_FLOAT!r}", "test_scientific 1.23e-4", "test_precise 0.1234567890123456",
    'test_unicode{name="\u6d4b\u8bd5 \U0001f680 \u00e9"} 1',
    'test_special{path="/api/v1/users",query="foo=bar&baz=qux",quote="a\\"b\\\\c\\nd"} 1',
    f'test_huge{{value="{HUGE}"}} 1', f"{LONG_NAME} 1",
    f'test_long_label{{{"l" * 300}="x"}} 1',
    "test_many{" + ",".join(f'label_{n}="v{n}"' for n in range(50)) + "} 1",
    'test_empty{a="",b="c"} 1', "namespace:metric:name 1",
    'test_own{job="theirs",instance="there:1"} 1', ""])


class Captured:
    """What a receiver got from a collectd that scraped a text a few times, without what the remote
    writer says of itself."""

    def __init__(self, receiver, address):
        self.receiver = receiver
        self.address = address
        self.requests = receiver.accepted()
        self.all = [series for request in self.requests for series in request.series
                    if not series.name.startswith(OWN)]

    def named(self, name):
        found = [series for series in self.all if series.name == name]
        require(found, f"there is no {name}")
        return found

    def labels(self, name):
        return dict(self.named(name)[0].labels)

    def value(self, name):
        return self.named(name)[0].samples[0].value

    def samples(self):
        return [sample for series in self.all for sample in series.samples]


def agent(directory, text, protocol, deadline=0, settings="", **node):
    exposition, receiver = Exposition(text).start(), Receiver(speaks=(protocol,)).start()
    collectd = Collectd(
        str(directory),
        plugin_block("prometheus_scrape", block("Target", "test", URL=exposition.url, Timeout=60000)),
        plugin_block("write_prometheus_remote",
                     block("Node", "n", URL=receiver.url, Protocol=protocol,
                           BatchSendDeadline=deadline, SpoolSync=0, **node)),
        # Of several threads one may be overtaken.
        settings=f"WriteThreads 1\n{settings}")
    collectd.start()
    return exposition, receiver, collectd


@pytest.fixture(name="captured", params=["2.0", "1.0"], scope="module")
def capture(request, tmp_path_factory):
    directory = tmp_path_factory.mktemp("captured")
    exposition, receiver, collectd = agent(directory, TEXT, request.param)
    try:
        # The last sample of a scrape, so that the stop comes between two of them.
        last = series_text({"__name__": "scrape_samples_scraped", "job": "test",
                            "instance": exposition.address})
        wait_until(lambda: len(receiver.series().get(last, [])) >= 3, 15, "three scrapes")
    finally:
        status, _ = collectd.stop()
        receiver.stop()
        exposition.stop()
    assert status == 0, collectd.output()
    return Captured(receiver, exposition.address)


# ---- cases -----------------------------------------------------------------------------------------

def equals(name, value):
    return lambda c: require(c.value(name) == value, f"{name} is {c.value(name)!r}")


def has_labels(metric, **labels):
    def check(c):
        found = [dict(series.labels) for series in c.named(metric)]
        require(any(labels.items() <= each.items() for each in found), f"{metric}: {found}")
    return check


def described(name, kind, help_part=""):
    """1.0 has no place for it in a series."""
    def check(c):
        for series in c.named(name):
            if c.requests[0].protocol == "2.0":
                require(series.kind == kind and help_part in series.help, f"{series}")
    return check


def each_series(condition, what):
    return lambda c: require(all(condition(s) for s in c.all), what)


def each_sample(condition, what):
    return lambda c: require(all(condition(s) for s in c.samples()), what)


def is_recent(sample):
    return abs(sample.time_ms / 1000 - time.time()) < 300


def check_starts(c):
    for series in c.named("http_requests_total"):
        for sample in series.samples:
            require(sample.start_ms == 0 or sample.start_ms > 1e12, "start_timestamp is no time")
            require(sample.start_ms <= sample.time_ms, "start after the sample")


def check_symbols(c):
    """symbols_test is in decode_2_0 as well; this is its figure for efficiency."""
    for request in c.requests:
        if request.protocol == "2.0":
            used = {part for series in request.series for label in series.labels for part in label}
            used |= {series.help for series in request.series}
            used |= {series.unit for series in request.series}
            require(len(request.symbols) <= len(used | {""}), "symbols that are not needed")


def check_timestamp_order(c):
    """RW1 Timestamp: never decreasing over all samples of all series, in the order of arrival."""
    times = [sample.time_ms for sample in c.samples() if not sample.is_stale]
    require(times == sorted(times), "times go back")


def check_counts(c):
    counts = [len([s for s in c.all if s.name == name and dict(s.labels).get("le") == le])
              for name, le in (("request_duration_seconds_bucket", "1"),
                               ("request_duration_seconds_sum", None),
                               ("request_duration_seconds_count", None),
                               ("rpc_seconds_sum", None), ("rpc_seconds_count", None))]
    require(len(set(counts)) == 1 and counts[0] >= 2, f"{counts}")


NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*\Z")

CASES = {
    # protocol_test, RW1 Headers: check_headers() for every request
    "content_type_protobuf": lambda c: require(all(
        r.headers["Content-Type"].startswith("application/x-protobuf")
        for r in c.receiver.requests), "Content-Type"),
    "http_method": lambda c: require(c.requests, "no POST came"),
    # symbols_test
    "symbol_table_efficiency": check_symbols,
    # labels_test, RW1 SortedLabels, RepeatedLabels
    "label_lexicographic_ordering": lambda c: require(
        [n for n, _ in c.named("test_metric")[0].labels]
        == ["Upper", "__name__", "_under", "alpha", "instance", "job", "zebra"], "the order"),
    "metric_name_label_present": each_series(lambda s: s.name, "a series without a name"),
    "metric_name_format_valid": each_series(lambda s: NAME.match(s.name), "a metric's name"),
    "no_duplicate_label_names": each_series(
        lambda s: len(dict(s.labels)) == len(s.labels), "a label twice"),
    "label_names_not_empty": each_series(lambda s: all(n for n, _ in s.labels), "an empty name"),
    "reserved_label_prefix": each_series(
        lambda s: not any(n.startswith("__") and n != "__name__" for n, _ in s.labels), "__x"),
    "unicode_in_label_values": has_labels("test_unicode", name="\u6d4b\u8bd5 \U0001f680 \u00e9"),
    "special_chars_in_label_values": has_labels(
        "test_special", path="/api/v1/users", query="foo=bar&baz=qux", quote='a"b\\c\nd'),
    "very_long_label_names": has_labels("test_long_label", **{"l" * 300: "x"}),
    "many_labels_per_series": has_labels("test_many", label_0="v0", label_49="v49"),
    "label_values_may_be_empty, RW1 EmptyLabels": lambda c: require(
        "a" not in c.labels("test_empty") and c.labels("test_empty")["b"] == "c", "EmptyLabels"),
    # samples_test
    "float_value": equals("test_float", 123.45), "integer_value": equals("test_integer", 42),
    "zero_value": equals("test_zero", 0), "negative_value": equals("test_negative", -15.5),
    "positive_infinity": equals("test_inf", math.inf),
    "negative_infinity": equals("test_minus_inf", -math.inf),
    "nan_value": lambda c: require(math.isnan(c.value("test_nan"))
                                   and not c.named("test_nan")[0].samples[0].is_stale, "NaN"),
    "large_value": equals("test_large", MAX_FLOAT), "small_value": equals("test_small", MIN_FLOAT),
    "scientific_notation": equals("test_scientific", 1.23e-4),
    "precision_preservation": equals("test_precise", 0.1234567890123456),
    "multiple_samples_same_series": lambda c: require(
        len({s.time_ms for x in c.named("test_float") for s in x.samples}) >= 2, "one sample"),
    "job_instance_labels_present, RW1 JobLabel, InstanceLabel": each_series(
        lambda s: dict(s.labels).get("job") == "test"
        and re.fullmatch(r"127\.0\.0\.1:\d+", dict(s.labels).get("instance", "")), "job, instance"),
    "RW1 HonorLabels": has_labels("test_own", exported_job="theirs", exported_instance="there:1"),
    # timestamps_test
    "timestamp_int64_milliseconds": each_sample(lambda s: 1e12 < s.time_ms < 1e16, "ms"),
    "timestamp_recent": each_sample(is_recent, "not of now"),
    "timestamp_future_values": each_sample(
        lambda s: s.time_ms / 1000 < time.time() + 1, "of the future"),
    "start_timestamp_for_counters": check_starts,
    "RW1 Timestamp": check_timestamp_order,
    # metadata_test
    "metadata_type_counter, metadata_help_text": described(
        "http_requests_total", "counter", 'Total HTTP requests \\ "with" a\nline feed.'),
    "metadata_type_gauge": described("test_metric", "gauge", "Some gauge."),
    "metadata_type_histogram": described("request_duration_seconds_count", "histogram"),
    "metadata_type_histogram (bucket)": described("request_duration_seconds_bucket", "histogram"),
    "metadata_type_summary": described("rpc_seconds", "summary"),
    # combined_test, histograms_test (classic), RW1 Histogram, Summary
    "complete_metric_family": equals("request_duration_seconds_sum", 53423.25),
    "histogram_large_counts": equals("request_duration_seconds_count", 1e9),
    "histogram_buckets_ordered": lambda c: require(
        {dict(s.labels)["le"] for s in c.named("request_duration_seconds_bucket")}
        == {"0.1", "1", "+Inf"}, "buckets"),
    "RW1 Histogram, Summary": check_counts,
    "mixed_labels_and_metadata": has_labels("http_requests_total", service="s0", method="GET",
                                            endpoint="/e0"),
    "high_cardinality_labels": lambda c: require(
        len({s.key() for s in c.named("http_requests_total")}) == 6, "six series"),
    "real_world_scenario": lambda c: require(len({s.name for s in c.all}) >= 20, "names"),
    # edge_cases_test
    "huge_label_values": has_labels("test_huge", value=HUGE),
    "very_long_metric_name": equals(LONG_NAME, 1),
    "metric_name_with_colons": equals("namespace:metric:name", 1),
    # RW1 Up
    "RW1 Up": equals("up", 1),
}


def test_official_cases(captured):
    captured.receiver.check_all()
    failures = []
    for name, check in CASES.items():
        try:
            check(captured)
        except Violation as wrong:
            failures.append(f"{name}: {wrong}")
    assert not failures, "\n".join(failures)


# ---- cases that need a scenario of their own -------------------------------------------------------

@pytest.fixture(name="run")
def make_run(tmp_path, parts):
    def run(*arguments, **options):
        started = agent(tmp_path, *arguments, **options)
        parts.extend(started)
        return started
    return run


@pytest.mark.parametrize("protocol", ["2.0", "1.0"])
def test_counter_gauge_staleness(run, protocol):
    """RW1 Counter: every value of a counter arrives, once, in order. RW1 Staleness: a series that a
    target drops ends with one stale marker; none is sent on shutdown."""
    def text(number):
        return f"counter_total {number}\n" + ("gone 1\n" if number == 0 else "")
    # What has not come for so many intervals has ended: more than a busy machine is late.
    exposition, receiver, collectd = run(text, protocol, settings="Timeout 6")
    def stale():
        return [sample for request in receiver.accepted() for series in request.series
                for sample in series.samples if sample.is_stale]
    wait_until(stale, 15, "a stale marker")
    wait_until(lambda: len(exposition.scrapes) >= 6, 15, "scrapes")
    status, _ = collectd.stop()
    assert status == 0
    receiver.check_all()
    found = receiver.series(stale=True)
    (gone,) = [samples for name, samples in found.items() if name.startswith("gone")]
    assert [s.is_stale for s in gone] == [False, True] and gone[0].time_ms < gone[1].time_ms
    assert len(stale()) == 1
    (counter,) = [samples for name, samples in found.items() if name.startswith("counter_total")]
    assert [s.value for s in counter] == list(range(len(counter))) and len(counter) >= 5


@pytest.mark.parametrize("text", ["test{a=\"1\",a=\"2\"} 1\n", "{label=\"v\"} 1\n", "nonsense\n"],
                         ids=["RepeatedLabels", "NameLabel", "Invalid"])
def test_rw1_scrapes_that_are_rejected(run, text):
    _, receiver, _ = run(text, "1.0")
    wait_until(lambda: [s for s in receiver.series() if s.startswith("up{")], 10, "up")
    receiver.check_all()
    ups = [x for name, x in receiver.series().items() if name.startswith('up{instance="127.0.0.1:')]
    assert [s.value for s in ups[0]] == [0] * len(ups[0])
    assert not [s for s in receiver.series() if not s.startswith(("up{", "scrape_"))]


def test_batch_size_reasonable(run):
    """batching_test: 12,000 series, no request above 10,000; many_timeseries, high_cardinality,
    RobustnessUnderLoad, RW1 Ordering: all of them arrive, each in order."""
    text = "".join(f'batch{{n="{n}"}} {n}\n' for n in range(12000))
    _, receiver, _ = run(text, "2.0", deadline=1)
    def count():
        return len({s.key() for r in receiver.accepted() for s in r.series if s.name == "batch"})
    wait_until(lambda: len(receiver.requests) >= 2 and count() == 12000, 30,
               lambda: f"12,000 series in {len(receiver.requests)} requests", poll_s=1)
    assert max(len(r.series) for r in receiver.accepted()) <= 10000
    receiver.check_all()


def test_empty_scrape(run):
    _, receiver, _ = run("", "2.0")
    wait_until(lambda: [s for s in receiver.series() if s.startswith("up{")], 10, "up")
    receiver.check_all()
