"""The backbones, one row each."""
