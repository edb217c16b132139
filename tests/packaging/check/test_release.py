"""The release: the version stands in one place, the packages' lists are complete, what is linked is known
and may be."""

import json
import os
import re
import subprocess

import pytest

from lib.stack import BUILD, PLUGINS, TREE


def read(*path):
    with open(os.path.join(TREE, *path), encoding="utf-8") as file:
        return file.read()


def version():
    return re.search(r"AC_INIT\(\[collectd-spacelift\], \[([^]]+)\]", read("configure.ac")).group(1)


def tracked():
    done = subprocess.run(["git", "ls-files"], cwd=TREE, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip("not a clone: git does not know which files are ours")
    return done.stdout.splitlines()


def test_version_stands_in_one_place():
    headings = re.findall(r"(?m)^## (\S+)", read("CHANGELOG.md"))
    assert headings[0] == version(), "CHANGELOG.md begins with another version"
    for path in ("packaging/deb/changelog", "packaging/rpm/collectd-spacelift.spec"):
        made = os.path.join(BUILD, path)
        with open(made, encoding="utf-8") as file:
            assert version() in file.read()
    for path in tracked():
        if path.startswith(("packaging/", "src/", "plugins/", "m4/")) or path == "Makefile.am":
            # What stands on a line with the protocol's header is the protocol's version.
            text = re.sub(r"(?m)^.*Remote-Write-Version.*$", "", read(path))
            assert not re.search(rf"(?<![\d.]){re.escape(version())}(?![\d.])", text), path


def test_command_and_pages_say_the_version():
    command = os.path.join(BUILD, "spacelift-pool")
    said = subprocess.run([command, "--version"], capture_output=True, text=True, check=True).stdout
    assert version() in said
    for plugin in PLUGINS:
        with open(os.path.join(BUILD, "docs", f"collectd-{plugin}.5"), encoding="utf-8") as page:
            assert version() in page.read()


def test_licences_of_what_is_linked():
    done = subprocess.run([os.path.join(TREE, "packaging", "sbom"), BUILD], capture_output=True,
                          text=True, check=False)
    assert done.returncode == 0, done.stderr
    bom = json.loads(done.stdout)
    assert bom["metadata"]["component"]["version"] == version()
    found = {each["name"]: each["licenses"][0]["license"]["id"] for each in bom["components"]}
    assert {"curl", "yajl", "openssl", "pcre2"} <= set(found)
    # None that an MIT plugin in a process with GPL plugins could not be shipped with.
    allowed = {"MIT", "ISC", "curl", "BSD-3-Clause", "Apache-2.0", "LGPL-2.1-or-later"}
    assert set(found.values()) <= allowed


def test_every_library_is_named_by_every_package():
    """configure.ac, Debian's control, the spec and the build script ask for the same libraries."""
    rows = re.findall(r"(?m)^SL_LIBRARY\(\[\w+\], \[([^]\s]+)[^]]*\], \[([^]]+)\], \[([^]]+)\]"
                      r"(, \[[^]]+\.h\])?", read("configure.ac"))
    assert len(rows) >= 5
    for pkg_config, debian, fedora, header in rows:
        assert f" {debian}," in read("packaging", "deb", "control"), debian
        wanted = fedora if header else f"pkgconfig({pkg_config})"
        assert re.search(rf"(?m)^BuildRequires: +{re.escape(wanted)}(\s|$)",
                         read("packaging", "rpm", "collectd-spacelift.spec.in")), wanted
        assert debian in read("tests", "tools", "build"), debian


def test_everything_to_read_is_installed():
    """Examples and manual: what is in the tree is in the Makefile's lists, so in the packages."""
    makefile = read("Makefile.am")
    for path in tracked():
        if path.startswith("conf/") or re.match(r"docs/manual/.*\.md$", path):
            assert re.search(rf"(?m)[\s=]{re.escape(path)}(\s|$)", makefile), f"{path} is not installed"
        if path.startswith("docs/") and path.endswith(".in"):
            assert path.removesuffix(".in") in makefile, f"{path} is not installed"


def test_maintainer_scripts_are_shell():
    if subprocess.run(["which", "shellcheck"], capture_output=True, check=False).returncode:
        checker = ["sh", "-n"]
    else:
        checker = ["shellcheck", "-s", "sh", "-S", "warning"]
    folder = os.path.join(TREE, "packaging", "deb")
    scripts = [os.path.join(folder, name) for name in os.listdir(folder)
               if name.endswith(("inst", "rm", ".install"))]
    scripts.append(os.path.join(BUILD, "packaging", "common", "loadplugin"))
    assert len(scripts) >= 6
    for script in scripts:
        done = subprocess.run([*checker, script], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


CONF = """\
LoadPlugin cpu
LoadPlugin spacelift
<LoadPlugin "workerpool_scaler">
  Interval 5
</LoadPlugin>
<Plugin spacelift>
  <Account "a">
  </Account>
</Plugin>
<Plugin cpu>
  ReportByCpu false
</Plugin>
# LoadPlugin spacelift
LoadPlugin spacelift_of_somebody_else
"""


def test_loadplugin_switches_off_ours_alone_and_on_again(tmp_path):
    helper = os.path.join(BUILD, "packaging", "common", "loadplugin")
    conf = tmp_path / "a.conf"
    conf.write_text(CONF, encoding="utf-8")
    conf.chmod(0o640)
    def switch(direction):
        return subprocess.run([helper, direction, str(tmp_path)], capture_output=True, text=True,
                              check=True).stdout
    assert str(conf) in switch("off")
    left = [line for line in conf.read_text(encoding="utf-8").splitlines() if line[0] != "#"]
    assert left == ["LoadPlugin cpu", "<Plugin cpu>", "  ReportByCpu false", "</Plugin>",
                    "LoadPlugin spacelift_of_somebody_else"]
    assert switch("off") == ""
    switch("on")
    assert conf.read_text(encoding="utf-8") == CONF
    assert conf.stat().st_mode & 0o777 == 0o640
    assert switch("on") == ""
