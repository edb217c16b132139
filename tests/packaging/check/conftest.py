"""As for the integration tests: what is started is stopped."""

import os
import sys

import pytest

TREE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
sys.path.insert(0, os.path.join(TREE, "tests", "integration"))


@pytest.fixture
def parts():
    started = []
    yield started
    for part in reversed(started):
        part.stop()
