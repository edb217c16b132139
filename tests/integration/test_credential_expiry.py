"""When credentials end is told as absolute times, by the files as they are, so that an alert can be
written before they do; what says nothing of an end has no series."""

import base64
import glob
import json
import re
import subprocess
import time

from lib.process import free_ports, wait_until
from lib.stack import (API_KEY_ID, API_KEY_SECRET, POOL, Collectd, SpaceliftSimulator, block,
                       plugin_block)
from test_reader_credentials import real_token, token, write


def csv(directory):
    return f'LoadPlugin csv\n<Plugin csv>\n  DataDir "{directory}/csv"\n</Plugin>'


def told(directory):
    """{plugin instance/type instance: value} of what csv has written."""
    found = {}
    for path in glob.glob(f"{directory}/csv/host/*/*credential_expiry-*"):
        plugin, name = path.split("/")[-2:]
        with open(path, encoding="utf-8") as file:
            last = file.read().splitlines()[-1:]  # a file may be there before its first line
        if last and last[0][0].isdigit():
            found[plugin + "/" + name[:-len("-YYYY-MM-DD")]] = float(last[0].split(",")[1])
    return found


def claim(text):
    part = text.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))["exp"]


def test_accounts(tmp_path, parts):
    directory = str(tmp_path)
    account = SpaceliftSimulator(directory, pools=[f"{POOL}=1"])
    parts.append(account.start())
    ready, issued = real_token(account), token("https://idp.example", life_s=700)
    accounts = [
        block("Account", "first", URL=account.url, APITokenFile=write(tmp_path / "t", ready)),
        block("Account", "oidc", URL=account.url, APIKeyID="oidc::https://idp.example::01KEY",
              APIKeySecretFile=write(tmp_path / "o", issued)),
        block("Account", "key", URL=account.url, APIKeyID=API_KEY_ID,
              APIKeySecretFile=write(tmp_path / "k", API_KEY_SECRET))]
    collectd = Collectd(directory, csv(directory), plugin_block("spacelift", *accounts),
                        stock_plugins=("csv",))
    parts.append(collectd.start())
    wanted = {"spacelift/credential_expiry-api_token": claim(ready),
              "spacelift-oidc/credential_expiry-oidc_token": claim(issued)}
    wait_until(lambda: told(directory) == wanted, 15, lambda: f"{told(directory)} {wanted}")
    wait_until(lambda: glob.glob(f"{directory}/csv/host/spacelift-key/*"), 15, "the third account")
    assert told(directory) == wanted


def test_an_expired_token_of_an_identity_provider_is_said(tmp_path, parts):
    account = SpaceliftSimulator(str(tmp_path), extra=["--api-key-id", "oidc::i::01KEY"])
    parts.append(account.start())
    secret = write(tmp_path / "s", token("https://idp.example", life_s=-300))
    collectd = Collectd(str(tmp_path), plugin_block("spacelift", block(
        "Account", "acme", URL=account.url, APIKeyID="oidc::i::01KEY", APIKeySecretFile=secret)))
    status, output = collectd.test()
    assert status != 0
    assert re.search(rf"the token in {secret} expired 3\d\d s ago", output), output


def test_clusters(tmp_path, parts):
    directory = str(tmp_path)
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:P-256", "-nodes", "-keyout", "key.pem", "-out", "cert.pem",
                    "-days", "20", "-subj", "/CN=scaler"], check=True, capture_output=True,
                   cwd=directory)
    end = subprocess.run(["openssl", "x509", "-in", f"{directory}/cert.pem", "-noout", "-enddate"],
                         check=True, capture_output=True, text=True).stdout.strip()
    ends_s = time.mktime(time.strptime(end, "notAfter=%b %d %H:%M:%S %Y GMT")) - time.timezone
    bound = token("https://kubernetes.default.svc", life_s=3600)
    write(tmp_path / "token", bound)
    kubeconfig = write(tmp_path / "kubeconfig", json.dumps({
        "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": {"server": f"http://127.0.0.1:{free_ports(1)[0]}"}}],
        "users": [{"name": "u", "user": {"client-certificate": "cert.pem", "client-key": "key.pem",
                                         "tokenFile": "token"}}]}))
    collectd = Collectd(directory, csv(directory), plugin_block(
        "workerpool_scaler", block("Cluster", "prod", KubeConfig=kubeconfig),
        block("Pool", POOL, MaxWorkers=5), PublishInterval=1), stock_plugins=("csv",))
    parts.append(collectd.start())
    wanted = {"workerpool_scaler-prod/cluster_credential_expiry-client_certificate": ends_s,
              "workerpool_scaler-prod/cluster_credential_expiry-token": claim(bound)}
    wait_until(lambda: told(directory) == wanted, 15, lambda: f"{told(directory)} {wanted}")
