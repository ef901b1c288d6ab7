"""How many pictures show the view that some of them show: looser than near copies, which must match in detail."""

import numpy as np

from automl.images.coarse_pairs import coarse_fingerprints, mirrored


def share_of_view(fingerprints: np.ndarray, is_member: np.ndarray, min_alike: float) -> float:
    """The share of pictures that look about like the mean of the members, members included.

    Args:
        fingerprints: uint8 (n, FINGERPRINT_PX**2).
        is_member: bool (n,), at least one.
        min_alike: The least correlation of coarse fingerprints; 2 in 100 pairs of different photographs have 0.5.
    """
    coarse = coarse_fingerprints(fingerprints)
    typical = coarse[is_member].mean(axis=0, keepdims=True)
    typical /= np.linalg.norm(typical).clip(1e-6)
    alike = np.maximum(coarse @ typical[0], coarse @ mirrored(typical)[0]) >= min_alike
    return float((alike | is_member).mean())
