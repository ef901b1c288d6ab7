"""Sends photos to a running Darkroom."""
