"""spacelift-pool csr, manifests and migrate: from nothing to a pool, and from KEDA to us."""

import base64
import json
import os
import re
import stat
import subprocess

import pytest
from lib.command import PROGRAM, spacelift_pool
from lib.stack import Collectd, block

HERE = os.path.dirname(os.path.abspath(__file__))
TUTORIAL = os.path.join(HERE, "data", "tutorial-scaledobject.yaml")

NEW_LAYOUT = """\
# Spacelift API Key Configuration

[credentials]
api_key_id     = 01HQZX9K7P2M3N4Q5R6S7T8U9V
api_key_secret = the-secret

credentials "spacelift.io" {
  token = "another"
}
"""
OLD_LAYOUT = """\
Please use the following API secret when communicating with Spacelift
programmatically:

the-secret

Please add this snippet to your .terraformrc file if you want to use this API
"""


def openssl(*arguments):
    return subprocess.run(["openssl", *arguments], capture_output=True, text=True, check=True).stdout


def test_csr(tmp_path):
    old = os.umask(0)
    try:
        answer = spacelift_pool("csr", "--common-name", "zażółć", "--country=PL", cwd=tmp_path)
    finally:
        os.umask(old)
    assert answer.status == 0 and answer.err == "", answer
    key, request = str(tmp_path / "spacelift.key"), str(tmp_path / "spacelift.csr")
    assert stat.S_IMODE(os.stat(key).st_mode) == 0o600
    text = openssl("req", "-in", request, "-noout", "-verify", "-text", "-nameopt", "utf8")
    assert "4096 bit" in text and "zażółć" in text and "sha256" in text
    assert openssl("req", "-in", request, "-noout", "-pubkey") == \
        openssl("pkey", "-in", key, "-pubout")


@pytest.mark.parametrize("there", ["spacelift.key", "spacelift.csr"])
def test_csr_overwrites_nothing(tmp_path, there):
    (tmp_path / there).write_text("mine")
    answer = spacelift_pool("csr", cwd=tmp_path)
    assert answer.status == 2
    assert f"{there} is there already, and is not overwritten" in answer.err, answer
    assert os.listdir(tmp_path) == [there]
    assert (tmp_path / there).read_text() == "mine"


@pytest.mark.parametrize("layout", [NEW_LAYOUT, OLD_LAYOUT, "the-secret\n"])
def test_manifests_with_secrets(tmp_path, layout):
    (tmp_path / "k").write_text("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")
    (tmp_path / "pool.config").write_text("dG9rZW4=\n")
    (tmp_path / "key.config").write_text(layout)
    answer = spacelift_pool("manifests", "--worker-pool", "builds", "--private-key", "k",
                            "--pool-config", "pool.config", "--api-key-config", "key.config",
                            "--pool-size", 2, cwd=tmp_path)
    assert answer.status == 0 and answer.err == "", answer

    def datum(key):
        return base64.b64decode(re.search(rf"^  {key}: (\S+)$", answer.out, re.M).group(1)).decode()
    assert datum("SPACELIFT_PROMEX_API_KEY_SECRET") == "the-secret"
    assert datum("token") == "dG9rZW4="
    assert base64.b64decode(datum("privateKey")).decode() == (tmp_path / "k").read_text()
    assert "poolSize: 2" in answer.out


def test_manifests_tell_files_apart(tmp_path):
    (tmp_path / "request").write_text("-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n")
    (tmp_path / "key.config").write_text(NEW_LAYOUT)
    answer = spacelift_pool("manifests", "--worker-pool", "b", "--private-key", "request",
                            cwd=tmp_path)
    assert answer.status == 2 and "this is the signing request" in answer.err, answer
    answer = spacelift_pool("manifests", "--worker-pool", "b", "--pool-config", "key.config",
                            cwd=tmp_path)
    assert answer.status == 2 and "not that of the API key" in answer.err, answer
    assert "the-secret" not in answer.err + answer.out


def test_migrate_the_tutorial(tmp_path):
    answer = spacelift_pool("migrate", TUTORIAL)
    assert answer.status == 0 and answer.err == "", answer
    inert = answer.out.split("# 5 of its fields do nothing:\n")[1].split("#\n")[0]
    assert re.findall(r"^#   - (\S+):", inert, re.M) == [
        "pollingInterval", "cooldownPeriod", "initialCooldownPeriod",
        "triggers[0].metadata.activationThreshold", "triggers[0].metadata.unsafeSsl"]
    assert "counts pending runs only" in answer.out
    assert 'DemandFrom "pending"' in answer.out
    # The real daemon takes what was printed, and the better one as well.
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(json.dumps({
        "current-context": "a", "contexts": [{"name": "a", "context": {"cluster": "a"}}],
        "clusters": [{"name": "a", "cluster": {"server": "http://127.0.0.1:1"}}]}))
    begin = "<Plugin workerpool_scaler>\n"
    cluster = begin + block("Cluster", "prod", KubeConfig=kubeconfig) + "\n"
    for behavior in ("same", "better"):
        text = spacelift_pool("migrate", TUTORIAL, "--behavior", behavior).out
        assert ('    DemandFrom "pending"' in re.sub("^#.*$", "", text, flags=re.M)) == \
            (behavior == "same")
        status, said = Collectd(str(tmp_path), text.replace(begin, cluster)).test()
        assert status == 0, said


def test_migrate_as_json_from_a_pipe():
    with open(TUTORIAL, encoding="utf-8") as file:
        text = file.read()
    answer = spacelift_pool("migrate", "-", "--output", "json", text=text)
    [told] = json.loads(answer.out)
    assert [f["kind"] for f in told["findings"]].count("inert") == 5
    assert told["counts_pending_only"] is True
    assert told["same"]["ScaleInWindow"] == "600"
    assert set(told["better"]) == {"Namespace", "MinWorkers", "MaxWorkers"}


def test_migrate_many(tmp_path):
    with open(TUTORIAL, encoding="utf-8") as file:
        text = file.read()
    other = text.replace("my-amazing-worker-pool", "other")
    (tmp_path / "all.yaml").write_text(text + "---\nkind: ConfigMap\napiVersion: v1\n---\n" + other)
    answer = spacelift_pool("migrate", tmp_path / "all.yaml")
    assert answer.status == 0, answer
    assert answer.out.count('\n  <Pool "') == 2


@pytest.mark.parametrize("text, says", [
    ("a: [1\n", "not YAML at line"),
    ("", "no ScaledObject and no HorizontalPodAutoscaler in it"),
    ("kind: Pod\napiVersion: v1\n", "only other objects"),
    ("apiVersion: keda.sh/v1alpha1\nkind: ScaledObject\nmetadata: {name: x}\n"
     "spec: {scaleTargetRef: {name: web}}\n", "scales a Deployment, not a WorkerPool"),
])
def test_migrate_says_what_is_wrong(text, says):
    answer = spacelift_pool("migrate", "-", text=text)
    assert answer.status == 2 and answer.out == ""
    assert says in answer.err and answer.err.startswith("spacelift-pool migrate: -: "), answer


@pytest.mark.parametrize("arguments, says", [
    (["migrat"], "did you mean migrate?"),
    (["migrate", "/no/such/file"], "cannot open /no/such/file: No such file or directory"),
    (["migrate", "a", "b"], '"b" is too much'),
    (["migrate", "a", "--behaviour", "same"], "did you mean --behavior?"),
    (["migrate", "a", "--behavior", "nicer"], "it must be one of: same, better"),
    (["migrate"], "name a FILE, or - for standard input, or --kube-config with"),
    (["csr", "--country", "Poland", "--key", "/nowhere/key"], "the subject's C is not allowed"),
    (["manifests"], "--worker-pool is missing"),
    (["manifests", "--worker-pool", "My Pool"], 'the worker pool "My Pool" is no name'),
    (["manifests", "--worker-pool", "a", "--pool-size", "-1"], "it must be from 0"),
    (["read", "--api-key-secret", "x"], "did you mean --api-key-secret-file?"),
    (["read", "--timeout", "long"], "--timeout is \"long\": it must be a number"),
    (["migrate", "--timeout", "0"], "--timeout is 0 ms: it must be from"),
    (["why"], "POOL is missing"),
    (["watch", "--output", "json"], "--output json is for status"),
])
def test_messages(arguments, says, tmp_path):
    answer = spacelift_pool(*arguments, cwd=tmp_path)
    assert answer.status == 2 and answer.out == "", answer
    assert says in answer.err and answer.err.count("\n") == 1, answer


def test_full_disk(tmp_path):
    """What could not be written is not done, whatever was asked for."""
    for arguments in (["--help"], ["--version"], ["read", "--help"], ["completion", "bash"],
                      ["completion", "man"], ["migrate", TUTORIAL]):
        with open("/dev/full", "w", encoding="utf-8") as full:
            done = subprocess.run([PROGRAM, *arguments], stdout=full, stderr=subprocess.PIPE,
                                  text=True, check=False)
        assert done.returncode == 1 and "No space left on device" in done.stderr, (arguments, done)
    (tmp_path / "runs.csv").write_text("arrival_s,duration_s\n0,60\n9,60\n")
    answer = spacelift_pool("replay", tmp_path / "runs.csv", "--max-workers", 5, "--svg",
                            "/dev/full")
    assert answer.status == 1 and "cannot write /dev/full: No space left" in answer.err, answer
