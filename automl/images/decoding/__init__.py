"""Decoding in processes of their own, each with a limit on its memory and on the time that a picture may take."""
