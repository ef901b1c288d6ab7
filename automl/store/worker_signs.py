"""Signs of life of the worker nodes: each leaves one in Redis every few seconds, which fades by itself."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from automl.errors import DarkroomError
from automl.store.redis_connection import connect, redis_url
from automl.text.messages import operations as operations_messages

if TYPE_CHECKING:
    from redis import Redis

KEPT_S = 30
"""Seconds after which a node that leaves no sign any more counts as gone."""

_PREFIX = "darkroom:worker:"
_TIMEOUT_S = 1.0


class SignsAway(DarkroomError):
    """Redis does not answer, so nobody knows which worker nodes are there."""

    code = "queue_unavailable"


@contextmanager
def _away_said() -> Iterator[None]:
    from redis.exceptions import RedisError

    try:
        yield
    except RedisError as error:
        raise SignsAway(operations_messages.QUEUE_AWAY) from error


class WorkerSigns:
    """The signs of all nodes. Nothing is connected before the first question.

    Args:
        broker_url: Address of Redis, as Celery writes it.
    """

    def __init__(self, broker_url: str) -> None:
        self._url = redis_url(broker_url)
        self._client: Redis | None = None

    def leave(self, node: str) -> None:
        """Says that a node is alive. node: as Celery names it, such as "train@host".

        Raises:
            SignsAway: Redis does not answer.
        """
        with _away_said():
            self._connected().set(f"{_PREFIX}{node}", "1", ex=KEPT_S)

    def nodes(self) -> dict[str, float]:
        """The nodes that are alive, and how many seconds ago each has said so.

        Raises:
            SignsAway: Redis does not answer.
        """
        with _away_said():
            client = self._connected()
            keys = [bytes(key) for key in client.scan_iter(match=f"{_PREFIX}*", count=1_000)]
            left_s = {key.decode()[len(_PREFIX) :]: int(str(client.pttl(key))) / 1000 for key in keys}
        return {node: KEPT_S - seconds for node, seconds in sorted(left_s.items()) if seconds > 0}

    def _connected(self) -> "Redis":
        if not self._url:
            raise SignsAway(operations_messages.QUEUE_AWAY)
        if self._client is None:
            self._client = connect(self._url, _TIMEOUT_S)
        return self._client
