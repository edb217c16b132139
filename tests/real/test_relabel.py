"""Relabelling means what it means in Prometheus: the same exposition goes through a real Prometheus with
write_relabel_configs and through collectd with WriteRelabelConfig, each with a hundred sets of rules
made at random, and the same series come out."""

import json
import random

from lib.exposition import Exposition
from lib.process import wait_until
from lib.receiver import Receiver
from lib.remote_write import decode
from lib.stack import Collectd, block, plugin_block
from prometheus3 import Prometheus3

SETS = 100
SEED = 13
NAMES = ("zone", "app", "path", "b1", "b2", "__name__")
REGEXES = ("", "(.*)", ".*", "(.+)", "a|ab", "(a)(b)?", "[a-c]+", "(?i)A.*", "(?P<first>.)(.*)",
           "^1$", "x.y", "(\\w+)-(\\d+)", "\\pL+", "[^;]*;(.*)", "(..).*", "m_(.*)")
NAME_REGEXES = ("b(.*)", "(z).*", "app|path", ".*", "(?i)B\\d", "instance|job", "nothing", "b1")
TARGETS = ("zone", "made", "b2", "__tmp_x", "${1}", "to_$1", "__name__")
REPLACEMENTS = ("$1", "${1}", "x", "", "$2-$1", "<$first>", "$$1", "${1}b", "$1b")
VALUES = ("a", "ab", "abc", "A-b", "web-01", "1", "x\\ny", "caf\u00e9", "m_1", "a;b", "\\\"q\\\"")


def make_rule(dice):
    """{option of Prometheus: value}"""
    action = dice.choice(("replace", "replace", "keep", "drop", "keepequal", "dropequal", "hashmod",
                          "labelmap", "labeldrop", "labelkeep", "lowercase", "uppercase"))
    rule = {"action": action}
    if action in ("labelmap", "labeldrop", "labelkeep"):
        rule["regex"] = dice.choice(NAME_REGEXES)
        if action == "labelkeep":
            rule["regex"] = f"__name__|job|instance|{rule['regex']}"
        if action == "labelmap":
            rule["replacement"] = dice.choice(("copy_$1", "${1}x", "zone"))
        return rule
    rule["source_labels"] = dice.sample(NAMES + ("__tmp_x", "missing"), dice.randint(1, 3))
    if action not in ("keepequal", "dropequal"):
        rule["separator"] = dice.choice((";", "-", ""))
    if action in ("replace", "keep", "drop"):
        rule["regex"] = dice.choice(REGEXES)
    if action == "replace":
        rule["replacement"] = dice.choice(REPLACEMENTS)
        rule["target_label"] = dice.choice(TARGETS)
        if rule["target_label"] == "__name__":  # a name that is none is mended by us
            rule["replacement"] = dice.choice(("renamed", ""))
    elif action not in ("keep", "drop"):
        rule["target_label"] = dice.choice(("zone", "made", "b2"))
    if action == "hashmod":
        rule["modulus"] = dice.choice((1, 2, 7, 1000, 999_999_999_989))
    return rule


def shard(number, of):
    """As people divide series among receivers."""
    return [{"action": "hashmod", "source_labels": ["__name__", "zone"], "modulus": of,
             "target_label": "__tmp_part"},
            {"action": "keep", "source_labels": ["__tmp_part"], "regex": f"^{number}$"}]


def make_exposition(dice):
    lines = []
    for number in range(60):
        labels = {name: dice.choice(VALUES) for name in NAMES[:-1] if dice.random() < 0.7}
        text = ",".join(f'{name}="{value}"' for name, value in labels.items())
        # A number of its own keeps series apart until a rule removes it.
        lines.append(f'm_{number % 7}{{{text}{"," if text else ""}number="{number}"}} {number}')
    return "\n".join(lines) + "\n"


def collectd_rule(rule):
    words = {"source_labels": "SourceLabels", "separator": "Separator", "regex": "Regex",
             "target_label": "TargetLabel", "replacement": "Replacement", "modulus": "Modulus",
             "action": "Action"}
    return block("WriteRelabelConfig", None, **{words[key]: value for key, value in rule.items()})


class Sorter(Receiver):
    """Keeps of every sender, which says its name in a header, the series that have come; without
    the labels that are for use between rules, which Prometheus leaves to the receiver, and without
    regard to the case of the one letter that is not ASCII (the manual says that it differs)."""

    def __init__(self):
        super().__init__()
        self.found = {}

    def _take(self, headers, body, peer):
        series = {tuple((name, value.replace("\u00c9", "\u00e9")) for name, value in each.labels
                        if name == "__name__" or not name.startswith("__"))
                  for each in decode("1.0", body).series if each.name}
        with self._lock:
            self.found.setdefault(headers["X-Sender"], set()).update(series)
        return 204

    def of(self, sender):
        return self.found.get(sender, set())


def test_a_hundred_sets_of_rules(tmp_path, parts):
    dice = random.Random(SEED)
    sets = [shard(number, 3) for number in range(3)]
    sets += [[make_rule(dice) for _ in range(dice.randint(1, 3))] for _ in range(SETS - len(sets))]
    exposition = Exposition(make_exposition(dice))
    receiver = Sorter().start()
    parts.extend((exposition.start(), receiver))
    own = {"action": "drop", "source_labels": ["__name__"],
           "regex": "up|scrape_.*|collectd_remote_write_.*"}
    parts.append(Prometheus3(str(tmp_path), settings=json.dumps({
        "global": {"scrape_interval": "3s", "metric_name_validation_scheme": "legacy"},
        "scrape_configs": [{"job_name": "test",
                            "static_configs": [{"targets": [exposition.address]}]}],
        "remote_write": [{"url": receiver.url, "headers": {"X-Sender": f"theirs-{number}"},
                          "metadata_config": {"send": False},
                          "write_relabel_configs": [own, *rules],
                          "queue_config": {"batch_send_deadline": "1s", "max_shards": 1}}
                         for number, rules in enumerate(sets)]})).start())
    parts.append(Collectd(
        str(tmp_path),
        plugin_block("prometheus_scrape", block("Target", "test", URL=exposition.url, Interval=3)),
        plugin_block("write_prometheus_remote",
                     *[block("Node", f"n{number}", *map(collectd_rule, [own, *rules]),
                             URL=receiver.url, Header=f"X-Sender: ours-{number}", Protocol="1.0",
                             BatchSendDeadline=0.5, Spool=False)
                       for number, rules in enumerate(sets)])).start())

    def differences():
        pairs = [(receiver.of(f"theirs-{number}"), receiver.of(f"ours-{number}"))
                 for number in range(SETS)]
        return [(rules, sorted(a - b)[:2], sorted(b - a)[:2])
                for rules, (a, b) in zip(sets, pairs) if a != b]
    wait_until(lambda: len(receiver.found) > SETS and not differences(), 180,
               lambda: "\n".join(f"{rules}\n  only Prometheus: {a}\n  only collectd: {b}"
                                 for rules, a, b in differences()), poll_s=0.5)
    kept = [len(receiver.of(f"theirs-{number}")) for number in range(SETS)]
    assert sum(kept[:3]) == 60 and all(kept[:3])  # each series in one part
    assert sum(0 < count for count in kept) > SETS / 2, kept
    print(f"{SETS} sets of rules, {sum(kept)} series: the same")
