"""write_prometheus_remote over time: which protocol a receiver gets, now, later and after a restart, and
how fast a backlog goes out."""

import time

from lib.process import wait_until
from lib.receiver import Receiver
from lib.stack import block
from test_remote_write import Fed, check_books, node, replace_url, scripted, values_of

ONLY_THE_TEST = block("WriteRelabelConfig", None, SourceLabels="__name__",
                      Regex="collectd_test_.*", Action="keep")


class Numbers:
    """One number after the other, so that requests go out; what has been put must arrive."""

    def __init__(self, fed):
        self.fed = fed
        self.count = 0
        self.last_s = 0

    def put(self):
        self.count += 1
        self.last_s = max(time.time(), self.last_s + 0.002)
        self.fed.put("x", self.count, self.last_s)

    def until(self, condition, what):
        def go_on():
            self.put()
            return condition()
        wait_until(go_on, 20, what, poll_s=0.1)

    def check_in(self, receiver):
        wait_until(lambda: values_of(receiver, "x") == list(range(1, self.count + 1)), 10,
                   lambda: f"1 to {self.count}: {values_of(receiver, 'x')}")
        receiver.check_all()


def protocols(receiver):
    return [request.protocol for request in receiver.requests]


def test_2_0_is_tried_again_and_nothing_is_lost(tmp_path, parts):
    """A receiver that looks at nothing, as Prometheus 2.42, learns 2.0 and forgets it again."""
    receiver = scripted(parts, legacy=True, speaks=("1.0",))
    fed = Fed(tmp_path, node(receiver, ProtocolRetry=1))
    parts.append(fed.start())
    numbers = Numbers(fed)
    numbers.until(lambda: protocols(receiver).count("2.0") >= 3, "two more tries of 2.0")
    seen = list(receiver.requests)
    tries = [each for each in seen if each.protocol == "2.0"]
    assert all(b.time - a.time >= 0.99 for a, b in zip(tries, tries[1:]))
    numbers.until(lambda: protocols(receiver).count("1.0") > protocols(receiver).count("2.0"),
                  "requests of 1.0 between the tries")
    receiver.legacy, receiver.speaks = False, ("1.0", "2.0")
    numbers.until(lambda: fed.collectd.find("knows remote write 2.0 now"), "2.0")
    known = len(receiver.requests)
    numbers.until(lambda: len(receiver.requests) >= known + 3, "requests")
    assert set(protocols(receiver)[known:]) == {"2.0"}
    assert len(fed.collectd.find("does not know remote write 2.0")) == 1
    numbers.check_in(receiver)
    check_books(receiver)


def test_a_receiver_that_forgets_2_0_loses_nothing(tmp_path, parts):
    """It answers 400, as a 1.0 receiver may, and without a count; a batch that is bad in both
    protocols changes nothing."""
    receiver = scripted(parts)
    fed = Fed(tmp_path, node(receiver, ONLY_THE_TEST))
    parts.append(fed.start())
    numbers = Numbers(fed)
    numbers.put()
    numbers.check_in(receiver)
    receiver.script(400, 400)  # the batch is bad
    fed.put("bad", 1, time.time())
    wait_until(lambda: len(receiver.requests) == 3, 10, "both refusals")
    numbers.put()
    numbers.check_in(receiver)
    assert protocols(receiver) == ["2.0", "2.0", "1.0", "2.0"]
    receiver.script(400)  # 2.0 is
    numbers.put()
    numbers.put()
    numbers.check_in(receiver)
    assert protocols(receiver)[4:6] == ["2.0", "1.0"] and "2.0" not in protocols(receiver)[6:]


def test_the_protocol_is_remembered_over_a_restart(tmp_path, parts):
    receiver = scripted(parts, speaks=("1.0",))
    fed = Fed(tmp_path, node(receiver, ONLY_THE_TEST))
    parts.append(fed)
    numbers = Numbers(fed)
    for end in ("stop", "kill", "stop"):
        fed.start()
        numbers.put()
        wait_until(lambda: numbers.count in values_of(receiver, "x"), 10, "the value")
        getattr(fed, end)()
    assert sorted(set(values_of(receiver, "x"))) == [1, 2, 3]
    # A request whose answer its sender did not live to see is sent again as it was.
    different = {request.body: request.protocol for request in receiver.requests}
    assert list(different.values()) == ["2.0", "1.0", "1.0", "1.0"]
    other = scripted(parts)
    replace_url(fed.collectd.config, receiver.url, other.url)
    fed.start()
    numbers.put()
    wait_until(lambda: numbers.count in values_of(other, "x"), 10, "the value")
    assert set(protocols(other)) == {"2.0"}


def test_a_backlog_goes_out_no_faster_than_allowed(tmp_path, parts):
    """At most MaxSamplesPerSecond, but for one second's worth at the start and the last request."""
    rate, size, count = 500, 50, 1500
    dead = Receiver().start()
    dead.stop()
    fed = Fed(tmp_path, node(dead.url, ONLY_THE_TEST, MaxSamplesPerSecond=rate,
                             MaxSamplesPerSend=size))
    parts.append(fed.start())
    now = time.time() - 1000
    fed.values.put(*[f"test/gauge-x{number % size} {now + number // size:.3f}:{number}"
                     for number in range(count)])
    fed.values.settle()
    fed.stop()
    receiver = Receiver().start()
    parts.append(receiver)
    replace_url(fed.collectd.config, dead.url, receiver.url)
    fed.start()

    def arrived():
        return sum(request.sample_count() for request in receiver.accepted())
    wait_until(lambda: arrived() == count, 20, lambda: f"{count} samples: {arrived()}", poll_s=0.2)
    begin, sum_before = receiver.requests[0].time, 0
    for request in receiver.requests:
        seconds = request.time - begin
        assert sum_before <= rate * (1.05 + seconds) + size, (sum_before, seconds)
        sum_before += request.decode().sample_count()
    seconds = receiver.requests[-1].time - begin
    print(f"{count} samples in {seconds:.2f} s")
    assert seconds >= (count - size) / rate - 1.05
    receiver.check_all()
