"""How many pictures show the view that some of them show: looser than near copies, which must match in detail."""

import numpy as np

from automl.images.near_copies import coarse_fingerprints, mirrored

_MIN_ALIKE = 0.7
"""Correlation of coarse fingerprints. A letter that moved by its own stroke has more, two photographs have less."""


def share_of_view(fingerprints: np.ndarray, is_member: np.ndarray) -> float:
    """The share of pictures that look about like the mean of the members, members included.

    Args:
        fingerprints: uint8 (n, FINGERPRINT_PX**2).
        is_member: bool (n,), at least one.
    """
    coarse = coarse_fingerprints(fingerprints)
    typical = coarse[is_member].mean(axis=0, keepdims=True)
    typical /= np.linalg.norm(typical).clip(1e-6)
    alike = np.maximum(coarse @ typical[0], coarse @ mirrored(typical)[0]) >= _MIN_ALIKE
    return float((alike | is_member).mean())
