"""Starts Redis, the worker and the web server on one machine, and stops them all: `python -m scripts.stack`."""
