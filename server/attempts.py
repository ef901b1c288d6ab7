"""Failed attempts to sign in, which slow down whoever tries passwords out.

They are counted by the address that was typed, whether anybody has it or not, so that nobody learns who has an account.
A wrong present password, where somebody who is signed in has to type it, counts as one for the address of his account.
They are held in memory, since one process answers all requests; whoever is signed in already stays so.
"""

import time
from collections import OrderedDict, deque
from collections.abc import Callable
from threading import Lock

from automl.errors import UserError
from automl.store.random_secrets import hash_of
from automl.text.upload_names import clean_text

MOST_FAILURES = 10
"""For one address within `WINDOW_S`; after them, no password is looked at."""

WINDOW_S = 900.0
_MOST_ADDRESSES = 10_000


class TooManyAttempts(UserError):
    """For this address no password is looked at for a while."""

    code = "too_many_attempts"


class FailedAttempts:
    """By the address that was typed.

    Args:
        clock: Seconds that never go back.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = Lock()
        self._times: OrderedDict[str, deque[float]] = OrderedDict()

    def begin(self, email: str) -> bool:
        """Counts an attempt before its password is looked at, so that many at once are no more than one by one.

        The addresses that were tried longest ago are forgotten.

        Returns:
            Whether the password may be looked at. If not, this address has to wait, and nothing was counted.
        """
        at_s = self._clock()
        with self._lock:
            times = self._times.setdefault(_key(email), deque(maxlen=MOST_FAILURES))
            if len(times) == MOST_FAILURES and times[0] > at_s - WINDOW_S:
                return False
            times.append(at_s)
            self._times.move_to_end(_key(email))
            while len(self._times) > _MOST_ADDRESSES:
                self._times.popitem(last=False)
            return True

    def forget(self, email: str) -> None:
        """The password was right."""
        with self._lock:
            self._times.pop(_key(email), None)


def _key(email: str) -> str:
    return hash_of(clean_text(email).lower())  # of one length, however long the text is
