"""Confidence intervals of rates."""

from __future__ import annotations

import math
from typing import Final

Z95: Final = 1.959963984540054
"""The 97.5 % quantile of the standard normal distribution: two-sided 95 %."""


def wilson(hits: int, trials: int, z: float = Z95) -> tuple[float, float]:
    """The Wilson score interval of a rate (https://doi.org/10.1080/01621459.1927.10502953).

    Unlike the normal approximation it stays within 0 and 1 and holds for few trials and for rates near the ends.

    Returns:
        The lower and upper bound; (0, 1) where nothing was tried.

    >>> [round(bound, 4) for bound in wilson(1, 10)]
    [0.0179, 0.4042]
    """
    if trials == 0:
        return 0.0, 1.0
    rate = hits / trials
    spread = z * math.sqrt(rate * (1 - rate) / trials + z * z / (4 * trials * trials))
    scale = 1 + z * z / trials
    centre = rate + z * z / (2 * trials)
    # Rounding must not put the rate itself outside.
    return max(0.0, min(rate, (centre - spread) / scale)), min(1.0, max(rate, (centre + spread) / scale))
