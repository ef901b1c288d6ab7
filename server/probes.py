"""What machines ask a server: whether it lives, whether it can do its work, and its figures for Prometheus."""

import time
from collections.abc import Iterable, Iterator

from flask import Blueprint, Flask, Response, g, jsonify, request
from flask.typing import ResponseReturnValue
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from automl.store.readiness import conditions, oldest_wait_s
from automl.store.room import free_bytes
from automl.store.tables import N_FILES_AND_BYTES, Dataset, DatasetFile, Export, Run, TrialSummary
from automl.store.worker_signs import SignsAway
from automl.text.messages import operations as operations_messages
from server.services import Services, services

blueprint = Blueprint("probes", __name__)


def install(app: Flask) -> None:
    """Counts every answer from now on. Each application has figures of its own."""
    own: Services = app.extensions["darkroom"]
    own.figures.registry.register(_Stored(own))

    def count(response: Response) -> Response:
        # The name of the end point, since an address has ids in it: there would be a row for each of them.
        took_s = time.monotonic() - g.request_began_s
        seconds = own.figures.request_seconds
        seconds.labels(request.method, request.endpoint or "none", str(response.status_code)).observe(took_s)
        return response

    app.after_request(count)


@blueprint.get("/healthz")
def is_alive() -> ResponseReturnValue:
    """Whether this process answers; nothing else is asked, so that a restart follows only where one helps."""
    return jsonify(status="ok")


@blueprint.get("/readyz")
def is_ready() -> ResponseReturnValue:
    """Whether everything is there that an upload and a run need: 200, or 503 with what is missing."""
    own = services()
    found = list(conditions(own.settings, own.database, own.signs))
    is_met = all(one.is_met for one in found)
    body = jsonify(
        status="ready" if is_met else "not_ready",
        conditions=[{"name": one.name, "is_met": one.is_met, "message": one.message} for one in found],
    )
    return body, 200 if is_met else 503


@blueprint.get("/metrics")
def metrics() -> ResponseReturnValue:
    """The figures in the text format of Prometheus."""
    text = generate_latest(services().figures.registry)
    return Response(text, content_type=CONTENT_TYPE_LATEST)


class _Stored(Collector):
    """Figures that are looked up when they are asked for: the database has them, whichever process made them."""

    def __init__(self, own: Services) -> None:
        self._own = own

    def collect(self) -> Iterable[Metric]:
        yield _gauge("darkroom_disk_free_bytes", operations_messages.METRIC_DISK_FREE_BYTES, self._free_bytes())
        asked = CounterMetricFamily("darkroom_model_cache", operations_messages.METRIC_MODEL_CACHE, labels=("result",))
        asked.add_metric(("hit",), self._own.models.n_hits)
        asked.add_metric(("miss",), self._own.models.n_misses)
        yield asked
        yield from self._of_workers()
        try:
            with self._own.database.session() as session:
                yield from _of_database(session)
            yield _gauge(
                "darkroom_oldest_queued_run_seconds",
                operations_messages.METRIC_OLDEST_QUEUED_RUN_SECONDS,
                oldest_wait_s(self._own.database) or 0.0,
            )
            is_up = 1.0
        except SQLAlchemyError:
            is_up = 0.0
        yield _gauge("darkroom_database_up", operations_messages.METRIC_DATABASE_UP, is_up)

    def _free_bytes(self) -> float:
        return float(free_bytes(self._own.settings.home))

    def _of_workers(self) -> Iterator[Metric]:
        ages = GaugeMetricFamily(
            "darkroom_worker_seconds_since_sign", operations_messages.METRIC_WORKER_SECONDS_SINCE_SIGN, labels=("node",)
        )
        try:
            for node, seconds in self._own.signs.nodes().items():
                ages.add_metric((node,), seconds)
            is_up = 1.0
        except SignsAway:
            is_up = 0.0
        yield ages
        yield _gauge("darkroom_queue_up", operations_messages.METRIC_QUEUE_UP, is_up)


def _of_database(session: Session) -> Iterator[Metric]:
    yield _counted("darkroom_runs", operations_messages.METRIC_RUNS, ("state",), _per(session, Run.state))
    yield _counted("darkroom_datasets", operations_messages.METRIC_DATASETS, ("state",), _per(session, Dataset.state))
    yield _counted("darkroom_exports", operations_messages.METRIC_EXPORTS, ("state",), _per(session, Export.state))
    n_files, n_bytes = session.execute(select(*N_FILES_AND_BYTES).select_from(DatasetFile)).one()
    yield _gauge("darkroom_files", operations_messages.METRIC_FILES, float(n_files))
    yield _gauge("darkroom_file_bytes", operations_messages.METRIC_FILE_BYTES, float(n_bytes))
    rows = session.execute(
        select(TrialSummary.stage, TrialSummary.state, func.count(), func.sum(TrialSummary.duration_s)).group_by(
            TrialSummary.stage, TrialSummary.state
        )
    ).all()
    of_trials = [((stage, state), n) for stage, state, n, _ in rows]
    yield _counted("darkroom_trials", operations_messages.METRIC_TRIALS, ("stage", "state"), of_trials)
    seconds = [((stage, state), total) for stage, state, _, total in rows]
    yield _counted("darkroom_trial_seconds", operations_messages.METRIC_TRIAL_SECONDS, ("stage", "state"), seconds)


def _per(session: Session, column: object) -> list[tuple[tuple[str, ...], float]]:
    """The number of rows for each value of a column."""
    rows = session.execute(select(column, func.count()).group_by(column)).all()  # type: ignore[call-overload]
    return [((str(value),), float(n)) for value, n in rows]


def _counted(
    name: str, words: str, labels: tuple[str, ...], rows: Iterable[tuple[tuple[str, ...], float]]
) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, words, labels=labels)
    for values, number in rows:
        family.add_metric(values, float(number))
    return family


def _gauge(name: str, words: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, words, value=value)
