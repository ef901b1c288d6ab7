"""Failed attempts to sign in, which slow down whoever tries passwords out.

They are counted by the address that was typed, whether anybody has it or not, so that nobody learns who has an account.
A wrong present password, where somebody who is signed in has to type it, counts as one for the address of his account.
They are counted in Redis, so that all processes that answer requests count together; while it is away, each counts for
itself.
"""

from collections.abc import Callable
from typing import TypeVar

import structlog
from limits import RateLimitItemPerSecond
from limits.errors import StorageError
from limits.storage import MemoryStorage, storage_from_string
from limits.strategies import MovingWindowRateLimiter, RateLimiter

from automl.errors import UserError
from automl.settings import Settings
from automl.store.random_secrets import hash_of
from automl.text.upload_names import clean_text
from server.rate_storage import address_of, options_of

MOST_FAILURES, WINDOW_S = 10, 900
"""So many for one address within so many seconds; after them, no password is looked at."""

_LIMIT = RateLimitItemPerSecond(MOST_FAILURES, WINDOW_S, namespace="darkroom:sign-in")
_Answer = TypeVar("_Answer")
_log = structlog.stdlib.get_logger(__name__)


class TooManyAttempts(UserError):
    """For this address no password is looked at for a while."""

    code = "too_many_attempts"


class FailedAttempts:
    """By the address that was typed.

    Args:
        settings: Say where Redis is. Nothing is connected before the first attempt.
    """

    def __init__(self, settings: Settings) -> None:
        storage = storage_from_string(address_of(settings), wrap_exceptions=True, **options_of(settings))
        self._shared = MovingWindowRateLimiter(storage)
        self._own = MovingWindowRateLimiter(MemoryStorage())

    def begin(self, email: str) -> bool:
        """Counts an attempt before its password is looked at, so that many at once are no more than one by one.

        Returns:
            Whether the password may be looked at. If not, this address has to wait, and nothing was counted.
        """
        return self._ask(lambda counter: counter.hit(_LIMIT, _key(email)))

    def forget(self, email: str) -> None:
        """The password was right."""
        self._ask(lambda counter: counter.clear(_LIMIT, _key(email)))

    def _ask(self, question: Callable[[RateLimiter], _Answer]) -> _Answer:
        try:
            return question(self._shared)
        except StorageError:
            _log.warning("attempts to sign in are counted by this process alone: Redis does not answer")
            return question(self._own)


def _key(email: str) -> str:
    return hash_of(clean_text(email).lower())  # of one length, however long the text is
