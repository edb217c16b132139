"""One binary for every collectd from 5.9 to main: the plugins ask the daemon for nothing but what is in
tests/packaging/collectd-api.txt."""

import os
import re
import subprocess

import pytest

from lib.stack import BUILD, COLLECTD, PLUGINS, TREE

API = os.path.join(TREE, "tests", "packaging", "collectd-api.txt")


def symbols(path, *options):
    """Names of the dynamic symbols, without those that have a version: libc's, libcurl's."""
    lines = subprocess.run(["nm", "-D", *options, path], capture_output=True, text=True,
                           check=True).stdout.splitlines()
    return {line.split()[-1] for line in lines if "@" not in line and " w " not in line}


def allowed():
    with open(API, encoding="ascii") as file:
        return {line.strip() for line in file if not line.startswith("#")}


@pytest.mark.parametrize("name", PLUGINS)
def test_plugin_asks_for_the_shared_api_alone(name):
    path = os.path.join(BUILD, ".libs", f"{name}.so")
    libraries = re.findall(r"=> (/\S+)", subprocess.run(["ldd", path], capture_output=True, text=True,
                                                        check=True).stdout)
    theirs = set().union(*(symbols(library, "--defined-only") for library in libraries))
    asked = symbols(path, "--undefined-only") - theirs
    assert "plugin_register_complex_config" in asked
    assert asked <= allowed(), f"not in every collectd from 5.9 to main: {sorted(asked - allowed())}"


def test_this_daemon_has_the_shared_api():
    missing = allowed() - symbols(COLLECTD, "--defined-only")
    assert not missing, missing
