"""Where it is counted how often something was done: in Redis, together with other processes that answer requests."""

from typing import cast

from automl.settings import Settings
from automl.store.redis_connection import redis_url

_MEMORY = "memory://"
_TIMEOUTS = {"socket_connect_timeout": 0.5, "socket_timeout": 0.5}
"""A request waits no longer for Redis, in seconds."""


def address_of(settings: Settings) -> str:
    """As the package `limits` writes it; the memory of this process where the broker is no Redis."""
    address = redis_url(settings.broker_url)
    return address.replace("unix://", "redis+unix://", 1) if address.startswith("unix://") else address or _MEMORY


def options_of(settings: Settings) -> dict[str, str | int]:
    """How a storage at that address is opened."""
    return cast(dict[str, str | int], {} if address_of(settings) == _MEMORY else _TIMEOUTS)
