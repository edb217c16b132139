"""Fixtures: a directory per test that is shown when the test fails, and parts that stop with it."""

import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))


@pytest.fixture
def parts():
    """A list: what is put into it is stopped at the end of the test, last first."""
    started = []
    yield started
    for part in reversed(started):
        part.stop()
