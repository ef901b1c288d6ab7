"""What the web process counts itself, for Prometheus; all else that `/metrics` tells stands in the database."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from prometheus_client import CollectorRegistry, Counter, Histogram

from automl.text.messages import operations as operations_messages

_SECONDS = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0)


class WebFigures:
    """One set for each application; may be written from many threads.

    Attributes:
        registry: has all of them.
        request_seconds: of each answer, by method, end point and status.
        prediction_seconds: of each photo that a model has answered, without the wait for a turn.
        errors: answers that are errors, by their code.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        histogram = partial(Histogram, registry=self.registry, buckets=_SECONDS)
        self.request_seconds = histogram(
            "darkroom_http_request_seconds",
            operations_messages.METRIC_HTTP_REQUEST_SECONDS,
            ("method", "endpoint", "status"),
        )
        self.prediction_seconds = histogram(
            "darkroom_prediction_seconds", operations_messages.METRIC_PREDICTION_SECONDS
        )
        self._lock_wait_seconds = histogram(
            "darkroom_lock_wait_seconds", operations_messages.METRIC_LOCK_WAIT_SECONDS, ("lock",)
        )
        self.errors = Counter("darkroom_errors", operations_messages.METRIC_ERRORS, ("code",), registry=self.registry)

    @contextmanager
    def waiting_for(self, lock: str) -> Iterator[None]:
        """Counts how long is waited within for something that few may do at once, also where it was for nothing."""
        began_s = time.monotonic()
        try:
            yield
        finally:
            self._lock_wait_seconds.labels(lock).observe(time.monotonic() - began_s)
