"""A current Prometheus, which receives and sends remote write 2.0."""

import os
import subprocess

from lib.stack import Prometheus

HERE = os.path.dirname(os.path.abspath(__file__))


def binary():
    """The Prometheus of the cache; build-prometheus makes it."""
    done = subprocess.run([os.path.join(HERE, "build-prometheus"), "--print"], capture_output=True,
                          text=True, check=False)
    if done.returncode != 0:
        raise FileNotFoundError("no Prometheus 3 yet: run tests/real/build-prometheus")
    return done.stdout.strip()


class Prometheus3(Prometheus):
    def __init__(self, directory, *arguments, **options):
        super().__init__(directory, *arguments, binary=binary(), **options)
