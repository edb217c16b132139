"""A hundred thousand random names of pools through spacelift-pool read and the real Telegraf's
parser: every line is taken, and every name says what it should."""

import json
import random
import re
import subprocess

import telegraf
from lib.canned_api import CannedApi, pool
from lib.telegraf_host import account_options, run_once, write_secret

NAMES, AT_ONCE = 100_000, 10_000
SEED = 7
# What line protocol escapes or forbids comes as often as everything else together.
SPECIAL = "\\\\\\\\\"\"',,,===   #\t\n\r\v\f\b\x01\x1f\x7f\u0085\u2028"
PLAIN = "abcXYZ0189-_./:@!$%&()*+;<>?[]^`{|}~é\N{SNOWMAN}\N{PILE OF POO}\u0301\ufeff"


def random_name(rng):
    return "".join(rng.choice(SPECIAL if rng.random() < 0.5 else PLAIN)
                   for _ in range(rng.randint(1, 24)))


def as_tag(name):
    """What may arrive: src/format/line_protocol.h, and what Telegraf's parser does to an escaped
    quote beside an escaped character (plugins/parsers/influx/escape.go)."""
    name = name.rstrip("\\")
    name = re.sub(r"[\x01-\x1f\x7f]", " ", name)
    return name.replace('\\"', '"') if re.search(r"[ ,=]", name) else name


def test_random_names(tmp_path):
    rng = random.Random(SEED)
    names = [random_name(rng) for _ in range(NAMES)]
    api = CannedApi([])
    options = (*account_options(api.url, write_secret(str(tmp_path))), *api.ONLY_POOLS)
    lines = tmp_path / "lines"
    with open(lines, "w", encoding="utf-8") as file:
        for start in range(0, NAMES, AT_ONCE):
            api.set_pools([pool(str(i), names[i]) for i in range(start, start + AT_ONCE)])
            status, out, err = run_once("read", *options, "--deadline", "60", deadline_s=90)
            assert status == 0, err
            file.write("".join(line + "\n" for line in out.split("\n")
                               if line.startswith("spacelift_worker_pool,")))
    arrived = through_telegraf(tmp_path, lines)
    assert len(arrived) == NAMES
    wrong = [(i, names[i], arrived.get(str(i))) for i in range(NAMES)
             if arrived.get(str(i)) != as_tag(names[i])]
    assert wrong == []


def through_telegraf(tmp_path, lines):
    """{ID: name} as Telegraf has them after parsing."""
    metrics = tmp_path / "metrics"
    config = tmp_path / "telegraf.conf"
    config.write_text(f"""
[agent]
  omit_hostname = true
  metric_batch_size = {2 * NAMES}
  metric_buffer_limit = {2 * NAMES}
[[inputs.file]]
  files = ["{lines}"]
  data_format = "influx"
[[outputs.file]]
  files = ["{metrics}"]
  data_format = "json"
""")
    done = subprocess.run([telegraf.binary(), "--config", str(config), "--once"],
                          capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0 and " E! " not in done.stderr, done.stderr[-2000:]
    with open(metrics, encoding="utf-8") as file:
        found = [json.loads(line)["tags"] for line in file]
    assert len(found) == len({tags["worker_pool_id"] for tags in found})
    return {tags["worker_pool_id"]: tags.get("worker_pool_name", "") for tags in found}
