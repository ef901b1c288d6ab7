"""The figures of a run, and the documents that say them."""
