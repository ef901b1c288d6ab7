"""Secrets that open something: in the address of a link, in a cookie, in a header. Only their hashes are kept."""

import secrets
from hashlib import sha256

_N_BYTES = 32


def new_secret() -> str:
    """256 random bits, in letters that need no quoting in an address."""
    return secrets.token_urlsafe(_N_BYTES)


def hash_of(secret: str) -> str:
    """Its SHA-256 in hexadecimal digits.

    What a secret opens is looked up by this, so that the time which that takes tells nothing about secrets that are
    nearly right. A plain hash is enough: nobody can try out 32 random bytes, unlike passwords.
    """
    return sha256(secret.encode("utf-8", "replace")).hexdigest()
