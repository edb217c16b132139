"""What the integration tests, the tests on real servers and the figures have in common."""
