"""What p50 and p99 mean in the figures."""

import math


def quantile(values, q):
    """By nearest rank: the smallest value that a share q of all does not exceed."""
    ordered = sorted(values)
    return ordered[max(math.ceil(q * len(ordered)) - 1, 0)]
