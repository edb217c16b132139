"""API servers for the tests."""

import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))


@pytest.fixture(scope="session")
def cluster(tmp_path_factory):
    """One API server for all tests of a worker; each makes its own pools."""
    from cluster import Cluster
    cluster = Cluster(str(tmp_path_factory.mktemp("cluster")))
    try:
        yield cluster.start()
    finally:
        cluster.stop()


@pytest.fixture(scope="module")
def own_cluster(tmp_path_factory):
    """One for a file that changes what others rely on: roles, certificates, faults."""
    from cluster import Cluster
    cluster = Cluster(str(tmp_path_factory.mktemp("cluster")))
    try:
        cluster.start()
        cluster.bind_group("scalers")
        yield cluster
    finally:
        cluster.stop()
