"""The RPM packages, as far as they can be tried on a machine that is not Fedora: what is in them, what
they ask for and run, what they do to a root that has files of collectd's operator."""

import glob
import os
import re
import subprocess

import pytest

from lib.stack import PLUGINS, TREE

# What a Fedora or EPEL host with collectd has; the requirements of ours must be among it.
FEDORA_HAS = re.compile(
    r"collectd\(x86-64\) >= 5\.9|/bin/sh|ca-certificates|config\(.*|rpmlib\(.*|rtld\(GNU_HASH\)|"
    r"ld-linux-x86-64\.so\.2\(.*\)\(64bit\)|lib(c|m|pthread)\.so\.6\(.*\)\(64bit\)|"
    r"lib(curl\.so\.4|ssl\.so\.3|crypto\.so\.3|yajl\.so\.2|snappy\.so\.1|yaml-0\.so\.2|"
    r"pcre2-8\.so\.0)\(.*\)\(64bit\)")


def output(*argv, status=0):
    done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors="replace", check=False)
    assert done.returncode == status, f"{argv}\n{done.stdout}"
    return done.stdout


@pytest.fixture
def rpms(packages):
    """{name: file} of the binary packages."""
    directory = packages("rpm")
    found = {output("rpm", "-qp", "--qf", "%{NAME}", path): path
             for path in glob.glob(f"{directory}/*.rpm") if not path.endswith(".src.rpm")}
    assert set(found) >= {"collectd-spacelift", "spacelift-pool"}
    return found


def test_files(rpms):
    plugins = output("rpm", "-qpl", rpms["collectd-spacelift"]).split()
    for name in PLUGINS:
        assert f"/usr/lib64/collectd/{name}.so" in plugins
        assert f"/usr/share/doc/collectd-spacelift/examples/{name}.conf" in plugins
        assert any(path.startswith(f"/usr/share/man/man5/collectd-{name}.5") for path in plugins)
    assert not [path for path in plugins if path.startswith("/etc")], "nothing is switched on"
    command = output("rpm", "-qpl", rpms["spacelift-pool"]).split()
    assert "/usr/bin/spacelift-pool" in command
    assert any(path.startswith("/usr/share/man/man1/spacelift-pool.1") for path in command)
    both = {path for path in set(plugins) & set(command) if "/.build-id" not in path}
    assert not both, both


def test_requires_and_provides(rpms):
    for name, path in rpms.items():
        provides = output("rpm", "-qp", "--provides", path).splitlines()
        assert all(line.startswith(name) for line in provides), provides
        strange = [line for line in output("rpm", "-qp", "--requires", path).splitlines()
                   if not FEDORA_HAS.fullmatch(line.strip())]
        assert not strange, strange
    assert "collectd(x86-64) >= 5.9" in output("rpm", "-qp", "--requires",
                                               rpms["collectd-spacelift"])
    assert "collectd >= 6" in output("rpm", "-qp", "--conflicts", rpms["collectd-spacelift"])


def test_glibc_of_el9_is_enough(rpms):
    """Built here it runs on EL 9 (glibc 2.34) as far as its symbols say."""
    for path in rpms.values():
        versions = re.findall(r"\(GLIBC_2\.(\d+)\)", output("rpm", "-qp", "--requires", path))
        assert max(map(int, versions)) <= 34


def test_rpmlint(rpms):
    text = output("rpmlint", "-c", os.path.join(TREE, "packaging", "rpm", "rpmlint.toml"),
                  *rpms.values())
    assert re.search(r" 0 errors, 0 warnings", text), text


class EmptyRoot:
    """A root with a database of packages, the programs that scriptlets run, and nothing else."""

    def __init__(self, directory):
        self.directory = directory
        for name in ("dev", "etc/collectd.d", "proc", "run", "tmp", "var/lib"):
            os.makedirs(f"{directory}/{name}")
        subprocess.run(["mknod", f"{directory}/dev/null", "c", "1", "3"], check=True)
        for program in ("sh", "sed", "grep", "find", "cat", "rm"):
            self._copy_program(subprocess.run(["which", program], capture_output=True, text=True,
                                              check=True).stdout.strip())
        os.symlink("usr/bin", f"{directory}/bin")
        self.rpm("--initdb")

    def _copy_program(self, program):
        libraries = re.findall(r"(?:=> )?(/\S+) \(0x", output("ldd", program))
        for path, target in [(program, "/usr/bin/" + os.path.basename(program)),
                             *((each, each) for each in libraries)]:
            os.makedirs(os.path.dirname(self.directory + target), exist_ok=True)
            subprocess.run(["cp", "-L", path, self.directory + target], check=True)

    def rpm(self, *arguments, status=0):
        return output("rpm", "--root", self.directory, "--dbpath", "/var/lib/rpm", *arguments,
                      status=status)

    def path(self, inside):
        return self.directory + inside

    def read(self, inside):
        with open(self.path(inside), encoding="utf-8") as file:
            return file.read()

    def write(self, inside, text):
        os.makedirs(os.path.dirname(self.path(inside)), exist_ok=True)
        with open(self.path(inside), "w", encoding="utf-8") as file:
            file.write(text)


CONF = 'LoadPlugin spacelift\n<Plugin "spacelift">\n  <Account "a">\n  </Account>\n</Plugin>\n'


def test_life_of_the_package(rpms, tmp_path):
    """Fedora's collectd reads every file of /etc/collectd.d, .rpmsave and .rpmnew as well: none may
    load a plugin that is gone."""
    root = EmptyRoot(str(tmp_path / "root"))
    package = rpms["collectd-spacelift"]
    install = ("--nodeps", "--force-debian", "--ignoreos", "--ignorearch")
    root.rpm("-ivh", *install, package)
    assert root.rpm("-V", "--nodeps", "collectd-spacelift") == ""

    mine = {"/etc/collectd.d/spacelift.conf": CONF,
            "/etc/collectd.d/spacelift.conf.rpmsave": CONF,
            "/etc/collectd.d/spacelift.conf.rpmnew": CONF.replace("LoadPlugin", "# \nloadplugin"),
            "/etc/collectd.conf": "LoadPlugin cpu\nLoadPlugin \"workerpool_scaler\" # ours\n",
            "/etc/collectd.d/other.conf": "LoadPlugin load\n<Plugin cpu>\n</Plugin>\n",
            "/etc/spacelift.secret": "secret\n",
            "/var/lib/collectd/workerpool_scaler/prod.json": "{}\n"}
    for path, text in mine.items():
        root.write(path, text)

    # An upgrade changes nothing of the operator's.
    root.rpm("-Uvh", "--force", *install, package)
    assert {path: root.read(path) for path in mine} == mine

    root.rpm("-e", "collectd-spacelift")
    state = mine.pop("/var/lib/collectd/workerpool_scaler/prod.json")
    assert state and not os.path.exists(root.path("/var/lib/collectd/workerpool_scaler"))
    assert not os.path.exists(root.path("/usr/lib64/collectd/spacelift.so"))
    for path, text in mine.items():
        now = root.read(path)
        assert now.replace("#collectd-spacelift-removed# ", "") == text
        active = [line for line in now.splitlines() if not line.startswith("#")]
        assert not re.search("(?i)spacelift|workerpool_scaler", "\n".join(active).replace(
            "secret", "")), (path, now)
    assert root.read("/etc/collectd.d/other.conf") == mine["/etc/collectd.d/other.conf"]

    root.rpm("-ivh", *install, package)
    assert {path: root.read(path) for path in mine} == mine
