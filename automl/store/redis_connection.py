"""Connecting to Redis, which Celery uses too: where it is, and a client that never waits long."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from redis import Redis


def redis_url(broker_url: str) -> str:
    """The address of Redis as its client writes it; empty where the broker is not a Redis."""
    if broker_url.startswith("redis+socket://"):
        path = broker_url.removeprefix("redis+socket://")
        return "unix://" + path.replace("virtual_host=", "db=")
    return broker_url if broker_url.startswith(("redis://", "rediss://", "unix://")) else ""


def connect(url: str, timeout_s: float) -> "Redis":
    """A client with a few connections, which are opened when they are needed.

    Args:
        url: From `redis_url`, not empty.
        timeout_s: How long to wait for an answer.
    """
    from redis import BlockingConnectionPool, Redis
    from redis.backoff import NoBackoff
    from redis.exceptions import ConnectionError
    from redis.retry import Retry

    pool = BlockingConnectionPool.from_url(
        url,
        max_connections=8,
        timeout=5 * timeout_s,
        socket_timeout=timeout_s,
        socket_connect_timeout=timeout_s,
        # A connection from before a restart of Redis is dead. One that does not answer in time is not asked twice.
        retry=Retry(NoBackoff(), 1, supported_errors=(ConnectionError,)),
        protocol=2,
    )
    return Redis(connection_pool=pool)
