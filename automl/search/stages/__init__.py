"""The two stages of the search."""
