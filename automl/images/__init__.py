"""Photos: decoding, checking, comparing, and the arrays that are learned from."""
