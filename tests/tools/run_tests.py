#!/usr/bin/python3
"""Runs the suites of ./check and counts. What failed is shown in full, what was skipped says why."""

import argparse
import concurrent.futures
import os
import re
import subprocess
import sys
import threading
import time
import xml.etree.ElementTree

TREE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.join(TREE, "build")
SCRIPTS = os.path.join(TREE, "tests", "tools")
SERVERS = ("kube-apiserver", "telegraf", "prometheus", "compliance")
REAL_PACKAGES = ("etcd-server", "clang", "libclang-rt-14-dev", "valgrind", "openssl", "xz-utils",
                 "lintian", "rpm", "rpmlint", "mmdebstrap", "build-essential", "debhelper", "curl")
TAP = re.compile(r"^(ok|not ok)\b(.*?)(# SKIP(.*))?$", re.MULTILINE)


class Totals:
    def __init__(self):
        self.passed = self.failed = self.skipped = 0
        self.lock = threading.Lock()

    def add(self, suite, passed, failed, skipped, seconds, details=()):
        head = (f"{'FAILED' if failed else 'ok':6} {suite}: {passed} passed, {failed} failed, "
                f"{skipped} skipped ({seconds:.1f} s)")
        with self.lock:
            self.passed += passed
            self.failed += failed
            self.skipped += skipped
            print("\n       ".join([head, *details]), flush=True)


def run(argv, limit_s, **more):
    """(status, output); a status of -1 for one that did not end in time."""
    environment = {**os.environ, **more.pop("env", {})}
    try:
        done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              errors="replace", timeout=limit_s, env=environment, check=False,
                              **more)
        return done.returncode, done.stdout
    except subprocess.TimeoutExpired as late:
        text = (late.stdout or b"").decode(errors="replace")
        return -1, f"{text}\nstill running after {limit_s} s"


def make(build, *targets, limit_s=1200):
    return run(["make", "-s", "-j", str(os.cpu_count() or 1), *targets], limit_s, cwd=build)


# ---- suites --------------------------------------------------------------------------------------

def unit_tests(totals, build, title):
    """cmocka programs, which speak TAP."""
    begin = time.monotonic()
    status, names = run(["make", "-s", "print-unit-tests"], 60, cwd=build)
    if status != 0:
        totals.add(title, 0, 1, 0, time.monotonic() - begin, names.splitlines())
        return
    status, output = make(build, *names.split())
    if status != 0:
        totals.add(title, 0, 1, 0, time.monotonic() - begin, output.splitlines())
        return

    def run_one(name):
        return run([os.path.join(build, name)], 300,
                   env={"CMOCKA_MESSAGE_OUTPUT": "TAP", "top_srcdir": TREE})

    passed = failed = skipped = 0
    details = []
    with concurrent.futures.ThreadPoolExecutor(1 + (os.cpu_count() or 1)) as several:
        done = list(several.map(run_one, names.split()))
    for name, (status, output) in zip(names.split(), done):
        results = TAP.findall(output)
        bad = sum(1 for word, _, skip, _ in results if word == "not ok" and not skip)
        skips = sum(1 for *_, skip, _ in results if skip)
        if status != 0 and bad == 0:
            bad = 1  # it crashed, leaked or hung
        passed += len(results) - skips - min(bad, len(results))
        failed += bad
        skipped += skips
        if bad:
            details += [f"{name} (status {status})", *output.splitlines()[-60:]]
    totals.add(title, passed, failed, skipped, time.monotonic() - begin, details)


def scripts(totals):
    """House rules: one program each, status 77 is a skip."""
    begin = time.monotonic()
    passed = failed = skipped = 0
    details = []
    for name in sorted(os.listdir(SCRIPTS)):
        if not name.startswith("check-"):
            continue
        status, output = run([os.path.join(SCRIPTS, name), BUILD], 300, cwd=TREE)
        passed += status == 0
        skipped += status == 77
        failed += status not in (0, 77)
        if status:
            details += [f"{name} (status {status})", *output.splitlines()[-40:]]
    totals.add("house rules", passed, failed, skipped, time.monotonic() - begin, details)


def pytest(totals, title, folder, workers, limit_s, *arguments):
    begin = time.monotonic()
    report = os.path.join(BUILD, f"{folder.replace('/', '-')}.xml")
    if os.path.exists(report):
        os.remove(report)
    status, output = run(
        ["/usr/bin/python3", "-m", "pytest", "-q", f"--junitxml={report}",
         "-n", str(workers), *arguments, os.path.join(TREE, folder)], limit_s, cwd=TREE,
        env={"SL_BUILD": BUILD, "PYTHONDONTWRITEBYTECODE": "1"})
    if not os.path.exists(report):
        totals.add(title, 0, 1, 0, time.monotonic() - begin, output.splitlines()[-60:])
        return
    suite = xml.etree.ElementTree.parse(report).getroot()[0]
    count = {key: int(suite.get(key)) for key in ("tests", "failures", "errors", "skipped")}
    failed = count["failures"] + count["errors"]
    if status not in (0, 1) and not failed:
        failed = 1
    skips = [f"skipped: {case.get('name')}: {case.find('skipped').get('message')}"
             for case in suite.iter("testcase") if case.find("skipped") is not None]
    details = skips + (output.splitlines()[-150:] if failed else [])
    totals.add(title, count["tests"] - count["failures"] - count["errors"] - count["skipped"],
               failed, count["skipped"], time.monotonic() - begin, details)


def step(totals, title, argv, limit_s, **more):
    """One command that works or does not; shows its last lines if it fails."""
    begin = time.monotonic()
    status, output = run(argv, limit_s, **more)
    totals.add(title, int(status == 0), int(status != 0), 0, time.monotonic() - begin,
               output.splitlines()[-40:] if status else ())
    return status == 0


def figures(totals):
    """The benchmarks, which print what they measure and fail where a limit is not held. Then they
    measure once more: what the machine did meanwhile it does not do again, what is slow is slow."""
    folder = os.path.join(TREE, "tests", "bench")
    for name in sorted(os.listdir(folder)):
        if not name.startswith("figure-"):
            continue
        begin = time.monotonic()
        command = [os.path.join(folder, name)], 1500
        status, output = run(*command, env={"SL_BUILD": BUILD})
        if status == 1:
            status, again = run(*command, env={"SL_BUILD": BUILD})
            output = f"failed at first:\n{output}\nmeasured again:\n{again}"
        totals.add(name, int(status == 0), int(status not in (0, 77)), int(status == 77),
                   time.monotonic() - begin, output.splitlines())


def variants(totals):
    """The same tree and tests under other compilers and watchers."""
    tools = os.path.join(SCRIPTS, "build")
    for title, arguments in (
            ("gcc, address and undefined behaviour sanitizers",
             ["--enable-werror", "--enable-asan", "--enable-ubsan"]),
            ("gcc, thread sanitizer", ["--enable-werror", "--enable-tsan"]),
            ("clang", ["--enable-werror", "CC=clang"])):
        directory = os.path.join(TREE, "build", "variant-" + arguments[-1].strip("-").replace("=", "-"))
        if step(totals, f"build: {title}", [tools, directory, *arguments], 900):
            unit_tests(totals, directory, f"unit tests: {title}")


def build_servers(totals):
    """What is built from its Go modules, once for each machine. Polite, as others are at work."""
    real = os.path.join(TREE, "tests", "real")
    built = [step(totals, name, ["nice", "-n", "15", os.path.join(real, f"build-{name}")], 1800)
             for name in SERVERS]
    return all(built)


def quick(totals):
    unit_tests(totals, BUILD, "unit tests")
    scripts(totals)
    pytest(totals, "simulators", "tests/sim", 2, 900)
    pytest(totals, "integration", "tests/integration", 4, 900)
    pytest(totals, "packaging", "tests/packaging/check", 4, 900)


def thorough(totals):
    """All of ./check --real. The servers are built beside what mostly waits. What keeps the disk busy
    (packages) runs after what judges by logs: a leader whose log waits for the disk looks hung."""
    if not step(totals, "installing what --real needs",
                [os.path.join(SCRIPTS, "install-packages"), *REAL_PACKAGES], 900):
        return
    with concurrent.futures.ThreadPoolExecutor() as beside:
        servers = beside.submit(build_servers, totals)
        quick(totals)
        step(totals, "demo", [os.path.join(TREE, "demo"), "--plain"], 300)
        variants(totals)
        step(totals, "fuzzing, four seconds for each target",
             [os.path.join(TREE, "tests", "fuzz", "run"), "--jobs", "2", "4"], 900)
        step(totals, "make distcheck", ["make", "-s", "distcheck"], 1200, cwd=BUILD)
        if servers.result():
            pytest(totals, "real servers", "tests/real", 2, 1800)
    pytest(totals, "packages", "tests/packaging/real", 2, 1800)
    figures(totals)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--real", action="store_true")
    totals = Totals()
    (thorough if parser.parse_args().real else quick)(totals)
    print(f"{totals.passed} passed, {totals.failed} failed, {totals.skipped} skipped")
    return 1 if totals.failed else 0


if __name__ == "__main__":
    sys.exit(main())
