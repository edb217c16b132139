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
    r"lib(curl\.so\.4|ssl\.so\.3|crypto\.so\.3|yajl\.so\.2|yaml-0\.so\.2|"
    r"pcre2-8\.so\.0)\(.*\)\(64bit\)")


def output(*argv, status=0):
    done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors="replace", check=False)
    assert done.returncode == status, f"{argv}\n{done.stdout}"
    return done.stdout


@pytest.fixture
def rpms(once, tarball):
    """{name: file} of the binary packages."""
    directory = once("rpm", "build-rpm", tarball)
    found = {output("rpm", "-qp", "--qf", "%{NAME}", path): path
             for path in glob.glob(f"{directory}/*.rpm") if not path.endswith(".src.rpm")}
    assert set(found) >= {"collectd-spacelift", "collectd-spacelift-selinux", "spacelift-pool"}
    return found


def test_files(rpms):
    plugins = output("rpm", "-qpl", rpms["collectd-spacelift"]).split()
    for name in PLUGINS:
        assert f"/usr/lib64/collectd/{name}.so" in plugins
        assert f"/usr/share/doc/collectd-spacelift/examples/{name}.conf" in plugins
        assert any(path.startswith(f"/usr/share/man/man5/collectd-{name}.5") for path in plugins)
    assert [path for path in plugins if path.startswith("/etc")] == ["/etc/collectd"], \
        "nothing is switched on"
    command = output("rpm", "-qpl", rpms["spacelift-pool"]).split()
    assert "/usr/bin/spacelift-pool" in command
    assert any(path.startswith("/usr/share/man/man1/spacelift-pool.1") for path in command)
    both = {path for path in set(plugins) & set(command) if "/.build-id" not in path}
    assert not both, both


def test_requires_and_provides(rpms):
    for name, path in rpms.items():
        provides = output("rpm", "-qp", "--provides", path).splitlines()
        assert all(line.startswith(name) for line in provides), provides
        if name.endswith("-selinux"):
            assert "selinux-policy-targeted" in output("rpm", "-qp", "--requires", path).split()
            continue
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
        assert max(map(int, versions), default=0) <= 34


# What the macros of each release say that the spec asks about.
RELEASES = {"fedora": ("fedora 43", "dist .fc43"), "el8": ("rhel 8", "dist .el8"),
            "el9": ("rhel 9", "dist .el9"), "el10": ("rhel 10", "dist .el10")}


@pytest.fixture(scope="module")
def spec(tarball):
    """The specification as it stands in the release."""
    directory = os.path.dirname(tarball)
    output("tar", "-C", directory, "-xf", tarball, "--wildcards", "*/packaging/rpm/*",
           "--strip-components=1")
    return os.path.join(directory, "packaging", "rpm", "collectd-spacelift.spec")


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("options", [(), ("--without", "selinux"), ("--without", "check")])
def test_every_release_reads_the_specification(release, options, spec):
    """With the macros that only Fedora and EPEL have, and without: nothing stays unexpanded, and the
    source RPM names collectd's source, because no release packages its headers."""
    defines = [word for each in RELEASES[release] for word in ("-D", each)]
    selinux = "selinux" not in options
    macros = os.path.join(TREE, "packaging", "rpm", "macros.debian")
    # selinux_requires is set where the build requirements are installed; collectd_headers nowhere.
    text = output("rpmspec", "--load", macros, *defines, "--undefine", "collectd_headers",
                  "-D", "selinux_requires Requires(post): policycoreutils", *options, "-P", spec)
    assert not re.search(r"(?m)%\{|^%(?:if|else|endif|selinux\w+)", text.partition("%changelog")[0])
    assert f"Release:        1{RELEASES[release][1].split()[1]}" in text
    assert "collectd-5.12.0.tar.gz" in text and "collectd-collectd-5.12.0/src" in text
    assert ("%package selinux" in text) is selinux
    assert ("selinux-policy-devel" in text) is selinux
    assert ("Requires(post): policycoreutils" in text) is selinux
    assert ("pkgconfig(cmocka)" in text) is ("check" not in options)
    # A source RPM is made before any build requirement is there.
    output("rpmspec", *defines, *options, "-q", "--srpm", spec)


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


# Of the reference policy: collectd's module, daemons to compare with, and what these cannot do without.
MODULES = ("apache", "base", "bind", "collectd", "getty", "networkmanager", "ssh", "unconfined", "xdg",
           "xserver")


@pytest.fixture(scope="module")
def policy(tmp_path_factory):
    """A directory with the modules of the reference policy, from Debian's package of it, which is
    unpacked and not installed."""
    output(os.path.join(TREE, "tests", "tools", "install-packages"), "policycoreutils", "semodule-utils",
           "setools", "cpio")
    directory = str(tmp_path_factory.mktemp("policy"))
    subprocess.run(["apt-get", "-q", "-o", "Acquire::Retries=3", "download", "selinux-policy-default"],
                   cwd=directory, check=True, capture_output=True)
    subprocess.run(["dpkg-deb", "-x", *glob.glob(f"{directory}/*.deb"), directory], check=True)
    return f"{directory}/usr/share/selinux/default"


def test_policy(rpms, policy, tmp_path):
    """The module in a policy: what it adds, and for whom."""
    package, root = tmp_path / "package", tmp_path / "root"
    package.mkdir()
    archive = package / "package.cpio"
    with open(archive, "wb") as file:
        subprocess.run(["rpm2cpio", rpms["collectd-spacelift-selinux"]], stdout=file, check=True)
    with open(archive, "rb") as file:
        subprocess.run(["cpio", "-id", "--quiet"], stdin=file, cwd=package, check=True)
    module = package / "usr/share/selinux/packages/targeted/collectd_spacelift.pp.bz2"
    for name in ("etc/selinux/default/policy", "etc/selinux/default/contexts/files",
                 "var/lib/selinux/default", "var/lib/selinux/final"):
        (root / name).mkdir(parents=True)
    output("semodule", "--path", str(root), "--store-path", "/var/lib/selinux", "-s", "default", "-N",
           "-n", *(word for path in [*(f"{policy}/{name}.pp.bz2" for name in MODULES), str(module)]
                   for word in ("-i", path)))
    compiled, = glob.glob(f"{root}/etc/selinux/default/policy/policy.*")

    def rules(*words):
        return [line for line in output("sesearch", "-A", *words, compiled).splitlines()
                if line.startswith("allow")]

    def may(target, kind, right):
        return rules("-s", "collectd_t", "-t", target, "-c", kind, "-p", right)
    assert may("collectd_t", "shm", "write") and may("ramfs_t", "file", "open")
    assert not rules("-s", "collectd_t", "-t", "sshd_t", "-c", "shm", "-p", "write")
    secret = "collectd_spacelift_secret_t"
    assert may(secret, "file", "read") and may(secret, "dir", "search")
    assert not rules("-s", "collectd_t", "-t", secret, "-c", "file", "-p", "write")
    # The types of other daemons that run as root: etc_t they read, secrets not.
    for daemon in ("sshd_t", "syslogd_t", "httpd_t", "named_t", "NetworkManager_t"):
        assert rules("-s", daemon, "-t", "etc_t", "-c", "file", "-p", "read"), daemon
        assert not rules("-s", daemon, "-t", secret, "-c", "file", "-p", "read"), daemon
    # What the package does not bring but relies on.
    connect = rules("-s", "collectd_t", "-t", "port_type", "-c", "tcp_socket", "-p", "name_connect")
    assert any("[ collectd_tcp_network_connect ]:True" in line for line in connect), connect
    assert may("collectd_var_lib_t", "file", "create") and may("etc_t", "file", "read")
    with open(f"{root}/etc/selinux/default/contexts/files/file_contexts", encoding="utf-8") as file:
        labels = file.read()
    assert re.search(rf"(?m)^/etc/collectd\(/\.\*\)\?\s+system_u:object_r:{secret}:s0$", labels)


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


def test_life_of_the_policy(rpms, tmp_path):
    """The module comes and goes with its package; the boolean is set once, and what somebody has set
    since is left alone by an upgrade."""
    root = EmptyRoot(str(tmp_path / "root"))
    for program in ("semodule", "load_policy", "setsebool", "restorecon"):
        root.write(f"/usr/bin/{program}", f'#!/bin/sh\necho "{program} $*" >>/calls\n')
        os.chmod(root.path(f"/usr/bin/{program}"), 0o755)

    def calls(*arguments):
        root.write("/calls", "")
        root.rpm(*arguments)
        return root.read("/calls").splitlines()
    package = rpms["collectd-spacelift-selinux"]
    install = ("--nodeps", "--force-debian", "--ignoreos", "--ignorearch")
    module = "/usr/share/selinux/packages/targeted/collectd_spacelift.pp.bz2"
    loaded = [f"semodule -n -s targeted -X 200 -i {module}", "load_policy "]
    assert calls("-ivh", *install, package) == [
        *loaded, "setsebool -P collectd_tcp_network_connect=1", "restorecon -R /etc/collectd"]
    assert os.path.exists(root.path(module))
    assert calls("-Uvh", "--force", *install, package) == [*loaded, "restorecon -R /etc/collectd"]
    assert calls("-e", "collectd-spacelift-selinux") == [
        "semodule -n -s targeted -X 200 -r collectd_spacelift", "load_policy ",
        "setsebool -P collectd_tcp_network_connect=0"]
