"""Passwords: what makes a good one, and how one is kept.

The rules are those of NIST SP 800-63B: long is good, any character counts, and what everybody tries first is refused.
"""

from functools import cache
from itertools import pairwise
from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError

from automl.errors import BadSetting
from automl.text.messages import accounts as account_messages

MIN_CHARS = 10
MAX_CHARS = 200
"""Nobody types more, and hashing costs time."""

MOST_AT_ONCE = 4
"""Passwords that are compared at once: each takes 64 MiB, and hundreds that strangers send would take all memory."""

_turns = BoundedSemaphore(MOST_AT_ONCE)

_TRIED_FIRST = frozenset(
    {
        "password", "passwort", "passwords", "passw0rd", "p@ssword", "p@ssw0rd", "letmein", "welcome", "iloveyou",
        "qwertyuiop", "qwertzuiop", "azertyuiop", "qwerty", "qwertz", "azerty", "asdfghjkl", "zxcvbnm", "monkey",
        "dragon", "football", "baseball", "sunshine", "princess", "superman", "trustno1", "changeme", "secret",
        "administrator", "admin", "root", "default", "darkroom", "photos", "camera", "abcdefghij", "abcdefghijkl",
    }
)  # fmt: skip
"""Words that are tried first. Digits and signs around one of them do not make it better."""


def refuse_weak(password: str, *about: str) -> None:
    """Refuses a password that others would soon find.

    Args:
        password: As it was typed.
        about: What is known of the person, such as his name and his address.

    Raises:
        BadSetting: It is too short or too long, tried first by everybody, or made of what is known of the person.
    """
    if len(password) < MIN_CHARS:
        raise BadSetting(account_messages.TOO_SHORT.format(least=MIN_CHARS))
    if len(password) > MAX_CHARS:
        raise BadSetting(account_messages.TOO_LONG.format(most=MAX_CHARS))
    plain = password.casefold()
    core = plain.strip("0123456789!?.,-_+*#$%&@ ")
    known = {part for text in about for part in (text.casefold(), *text.casefold().split("@")) if part}
    if len(set(plain)) < 5 or not core or core in _TRIED_FIRST or core in known or _is_a_row(plain):
        raise BadSetting(account_messages.GUESSED_SOON)


def _is_a_row(text: str) -> bool:
    """Whether each character follows the one before it, as in 1234567890 and abcdefghij."""
    steps = {ord(after) - ord(before) for before, after in pairwise(text)}
    return len(steps - {-9, 9}) <= 1


def hashed(password: str) -> str:
    """By argon2id, with a salt of its own."""
    return _hasher().hash(password)


def is_right(password: str, password_hash: str) -> bool:
    """Whether this is the password of that hash. It takes as long where there is no hash, so nobody learns that.

    It may have to wait for others, so no transaction should be open meanwhile.
    """
    wanted = password_hash or _hash_of_nothing()
    try:
        with _turns:
            return _hasher().verify(wanted, password) and bool(password_hash)
    except VerificationError:
        return False


@cache
def _hasher() -> PasswordHasher:
    return PasswordHasher()


@cache
def _hash_of_nothing() -> str:
    return hashed("")
