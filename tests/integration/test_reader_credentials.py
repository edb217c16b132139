"""The ways into an account, on the real daemon: each works, and each that cannot says which option
is at fault and what to do."""

import base64
import json
import os
import re
import time

import pytest

from lib.process import wait_until
from lib.stack import (API_KEY_ID, API_KEY_SECRET, POOL, Collectd, SpaceliftSimulator, block,
                       http, plugin_block)

OLD_FILE = """Please use the following API secret when communicating with Spacelift
programmatically:

{secret}

Please add this snippet to your .terraformrc file if you want to use this API
key to access Spacelift-hosted Terraform modules outside of Spacelift:

credentials "spacelift.io" {{
  token = "not-this-one"
}}
"""
NEW_FILE = """# Spacelift API Key Configuration

[credentials]
api_key_id     = {id}
api_key_secret = {secret}

# Usage Options:
credentials "spacelift.io" {{
  token = "not-this-one"
}}
"""


def write(path, text, mode=0o600):
    """The file, which may be read at any time: it is there as a whole, or not."""
    with open(f"{path}.new", "w", encoding="utf-8",
              opener=lambda name, flags: os.open(name, flags, mode)) as file:
        file.write(text)
    os.rename(f"{path}.new", path)
    return str(path)


def token(url, life_s=3600, **claims):
    part = lambda value: base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()
    claims = {"aud": [url], "exp": int(time.time() + life_s), **claims}
    return f"{part({'alg': 'HS256'})}.{part(claims)}.c2lnbmF0dXJl"


def real_token(account):
    """One that the simulator has given."""
    answer = http("POST", f"{account.url}/graphql", {
        "query": "mutation($id:ID!,$secret:String!){apiKeyUser(id:$id,secret:$secret){jwt}}",
        "variables": {"id": API_KEY_ID, "secret": API_KEY_SECRET}})
    return answer["data"]["apiKeyUser"]["jwt"]


def profile(url, **credentials):
    return json.dumps({"currentProfileAlias": "acme", "profiles": {"acme": {
        "alias": "acme", "credentials": {"endpoint": url, **credentials}}}}, indent=2)


@pytest.fixture
def account(tmp_path, parts):
    simulator = SpaceliftSimulator(str(tmp_path), pools=[f"{POOL}=1"])
    parts.append(simulator.start())
    return simulator


def daemon(tmp_path, **options):
    return Collectd(str(tmp_path), plugin_block("spacelift", block(
        "Account", "acme", PublicWorkerPool=False, Usage=False, Aggregates=False, Timeout=60000,
        **options)))


def new_file(t, key_id=API_KEY_ID):
    return write(t / "key.config", NEW_FILE.format(id=key_id, secret=API_KEY_SECRET))


WAYS_IN = [
    ("bare secret", lambda t, a: {"URL": a.url, "APIKeyID": API_KEY_ID, "APIKeySecretFile":
                                  write(t / "s", f"\n  {API_KEY_SECRET}\r\n\n")}),
    ("old key file", lambda t, a: {"URL": a.url, "APIKeyID": API_KEY_ID, "APIKeySecretFile":
                                   write(t / "s", OLD_FILE.format(secret=API_KEY_SECRET))}),
    ("new key file", lambda t, a: {"URL": f"{a.url}/graphql/", "APIKeySecretFile": new_file(t)}),
    ("new key file and ID", lambda t, a: {"URL": f"{a.url}/", "APIKeyID": API_KEY_ID,
                                          "APIKeySecretFile": new_file(t)}),
    ("systemd credential", lambda t, a: {"URL": a.url, "APIKeyID": API_KEY_ID,
                                         "APIKeySecretCredential": "spacelift-secret"}),
    ("token", lambda t, a: {"URL": a.url, "APITokenFile": write(t / "t", real_token(a))}),
    ("profile", lambda t, a: {"SpacectlConfig": write(t / "p", profile(
        a.url, type=1, key_id=API_KEY_ID, key_secret=API_KEY_SECRET))}),
    ("profile by name", lambda t, a: {"SpacectlProfile": "acme", "SpacectlConfig": write(
        t / "p", profile(a.url + "/", type=1, key_id=API_KEY_ID, key_secret=API_KEY_SECRET))}),
    ("profile with a token", lambda t, a: {"URL": a.url, "SpacectlConfig": write(
        t / "p", profile(a.url, type=3, access_token=real_token(a)))}),
]


@pytest.mark.parametrize("make", [case[1] for case in WAYS_IN],
                         ids=[case[0].replace(" ", "-") for case in WAYS_IN])
def test_way_in(tmp_path, account, monkeypatch, make):
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    write(tmp_path / "spacelift-secret", API_KEY_SECRET)
    status, output = daemon(tmp_path, **make(tmp_path, account)).test()
    assert status == 0, output
    assert "WorkerPools" in str(account.requests())
    assert API_KEY_SECRET not in output and "chmod" not in output


DEAD = "http://127.0.0.1:9"
# name, options, what one line must say
NO_WAY_IN = [
    ("no secret at all", lambda t: {"URL": DEAD, "APIKeyID": "01H"}, ["APIKeySecretFile", "missing"]),
    ("no URL", lambda t: {"APIKeyID": "01H", "APIKeySecretFile": new_file(t)}, ["URL", "missing"]),
    ("two secrets", lambda t: {"URL": DEAD, "APIKeyID": "01H", "APIKeySecretFile": new_file(t),
                               "APITokenFile": write(t / "t", token(DEAD))},
     ["only one", "APITokenFile"]),
    ("what sed '4q;d' makes of a new file",
     lambda t: {"URL": DEAD, "APIKeyID": "01H", "APIKeySecretFile":
                write(t / "s", "api_key_id     = 01HQZX9K7P2M3N4Q5R6S7T8U9V\n")},
     ["APIKeySecretFile", "line 4", "Name that file itself"]),
    ("ID of another key", lambda t: {"URL": DEAD, "APIKeyID": "01OTHER", "APIKeySecretFile":
                                     new_file(t)}, ["01OTHER", API_KEY_ID, "APIKeyID"]),
    ("a path that a daemon will not find again", lambda t: {
        "URL": DEAD, "APIKeyID": "01H", "APIKeySecretFile": "spacelift.secret"},
     ["APIKeySecretFile", '"spacelift.secret" must be a whole path']),
    ("no ID anywhere", lambda t: {"URL": DEAD, "APIKeySecretFile": write(t / "s", "secret")},
     ["set APIKeyID"]),
    ("a web page", lambda t: {"URL": DEAD, "APIKeyID": "01H", "APIKeySecretFile":
                              write(t / "s", "<html>\n<body>no</body>\n</html>")},
     ["APIKeySecretFile", "not the file of an API key"]),
    ("no credential", lambda t: {"URL": DEAD, "APIKeyID": "01H", "APIKeySecretCredential": "no"},
     ["APIKeySecretCredential", "No such file"]),
    ("no token", lambda t: {"URL": DEAD, "APITokenFile": write(t / "t", "hello")},
     ["APITokenFile", "three parts"]),
    ("token without an account", lambda t: {"APITokenFile": write(t / "t", token(DEAD, aud=[]))},
     ["APITokenFile", "aud"]),
    ("token without an end", lambda t: {"APITokenFile": write(t / "t", token(DEAD, exp="x"))},
     ["APITokenFile", "exp"]),
    ("no such profile", lambda t: {"SpacectlProfile": "b", "SpacectlConfig":
                                   write(t / "p", profile(DEAD, type=1))},
     ["SpacectlConfig", 'no profile "b"']),
    ("profile of GitHub", lambda t: {"SpacectlConfig": write(t / "p", profile(DEAD, type=2))},
     ["GitHub", "spacectl profile login"]),
    ("no configuration of spacectl", lambda t: {"SpacectlConfig": write(t / "p", "[x")},
     ["SpacectlConfig", "no JSON"]),
]


@pytest.mark.parametrize("make, words", [case[1:] for case in NO_WAY_IN],
                         ids=[re.sub(r"\W+", "-", case[0]) for case in NO_WAY_IN])
def test_no_way_in(tmp_path, monkeypatch, make, words):
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path / "nowhere"))
    status, output = daemon(tmp_path, **make(tmp_path)).test()
    assert status != 0, output
    said = [line for line in output.splitlines()
            if 'Account "acme"' in line and all(word in line for word in words)]
    assert said, f"{words} in one line of\n{output}"
    assert API_KEY_SECRET not in output


def test_permissions_are_warned_of(tmp_path, account):
    secret = write(tmp_path / "s", API_KEY_SECRET)
    os.chmod(secret, 0o644)
    status, output = daemon(tmp_path, URL=account.url, APIKeyID=API_KEY_ID,
                            APIKeySecretFile=secret).test()
    assert status == 0
    assert len(re.findall(rf"can be read by others.*chmod 600 {secret}", output)) == 1


def operations(account, name):
    return sum(r["operation"] == f"CollectdSpacelift_{name}" for r in account.requests())


def test_rotated_secret_needs_no_restart(tmp_path, parts):
    """A token of an OIDC provider: short-lived, and read again at every exchange."""
    issued = "token-of-the-provider-1"
    account = SpaceliftSimulator(str(tmp_path), extra=[
        "--api-key-id", "oidc::https://idp.example::01KEY", "--api-key-secret", issued,
        "--token-life", "31"])  # a second more than what is renewed before
    parts.append(account.start())
    secret = write(tmp_path / "s", issued)
    collectd = daemon(tmp_path, URL=account.url, APIKeyID="oidc::https://idp.example::01KEY",
                      APIKeySecretFile=secret)
    parts.append(collectd.start())
    wait_until(lambda: operations(account, "Login") >= 2, 15, "renewed before it expires")
    write(secret, "wrong-now")
    collectd.wait_line("the API key is refused: check APIKeyID oidc::https://idp.example", 15)
    refused = operations(account, "Login")
    write(secret, issued)
    collectd.wait_line("workerPools .*is read again", 15)
    assert len(collectd.find("cannot read workerPools")) == 1
    asked = [r["operation"].rpartition("_")[2] for r in account.requests()]
    logins = [number for number, name in enumerate(asked) if name == "Login"]
    read_again = asked.index("WorkerPools", logins[refused - 1])
    assert asked[logins[refused - 1] + 1:read_again].count("Login") <= 2


def test_expired_token_is_replaced(tmp_path, account, parts):
    path = write(tmp_path / "t", token(account.url, life_s=-100))
    collectd = daemon(tmp_path, URL=account.url, APITokenFile=path)
    parts.append(collectd.start())
    collectd.wait_line(r"the token expired \d+ s ago: put a new one there", 10)
    assert operations(account, "WorkerPools") == 0  # nothing was sent with it
    write(path, real_token(account))
    collectd.wait_line("workerPools .*is read again", 15)


def test_dead_tokens_are_exchanged(tmp_path, account, parts):
    """The backend forgets all tokens: nobody notices."""
    collectd = daemon(tmp_path, URL=account.url, APIKeyID=API_KEY_ID,
                      APIKeySecretFile=write(tmp_path / "s", API_KEY_SECRET))
    parts.append(collectd.start())
    wait_until(lambda: operations(account, "WorkerPools") >= 2, 10, "polls")
    http("DELETE", f"{account.url}/control/tokens")
    wait_until(lambda: operations(account, "Login") == 2, 10, "a new token")
    asked = operations(account, "WorkerPools")
    wait_until(lambda: operations(account, "WorkerPools") >= asked + 2, 10, "it works again")
    assert not collectd.find("cannot read")
