"""Pretrained weights: where they come from, whether they are right, and the cache that keeps them."""
