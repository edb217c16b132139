"""prometheus_scrape on real collectd: a scrape goes in, the same series come out of the remote
writer; what is wrong gives up 0 and nothing else."""

import re

import pytest

from lib.exposition import Exposition
from lib.process import wait_until
from lib.receiver import Receiver
from lib.remote_write import series_text
from lib.stack import Collectd, Prometheus, block, plugin_block


class Agent:
    """Collectd as a scrape agent: one target, one receiver, and one write thread: of several one may
    be overtaken, and the last sample of a scrape come before another."""

    def __init__(self, directory, url, write_url, interval_s=1, node=None, target=None,
                 settings="Timeout 60\nWriteThreads 1"):
        self.collectd = Collectd(
            str(directory),
            plugin_block("prometheus_scrape",
                         block("Target", "test", URL=url, Timeout=60000, **(target or {}))),
            plugin_block("write_prometheus_remote",
                         block("Node", "n", URL=write_url,
                               **{"BatchSendDeadline": 0, **(node or {})})),
            interval_s=interval_s, settings=settings)

    def start(self):
        self.collectd.start()
        return self

    def stop(self):
        return self.collectd.stop()


@pytest.fixture(name="scraped")
def make_scraped(tmp_path, parts):
    """A function: exposes a text, pushes it, returns (exposition, receiver, agent)."""
    def run(text, content_type="text/plain; version=0.0.4", start=True, **options):
        exposition, receiver = Exposition(text, content_type).start(), Receiver().start()
        agent = Agent(tmp_path, exposition.url, receiver.url, **options)
        parts.extend((exposition, receiver, agent))
        if start:
            agent.start()
        return exposition, receiver, agent
    return run


def wait_series(receiver, name, deadline_s=10):
    """The series of that name, once one has come."""
    def find():
        return {text: samples for text, samples in receiver.series().items()
                if text.startswith(name + "{")}
    return wait_until(find, deadline_s, lambda: f"{name}: {sorted(receiver.series())}")


def test_series_are_what_was_exposed(scraped):
    exposition, receiver, _ = scraped("\n".join([
        "# HELP http_requests_total Requests\\nserved.", "# TYPE http_requests_total counter",
        'http_requests_total{code="200",path="/a/b c"} 1027.5',
        'http_requests_total{code="500",path="caf\u00e9 \\"x\\""} 3',
        "# TYPE h histogram", 'h_bucket{le="0.5"} 1', 'h_bucket{le="+Inf"} 2', "h_sum 0.75",
        "h_count 2", "plain_nan NaN", "plain_inf -Inf", 'own{job="theirs",instance="x"} 1', ""]))
    wait_series(receiver, "scrape_samples_scraped")  # the last one
    receiver.check_all()
    own = {"job": "test", "instance": exposition.address}
    def text(name, **labels):
        return series_text({"__name__": name, **own, **labels})
    values = {text: samples[0].value for text, samples in receiver.series().items()}
    assert values.pop(text("scrape_duration_seconds")) < 10
    nan = values.pop(text("plain_nan"))
    assert nan != nan
    assert values == {
        text("http_requests_total", code="200", path="/a/b c"): 1027.5,
        text("http_requests_total", code="500", path='caf\u00e9 "x"'): 3,
        text("h_bucket", le="0.5"): 1, text("h_bucket", le="+Inf"): 2,
        text("h_sum"): 0.75, text("h_count"): 2, text("plain_inf"): float("-inf"),
        text("own", exported_job="theirs", exported_instance="x"): 1,
        text("up"): 1, text("scrape_samples_scraped"): 9}
    assert "version=0.0.4" in exposition.scrapes[0]["Accept"]


def test_openmetrics_and_times(scraped):
    _, receiver, _ = scraped(
        '# TYPE c counter\nc_total{x="y"} 5 1700000000.123 # {trace_id="t"} 1\n# EOF\n',
        content_type="application/openmetrics-text; version=1.0.0; charset=utf-8")
    (text, samples), = wait_series(receiver, "c_total").items()
    assert 'x="y"' in text and (samples[0].value, samples[0].time_ms) == (5, 1700000000123)


def test_starts_that_openmetrics_says(scraped):
    """Of counters and histograms, by NAME_created; kept over a restart and an outage."""
    exposition, receiver, agent = scraped(
        '# TYPE c counter\nc_total{x="y"} 5\nc_created{x="y"} 1700000000.123\nc_total 1\n'
        '# TYPE h histogram\nh_created 1600000000\nh_bucket{le="+Inf"} 3\nh_count 3\nh_sum 2\n'
        '# EOF\n',
        content_type="application/openmetrics-text; version=1.0.0; charset=utf-8")
    wait_series(receiver, "h_sum")
    own = {"job": "test", "instance": exposition.address}

    def starts(name, **labels):
        text = series_text({"__name__": name, **own, **labels})
        return {sample.start_ms for sample in receiver.series()[text]}
    assert starts("c_total", x="y") == {1700000000123} and starts("c_total") == {0}
    assert starts("h_bucket", le="+Inf") == starts("h_sum") == {1600000000000}
    receiver.script(*[503] * 1000)
    seen = len(exposition.scrapes)  # the second from here comes when the first is in the spool
    wait_until(lambda: len(exposition.scrapes) >= seen + 2, 10, "a scrape during the outage")
    agent.stop()
    receiver.forget_script()
    before = len(receiver.series()[series_text({"__name__": "h_sum", **own})])
    exposition.status = 503  # what comes now is from the spool
    agent.start()
    wait_until(lambda: len(receiver.series()[series_text({"__name__": "h_sum", **own})]) > before,
               10, "what waited")
    assert starts("c_total", x="y") == {1700000000123} and starts("h_sum") == {1600000000000}
    receiver.check_all()


@pytest.mark.parametrize("text", ['a{x="1",x="2"} 1\n', 'a 1\nb nonsense\n', '{x="1"} 1\n',
                                  "".join(f'many{{n="{i}"}} 1\n' for i in range(11))],
                         ids=["repeated label", "no number", "no name", "too many"])
def test_a_bad_scrape_gives_up_0_and_nothing_else(scraped, text):
    _, receiver, agent = scraped(text, target={"MaxSamples": 10})
    wait_series(receiver, "scrape_samples_scraped")
    (_, samples), = wait_series(receiver, "up").items()
    assert samples[0].value == 0
    assert {name.split("{")[0] for name in receiver.series()} == {
        "up", "scrape_duration_seconds", "scrape_samples_scraped"}
    agent.collectd.wait_line('target "test": cannot scrape http.*(line \\d|MaxSamples)', 5)


def test_a_target_that_goes_and_comes(scraped):
    exposition, receiver, agent = scraped("a 1\n")
    wait_series(receiver, "a")
    exposition.status = 503
    def ups():
        return [s.value for s in next(iter(wait_series(receiver, "up").values()))]
    wait_until(lambda: ups()[-1] == 0, 10, "up 0")
    exposition.status = 200
    wait_until(lambda: ups()[-1] == 1, 10, "up 1 again")
    agent.collectd.wait_line('target "test": is scraped again', 5)
    assert len(agent.collectd.find('cannot scrape.*503')) == 1
    receiver.check_all()


def test_a_target_that_hangs_holds_up_nothing(scraped):
    exposition, receiver, agent = scraped("a 1\n", start=False)
    exposition.hang()
    agent.start()
    wait_until(lambda: exposition.scrapes, 10, "a scrape")
    status, seconds = agent.collectd.stop()
    assert status == 0 and seconds < 2
    assert not receiver.series()


def test_a_real_prometheus_through_collectd_and_back(tmp_path, parts):
    """What one Prometheus exposes of itself is in another one afterwards, by the same names."""
    source_directory = tmp_path / "source"
    source_directory.mkdir()
    source = Prometheus(str(source_directory)).start()
    parts.append(source)
    sink = Prometheus(str(tmp_path)).start()
    parts.append(sink)
    agent = Agent(tmp_path, f"{source.url}/metrics", sink.write_url, target={"Job": "prom"})
    parts.append(agent.start())
    instance = source.url.removeprefix("http://")
    wait_until(lambda: sink.value(f'up{{job="prom",instance="{instance}"}}') == 1, 20, "up")
    count = wait_until(lambda: sink.value(f'scrape_samples_scraped{{instance="{instance}"}}'), 20,
                       "the number of samples")
    assert count > 200
    exposed = f'count({{instance="{instance}",__name__!~"up|scrape_.*"}})'
    wait_until(lambda: (sink.value(exposed) or 0) >= count, 20,
               lambda: f"{count} series, not {sink.value(exposed)}")
    assert sink.value(f'prometheus_build_info{{instance="{instance}",version=~".+"}}') == 1
    assert not agent.collectd.find("refuses"), agent.collectd.output()


def test_wrong_configuration_is_refused(tmp_path):
    collectd = Collectd(str(tmp_path), plugin_block(
        "prometheus_scrape", block("Target", "x", URL="http://h/", User="me")))
    status, said = collectd.test()
    assert status != 0 and re.search(r'Target "x".*User', said), said
