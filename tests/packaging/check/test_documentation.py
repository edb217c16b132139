"""The documentation is tried: every configuration in it starts a real collectd, every command runs, every
message it explains is one that the code can say, every link leads somewhere.

Commands run in a mount namespace with overlays on /etc and on the folders of collectd, so that they find the
paths they name; what would change the machine (systemctl, kubectl ...) is a stand-in that says yes."""

import glob
import os
import re
import subprocess

import pytest

from lib.process import free_ports
from lib.stack import API_KEY_SECRET, BUILD, TREE, Collectd
from pages import (MAN_PAGES, NO_COMMAND, PAGES, Sandbox, Site, blocks, commands, has_overlays,
                   is_configuration, man_blocks, man_commands, man_configurations, read)


@pytest.fixture
def site(tmp_path, parts):
    return Site(tmp_path, parts)


def check_starts(text, site, where):
    status, said = Collectd(site.directory, site.fill_in(text)).test()
    assert status == 0 and "[error]" not in said, f"{where}\n{text}\n{said}"


def test_every_configuration_of_the_pages_starts_collectd(site):
    tried = 0
    for page in PAGES:
        for text in blocks(page, "apache"):
            check_starts(text, site, page)
            tried += 1
    assert tried >= 4


@pytest.mark.parametrize("page", [page for page in MAN_PAGES if page.endswith(".5.in")])
def test_collectd_takes_every_configuration_of_a_manual_page(page, site, monkeypatch):
    """Takes: what a page's example reads may be elsewhere, but no option is refused."""
    found = list(man_configurations(page))
    assert found
    site.file("spacelift-secret", API_KEY_SECRET + "\n")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", site.directory)
    for text in found:
        _, said = Collectd(site.directory, site.fill_in(text)).test()
        assert "Parsing the config file failed" not in said and "successfully loaded" in said, \
            f"{page}\n{text}\n{said}"


def check_runs(shown, page, site):
    if not has_overlays():
        pytest.skip("no overlays here: unshare -m or mount is refused")
    configurations = blocks(page, "apache") if page in PAGES else []
    drop_in = next((each for each in configurations if "LoadPlugin workerpool_scaler" in each),
                   blocks("README.md", "apache")[0])
    # Of a page's site only the account is another one; its paths are those that the page names.
    drop_in = re.sub(r'URL "https://acme[^"]*"', f'URL "{site.spacelift.url}"', drop_in)
    drop_in = re.sub(r'(?s)LoadPlugin write_prometheus_remote.*?</Plugin>\n', "", drop_in)
    text = "\n".join(f"( {block}\n)" for block in shown)
    done = Sandbox(site).run(text, drop_in, with_daemon=re.search("spacelift-pool (status|why)", text) is not None)
    assert done.returncode == 0, f"{page}:\n{text}\n{done.stdout[-3000:]}"


@pytest.mark.parametrize("page", [page for page in PAGES
                                  if commands(page) and page != "tests/sim/README.md"])
def test_every_command_runs(page, site):
    check_runs(commands(page), page, site)


@pytest.mark.parametrize("page", [page for page in MAN_PAGES if man_commands(page)])
def test_every_command_of_a_manual_page_runs(page, site):
    check_runs(man_commands(page), page, site)


def test_the_simulators_run_as_their_page_says(tmp_path):
    """On ports that are free here; where the page has a reader, who types slower than they start, waits."""
    spacelift, kubernetes = free_ports(2)
    start, drive = commands("tests/sim/README.md")
    shown = (f"{start}\nfor port in 8080 8081; do curl -s -o /dev/null --retry 100 --retry-delay 0 "
             f"--retry-connrefused localhost:$port/control/state; done\n{drive}")
    shown = shown.replace("8080", str(spacelift)).replace("8081", str(kubernetes)).replace(
        "/tmp/", f"{tmp_path}/")
    done = subprocess.run(["unshare", "--pid", "--fork", "--kill-child", "bash", "-euo", "pipefail",
                           "-c", shown], cwd=TREE, capture_output=True, text=True, check=False,
                          timeout=60)
    assert done.returncode == 0 and '"pending":8' in done.stdout, (shown, done.stdout, done.stderr)
    assert (tmp_path / "kubeconfig").exists()


def test_nothing_escapes_silently():
    """Each block of a page is a command, a configuration, or listed with what it is instead."""
    for page in PAGES:
        for language, text in re.findall(r"(?ms)^```(\w*)\n(.*?)^```", read(page)):
            listed = [start for start in NO_COMMAND.get(page, ()) if start in text.partition("\n")[0]]
            assert (language in ("sh", "apache")) != bool(listed), f"{page}:\n{text}"
    for page in MAN_PAGES:
        for text in man_blocks(page):
            listed = [start for start in NO_COMMAND.get(page, ())
                      if text.strip().startswith(start)]
            assert (is_configuration(text) or text in man_commands(page)) != bool(listed), \
                f"{page}:\n{text}"


def test_every_link_leads_somewhere():
    for page in [*PAGES, "docs/architecture.md", "CHANGELOG.md"]:
        for link in re.findall(r"\]\(([^)#]+)[^)]*\)", read(page)):
            if not link.startswith("http"):
                target = os.path.join(os.path.dirname(page), link)
                assert os.path.exists(os.path.join(TREE, target)), f"{page}: {link}"


def test_every_file_that_is_named_exists():
    for page in PAGES:
        for name in re.findall(r"`((?:conf|docs|tests|packaging|src)/[\w./-]+)`", read(page)):
            assert glob.glob(os.path.join(TREE, name)) or os.path.exists(
                os.path.join(BUILD, name)), f"{page}: {name}"


def test_every_message_that_is_explained_can_be_said():
    """Ours are in the sources, collectd's in its daemon."""
    sources = ""
    for path in glob.glob(f"{TREE}/src/*/*.c") + glob.glob(f"{TREE}/plugins/**/*.c", recursive=True):
        sources += read(path)
    # Texts that the compiler joins, and what is filled in.
    sources = re.sub(r'"\s*\n\s*"', "", sources).replace('\\"', '"')
    theirs = ('Could not find plugin', "undefined symbol", "Permission denied", "HTTP 40",
              "out of order sample")
    rows = re.findall(r"(?m)^\| (`.*?) \|", read("docs/manual/troubleshooting.md"))
    assert len(rows) > 15
    for row in rows:
        for message in re.findall(r"`([^`]+)`", row):
            if not message.startswith(theirs):
                shape = re.escape(re.sub(r"\d+", "%", message)).replace("%", r"(%\w+|\d+)")
                assert re.search(shape, sources), f"nothing says: {message}"


def test_every_error_is_in_the_list_of_messages():
    """Found here in another way than the list is made: by the first words of each literal."""
    with open(os.path.join(BUILD, "docs/manual/messages.md"), encoding="utf-8") as file:
        listed = file.read()
    tried = 0
    for path in glob.glob(f"{TREE}/src/*/*.c") + glob.glob(f"{TREE}/plugins/**/*.c", recursive=True):
        with open(path, encoding="utf-8") as file:
            source = file.read()
        for text in re.findall(r'(?:sl_fail\(\w+, SL_\w+,|sl_log\([^;"]*?SL_LOG_(?:ERROR|WARNING),)\s+'
                               r'"((?:[^"\\]|\\.)*)"', source):
            words = [each for each in re.split(r'%[-.*0-9]*[hlzj]*[a-zA-Z]|%$|\\n', text) if each]
            for each in words:
                assert each.replace('\\"', '"').replace("|", "\\|") in listed, f"{path}: {text}"
            tried += 1
    assert tried > 300


def test_metric_reference_has_every_metric_of_rules_and_dashboard():
    reference = read(os.path.join(BUILD, "docs/manual/metrics.md"))
    for path in ("conf/prometheus/spacelift.rules.yml", "conf/grafana/spacelift-worker-pools.json"):
        for name in set(re.findall(r"\b(?:spacelift|collectd_remote_write)_[a-z0-9_]{4,}", read(path))):
            assert f"`{name}" in reference, f"{path}: {name}"


def test_manual_pages_are_set_without_a_warning():
    """As lintian tries them."""
    pages = glob.glob(os.path.join(BUILD, "docs", "*.[15]"))
    assert len(pages) == len(MAN_PAGES)
    for page in pages:
        done = subprocess.run(["man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z", page],
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                              env={**os.environ, "LC_ALL": "C.UTF-8", "MANROFFSEQ": "",
                                   "MANWIDTH": "80"}, check=False)
        assert done.returncode == 0 and not done.stderr, done.stderr
