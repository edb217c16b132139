"""What all tests with real daemons share: the library of the integration tests, and the rule that what a
test starts stops with it."""

import os
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "integration"))


@pytest.fixture
def parts():
    """A list: what is put into it is stopped at the end of the test, last first."""
    started = []
    yield started
    for part in reversed(started):
        part.stop()
