"""spacelift-pool check: nothing wrong, and one thing wrong at a time. The rights of a service account
and rival autoscalers are looked at on a real API server in tests/real/test_command_real.py."""

import json
import os
import re

import pytest
from lib.command import PROGRAM, spacelift_pool
from lib.stack import API_KEY_ID, API_KEY_SECRET, NAMESPACE, POOL, TREE, Stack, block


@pytest.fixture(name="stack")
def servers(tmp_path, parts):
    """Everything but the daemon, whose configuration is what is checked."""
    stack = Stack(str(tmp_path))
    parts.append(stack)
    for part in (stack.prometheus, stack.kubernetes, stack.spacelift):
        part.start()
    return stack


def check(stack, *arguments):
    answer = spacelift_pool("check", "--config", stack.collectd.config, "--output", "json",
                            *arguments)
    assert answer.err == "", answer
    told = json.loads(answer.out)
    assert answer.status == (1 if told["failed"] else 0)
    return told


def lines(told, verdict):
    return [f"{c['area']}: {c['text']}; {c['to_do']}" for c in told["checks"]
            if c["verdict"] == verdict]


def edit(stack, pattern, replacement):
    with open(stack.collectd.config, encoding="utf-8") as file:
        text = file.read()
    changed = re.sub(pattern, replacement, text)
    assert changed != text
    with open(stack.collectd.config, "w", encoding="utf-8") as file:
        file.write(changed)


def test_all_is_well(stack):
    stack.spacelift.add_runs(3, duration_s=600)
    told = check(stack)
    assert told["failed"] == 0 and told["warning"] <= 1, lines(told, "warning")
    good = "\n".join(lines(told, "ok"))
    for expected in ('Spacelift "acme": the endpoint answers and the key is accepted',
                     "1 worker pool can be read",
                     f'pool "{POOL}": Spacelift knows it: ',
                     f'pool "{POOL}": may patch workerpools/scale',
                     f'pool "{POOL}": poolSize is 1, ',
                     f'pool "{POOL}": it would get 3 workers now: busy ',
                     "no ScaledObject resizes it",
                     'remote write "prometheus": takes remote write 1.0'):
        assert expected in good, good
    # Nothing was changed, and nobody was told a secret.
    assert stack.pool_size() == 1 and stack.kubernetes.patches() == []
    answer = spacelift_pool("check", "--config", stack.collectd.config)
    assert answer.status == 0
    assert re.search(r"^ok       Spacelift \"acme\": the endpoint answers", answer.out, re.M), answer
    assert re.search(r"^\d+ ok, \d+ skipped, \d+ warnings?, 0 failed$", answer.out, re.M), answer
    assert "secret-of-the-simulator" not in answer.out and "\x1b" not in answer.out


def test_every_document_that_is_switched_on(stack):
    edit(stack, "<Account \"acme\">", "\\g<0>\n" + "\n".join(
        f"{name} true" for name in ("Queue", "Workers", "Schedulable", "BillingDetails", "Seats")))
    told = check(stack)
    good = "\n".join(lines(told, "ok"))
    for expected in ("Queue: the queue of 1 pool can be read", "Usage: usage can be read",
                     "Aggregates: metrics can be read", "Workers: workerPools can be read",
                     "Schedulable: workerPools can be read", "Seats: seats can be read",
                     "BillingDetails: usage can be read",
                     "PublicWorkerPool: publicWorkerPool can be read"):
        assert expected in good, good

    stack.spacelift.control("refuse", workerPool="you may not")
    told = check(stack)
    assert told["failed"] == 0, lines(told, "failed")
    assert any(f'the queue of pool "{POOL}" cannot be read' in line and "set Queue false" in line
               for line in lines(told, "warning")), lines(told, "warning")


def test_one_request_for_several_pools(stack):
    edit(stack, f'<Pool "{POOL}">',
         f'<Pool "another">\n    Namespace "{NAMESPACE}"\n    MaxWorkers 2\n  </Pool>\n  \\g<0>')
    said = [line for line in lines(check(stack), "ok") if "may list workerpools" in line]
    assert said == ['pool "another": may list workerpools: one request for each interval looks at '
                    "all 2 pools of its namespace; "], said


def test_misspelt_pool(stack):
    edit(stack, f'<Pool "{POOL}">', '<Pool "my-amazing-workerpool">')
    failed = lines(check(stack), "failed")
    assert any("Spacelift has no worker pool of this name; " f'did you mean "{POOL}"?' in line
               for line in failed), failed
    assert any("compare with kubectl get workerpools" in line for line in failed), failed


def test_secret_others_can_read(stack):
    os.chmod(stack.secret_file, 0o644)
    told = check(stack)
    assert told["failed"] == 0
    assert any("chmod 600" in line for line in lines(told, "warning")), lines(told, "warning")


def test_wrong_secret(stack):
    with open(stack.secret_file, "w", encoding="utf-8") as file:
        file.write("wrong-secret\n")
    told = check(stack)
    [failed] = lines(told, "failed")
    assert failed.startswith('Spacelift "acme": ') and "compare APIKeyID" in failed
    assert "wrong-secret" not in failed
    assert any("its name is not compared" in line for line in lines(told, "skipped"))


def test_servers_that_are_away(stack):
    for part in (stack.prometheus, stack.kubernetes, stack.spacelift):
        part.stop()
    failed = lines(check(stack), "failed")
    assert len(failed) == 3, failed
    assert any(line.startswith('Spacelift "acme"') and "check URL, DNS" in line for line in failed)
    assert any(line.startswith('remote write "prometheus"') for line in failed)
    assert any("check the kubeconfig's server" in line for line in failed)


def test_receiver_that_is_none(stack):
    edit(stack, "/api/v1/write", "/api/v1/wrong")
    failed = lines(check(stack), "failed")
    assert len(failed) == 1 and "--web.enable-remote-write-receiver" in failed[0], failed


def test_only_options(stack):
    """No file at all: an account by options, a pool as a word."""
    answer = spacelift_pool(
        "check", POOL, "--url", stack.spacelift.url, "--api-key-id", "01HQZX9K7P2M3N4Q5R6S7T8U9V",
        "--api-key-secret-file", stack.secret_file, "--max-workers", 5,
        "--cluster-kube-config", stack.kubeconfig,
        "--namespace", "spacelift-worker-pool-controller-system")
    assert answer.status == 0 and "it would get 1 worker now" in answer.out, answer


def test_host_that_only_scales(tmp_path, stack):
    """No account here: its values come over the network; names cannot be compared."""
    config = tmp_path / "only.conf"
    config.write_text("<Plugin workerpool_scaler>\n" +
                      block("Cluster", "prod", KubeConfig=stack.kubeconfig) + "\n" +
                      block("Pool", POOL, MaxWorkers=5,
                            Namespace="spacelift-worker-pool-controller-system") + "\n</Plugin>\n")
    answer = spacelift_pool("check", "--config", config)
    assert answer.status == 0 and "its name is not compared" in answer.out, answer


@pytest.mark.parametrize("text, says", [
    ("<Plugin workerpool_scaler>\n  <Pool \"a\">\n    MaxWorker 5\n  </Pool>\n</Plugin>\n",
     "did you mean MaxWorkers?"),
    ("<Plugin workerpool_scaler>\n  <Pool \"a\">\n", "1.conf:"),
    ("<Plugin workerpool_scaler>\n  <Pool \"a\">\n    MinWorkers 9\n    MaxWorkers 5\n  </Pool>\n"
     "</Plugin>\n", "MinWorkers"),
])
def test_configuration_that_does_not_hold(tmp_path, text, says):
    config = tmp_path / "1.conf"
    config.write_text(text)
    answer = spacelift_pool("check", "--config", config)
    assert answer.status == 2 and answer.out == "" and says in answer.err, answer


def dropin(tmp_path, *tables):
    """tables: name, command, and other settings as TOML has them."""
    path = tmp_path / "spacelift.conf"
    path.write_text("# as in telegraf.d\n" + "".join(
        f"[[{table}]]\n  command = {json.dumps([str(word) for word in words])}\n" +
        "".join(f"  {name} = {json.dumps(value)}\n" for name, value in settings.items())
        for table, words, settings in tables))
    return path


def complaints(answer):
    """What is wrong with the drop-in, and not with what it leads to."""
    return [line for line in answer.out.splitlines()
            if re.match(r"(skipped|warning|failed) +Telegraf ", line)]


STDIN = {"signal": "STDIN", "data_format": "influx"}
PATIENT = {"restart_delay": "10s"}


def test_drop_in_of_telegraf(stack, tmp_path):
    """The file that Telegraf reads names the command, and the command its configuration."""
    config = stack.collectd.config
    path = dropin(tmp_path,
                  ("inputs.execd", [PROGRAM, "read", "--execd", "--config", config], STDIN),
                  ("outputs.execd", [PROGRAM, "scale", "--execd", "--config", config], PATIENT),
                  ("inputs.exec", ["/usr/bin/uptime"], {"name_override": "other"}))
    answer = spacelift_pool("check", "--config", path)
    assert answer.status == 0, answer
    assert f"Telegraf inputs.execd: {PROGRAM} is there" in answer.out, answer
    assert f"Telegraf outputs.execd: {PROGRAM} is there" in answer.out, answer
    assert answer.out.count("the endpoint answers and the key is accepted") == 1, answer
    assert complaints(answer) == [], answer

    path = dropin(tmp_path, ("inputs.exec", ["/no/spacelift-pool", "read", "--confg", config], {}))
    answer = spacelift_pool("check", "--config", path)
    assert answer.status == 1 and "/no/spacelift-pool cannot be run: No such file" in answer.out
    assert "did you mean --config?" in answer.out, answer

    path = dropin(tmp_path, ("inputs.exec", ["/usr/bin/uptime"], {}))
    answer = spacelift_pool("check", "--config", path)
    assert answer.status == 1 and "runs spacelift-pool; to do: " in answer.out, answer


def test_environment_of_a_drop_in(stack, tmp_path):
    """As spacectl's users have it: the account stands in variables, and only there."""
    variables = [f"SPACELIFT_API_KEY_ENDPOINT={stack.spacelift.url}",
                 f"SPACELIFT_API_KEY_ID={API_KEY_ID}"]
    secret = f"SPACELIFT_API_KEY_SECRET={API_KEY_SECRET}"
    read = [PROGRAM, "read", "--execd"]
    path = dropin(tmp_path, ("inputs.execd", read, {**STDIN, "environment": [*variables, secret]}))
    path.chmod(0o640)
    answer = spacelift_pool("check", "--config", path)
    assert answer.status == 0 and "the key is accepted" in answer.out, answer
    assert complaints(answer) == [] and API_KEY_SECRET not in answer.out + answer.err, answer

    path.chmod(0o644)
    answer = spacelift_pool("check", "--config", path)
    assert answer.status == 0 and "can be read by everybody; to do: chmod o= it" in answer.out, answer

    # Each command has its own: the second is told nothing.
    path = dropin(tmp_path, ("inputs.execd", read, {**STDIN, "environment": [*variables, secret]}),
                  ("inputs.execd", read, STDIN))
    answer = spacelift_pool("check", "--config", path)
    assert answer.status == 1 and answer.out.count("no Spacelift account: give --url") == 1, answer

    for value, says in (("@{store:secret}", "from a secret store, which Telegraf does not ask"),
                        ("${SECRET}", "from a variable that only Telegraf's service has")):
        path = dropin(tmp_path, ("inputs.execd", read, {**STDIN, "environment": [
            *variables, f"SPACELIFT_API_KEY_SECRET={value}"]}))
        answer = spacelift_pool("check", "--config", path)
        assert answer.status == 1 and says in answer.out, answer


READ, SCALE = [PROGRAM, "read"], [PROGRAM, "scale"]
INFLUX = {"data_format": "influx"}


SETTINGS = [  # table, command, settings, exit status, what is said (None: nothing)
    ("inputs.exec", READ, INFLUX, 0, None),
    ("inputs.exec", [*READ, "--deadline", "15"],
     {**INFLUX, "timeout": "20s", "interval": "30s"}, 0, None),
    ("inputs.exec", [*READ, "--output=prometheus"], {"data_format": "prometheus"}, 0, None),
    ("inputs.exec", READ, {}, 1, 'data_format is "json" where nothing is said, but the command '
     'prints line protocol; to do: data_format = "influx"'),
    ("outputs.exec", SCALE, {"data_format": "json"}, 1, "but the command reads line protocol"),
    ("inputs.exec", [*READ, "--deadline", "15"], INFLUX, 1,
     "Telegraf kills the command after 5 s where no timeout is set, before its --deadline of 15 s"),
    ("inputs.exec", READ, {**INFLUX, "timeout": "soon"}, 1, 'timeout = "soon" is no duration'),
    ("inputs.exec", READ, {**INFLUX, "interval": "5s"}, 0, "the interval of 5 s is over by then"),
    ("inputs.exec", READ, {**INFLUX, "name_override": "ci"}, 0,
     'name_override = "ci" gives the values another name than dashboards'),
    ("outputs.exec", SCALE, {"name_prefix": "ci_"}, 1, "scale knows only spacelift_worker_pool"),
    ("inputs.exec", [*READ, "--execd"], INFLUX, 1, "inputs.exec waits for its end"),
    ("inputs.execd", READ, STDIN, 1, "to do: add --execd"),
    ("inputs.execd", [*READ, "--execd"], {}, 1, 'to do: signal = "STDIN"'),
    ("inputs.execd", [*READ, "--execd", "--every", "30"], {}, 0, None),
    ("outputs.execd", [*SCALE, "--execd"], {}, 0, 'to do: restart_delay = "10s"'),
    ("outputs.exec", SCALE, {"use_batch_format": False}, 0, "a process is started for each value"),
    ("outputs.exec", READ, {}, 1, 'outputs.exec runs "read"'),
]


def test_settings_of_a_drop_in(stack, tmp_path):
    for table, command, settings, status, says in SETTINGS:
        path = dropin(tmp_path, (table, [*command, "--config", stack.collectd.config], settings))
        answer = spacelift_pool("check", "--config", path)
        said = "\n".join(complaints(answer))
        assert answer.status == status and (says in said if says else said == ""), (
            table, command, settings, answer)


def test_drop_ins_of_the_package(stack, tmp_path):
    for name in sorted(os.listdir(os.path.join(TREE, "conf", "telegraf.d"))):
        with open(os.path.join(TREE, "conf", "telegraf.d", name), encoding="utf-8") as file:
            text = file.read()
        if "spacelift-pool " not in text and "spacelift-pool\"" not in text:
            continue
        path = tmp_path / name
        path.write_text(text.replace("/usr/bin/spacelift-pool", PROGRAM)
                        .replace("/etc/spacelift-pool.conf", stack.collectd.config))
        answer = spacelift_pool("check", "--config", path)
        assert answer.status == 0 and complaints(answer) == [], (name, answer)
