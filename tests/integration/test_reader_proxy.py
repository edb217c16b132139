"""The reader behind proxies that its environment names: plain and over TLS, for http and for https,
with and without a login, spared ones, and ones that do not let it through."""

import re

import pytest

from lib.proxy import Proxy
from lib.stack import POOL, SpaceliftSimulator
from test_reader_trouble import certificate, daemon, polls

NAMES = ("http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY")


@pytest.fixture
def way(tmp_path, parts, monkeypatch):
    """Polls once: (account, proxy, exit status of collectd -T, what it printed)."""
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)

    def go(variable, *, https, proxy_tls=False, is_trusted=True, environment=None, given=None,
           **proxy_options):
        tls = certificate(tmp_path, "here") if https or proxy_tls else None
        proxy = Proxy(tls=tls if proxy_tls else None, **proxy_options)
        parts.append(proxy)
        account = SpaceliftSimulator(str(tmp_path), pools=[f"{POOL}=1"], tls=tls if https else None)
        parts.append(account.start())
        trusted = {"CACert": tls[0]} if tls and is_trusted else {}
        collectd, _ = daemon(tmp_path, account.url, **trusted)
        with monkeypatch.context() as patch:
            url = proxy.url.replace(proxy.server.login, given) if given else proxy.url
            for name, value in {variable: url, **(environment or {})}.items():
                patch.setenv(name, value)
            status, output = collectd.test()
        return account, proxy, status, output
    return go


@pytest.mark.parametrize("variable, options", [
    ("http_proxy", {"https": False}),
    ("http_proxy", {"https": False, "proxy_tls": True}),
    ("http_proxy", {"https": False, "login": "user:pass-word"}),
    ("https_proxy", {"https": True}),
    ("HTTPS_PROXY", {"https": True}),
    ("all_proxy", {"https": True}),
    ("https_proxy", {"https": True, "proxy_tls": True}),
    ("https_proxy", {"https": True, "proxy_tls": True, "login": "user:pass-word"}),
], ids=["http", "http-over-tls", "http-login", "https", "upper-case", "all", "https-over-tls",
        "https-over-tls-login"])
def test_through(way, variable, options):
    account, proxy, status, output = way(variable, **options)
    assert status == 0, output
    assert polls(account) == 1
    there = account.url.split("//")[1]
    wanted = f"CONNECT {there}" if options["https"] else f"POST {account.url}/graphql"
    assert set(proxy.asked) == {wanted}
    assert "pass-word" not in output


@pytest.mark.parametrize("https, name, spared", [
    (False, "no_proxy", "127.0.0.1"), (True, "NO_PROXY", "elsewhere.example,127.0.0.1"),
    (True, "no_proxy", "*")])
def test_spared(way, https, name, spared):
    account, proxy, status, output = way("https_proxy" if https else "http_proxy", https=https,
                                         environment={name: spared})
    assert status == 0, output
    assert polls(account) == 1 and proxy.asked == []


@pytest.mark.parametrize("options, words", [
    ({"https": True, "is_strict": True}, r"403.*proxy|proxy.*403|CONNECT.*403"),
    ({"https": False, "is_strict": True}, r"HTTP 403"),
    ({"https": True, "proxy_tls": True, "is_trusted": False}, r"certificate"),
], ids=["refuses-connect", "refuses-http", "of-an-unknown-ca"])
def test_not_through(way, options, words):
    account, _, status, output = way("https_proxy" if options["https"] else "http_proxy", **options)
    assert status != 0
    assert re.search(rf"cannot read workerPools.*({words})", output), output
    assert not account.requests()


def test_a_wrong_login_is_said_without_the_password(way):
    account, proxy, status, output = way("https_proxy", https=True, login="user:right-word",
                                         given="user:wrong-word")
    assert status != 0 and re.search(r"cannot read workerPools.*407", output), output
    assert "wrong-word" not in output and len(proxy.asked) >= 1 and not account.requests()
