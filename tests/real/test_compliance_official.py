"""The official sender cases of remote write, as far as the Go module proxy serves them."""

import os
import subprocess

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))


def test_official_cases(tmp_path):
    built = subprocess.run([os.path.join(HERE, "build-compliance"), "--print"],
                           stdout=subprocess.PIPE, text=True, check=False)
    if built.returncode != 0:
        pytest.skip("the official cases are not built: run tests/real/build-compliance")
    done = subprocess.run([built.stdout.strip(), "-test.v", "-test.timeout", "2m"], cwd=tmp_path,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=200,
                          env={**os.environ, "COLLECTD_SENDER": os.path.join(HERE, "compliance-sender")},
                          check=False)
    assert done.returncode == 0, done.stdout[-5000:]
    assert done.stdout.count("--- PASS") >= 5 and "--- SKIP" not in done.stdout, done.stdout
