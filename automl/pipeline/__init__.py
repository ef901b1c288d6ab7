"""A run from split to bundle, as a process of its own."""
