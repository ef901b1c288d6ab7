"""What machines ask: is it alive, is it ready, and its figures."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from automl.records import RunState
from automl.store.database import Database, SchemaAge
from automl.store.tables import now
from automl.store.worker_signs import SignsAway, WorkerSigns
from tests.server.trying import add_tried_run, picture

DEPLOY = Path(__file__).parents[2] / "docs" / "deploy"


@pytest.fixture
def nodes(monkeypatch):
    """The worker nodes that seem to be alive; a test may change them, None for a queue that does not answer."""
    alive = {"duties@here": 1.0, "light@here": 1.0, "train@here": 2.0}

    def answer(_self):
        if alive.get("away"):
            raise SignsAway("The queue does not answer.")
        return dict(alive)

    monkeypatch.setattr(WorkerSigns, "nodes", answer)
    monkeypatch.setattr(Database, "schema_age", lambda _self: SchemaAge.CURRENT)  # tests make tables without it
    return alive


def conditions(answer):
    return {one["name"]: one["is_met"] for one in answer.json["conditions"]}


def test_ready_where_everything_is_there(client, nodes):
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json["status"]) == (200, "ready")
    assert conditions(answer) == dict.fromkeys(["database", "waiting", "queue", "workers", "disk"], True)
    assert client.get("/healthz").json == {"status": "ok"}


@pytest.mark.parametrize("kind", ["duties", "light", "train"])
def test_not_ready_without_a_worker_of_each_kind(client, nodes, kind):
    del nodes[f"{kind}@here"]
    answer = client.get("/readyz")
    assert answer.status_code == 503 and conditions(answer)["workers"] is False
    assert f"No worker for {kind} is there" in answer.text


def test_not_ready_without_the_queue(client, nodes):
    nodes["away"] = 1.0
    answer = client.get("/readyz")
    assert answer.status_code == 503 and conditions(answer)["queue"] is False
    assert client.get("/healthz").status_code == 200


def test_not_ready_without_the_database_which_says_no_secret(client, world, nodes, monkeypatch):
    def away():
        raise OperationalError("SELECT secret", {}, Exception("password"))

    monkeypatch.setattr(world.database, "schema_age", away)
    answer = client.get("/readyz")
    assert answer.status_code == 503 and conditions(answer)["database"] is False
    assert "secret" not in answer.text and "password" not in answer.text
    assert client.get("/healthz").status_code == 200


def test_how_long_the_oldest_run_waits_is_told(client, world, nodes):
    world.add_run(RunState.QUEUED, created_at=now() - timedelta(minutes=5))
    world.add_run(RunState.QUEUED)
    assert "has waited for 5 minutes" in client.get("/readyz").text


def figures(client):
    answer = client.get("/metrics")
    assert answer.content_type.startswith("text/plain")
    lines = [line for line in answer.text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


def test_the_figures(client, world, nodes):
    world.add_run(RunState.QUEUED, created_at=now() - timedelta(seconds=100))
    world.add_run(RunState.DONE)
    client.get("/health")
    client.get("/nowhere")
    found = figures(client)
    assert found['darkroom_runs{state="queued"}'] == found['darkroom_runs{state="done"}'] == 1
    assert 100 <= found["darkroom_oldest_queued_run_seconds"] < 160
    assert found['darkroom_worker_seconds_since_sign{node="train@here"}'] == 2
    assert found["darkroom_file_bytes"] == 10 * found["darkroom_files"] > 0
    assert found["darkroom_disk_free_bytes"] > 0
    assert (found["darkroom_database_up"], found["darkroom_queue_up"]) == (1, 1)
    seconds = "darkroom_http_request_seconds_count"
    assert found[f'{seconds}{{endpoint="home.health",method="GET",status="200"}}'] == 1
    assert found[f'{seconds}{{endpoint="none",method="GET",status="404"}}'] == 1


def test_errors_are_counted_by_their_code(client, nodes):
    client.get("/nowhere")
    client.get("/api/v1/runs/nothing")
    assert figures(client)['darkroom_errors_total{code="not_found"}'] == 2


def test_photos_that_were_answered_and_models_that_were_open_are_counted(client, world, nodes):
    run_id = add_tried_run(world)
    for _ in range(2):
        assert (
            client.post(f"/api/v1/runs/{run_id}/predict", data=picture(), content_type="image/png").status_code == 200
        )
    found = figures(client)
    assert found["darkroom_prediction_seconds_count"] == found['darkroom_lock_wait_seconds_count{lock="decoding"}'] == 2
    cache = "darkroom_model_cache_total"
    assert (found[f'{cache}{{result="hit"}}'], found[f'{cache}{{result="miss"}}']) == (1, 1)


def test_the_dashboard_and_the_alerts_ask_for_figures_that_there_are(client, nodes):
    """Also those that are counted only once something has happened have their line with what they are."""
    told = set(re.findall(r"^# HELP (\w+)", client.get("/metrics").text, re.MULTILINE))
    for name in ("grafana-dashboard.json", "darkroom-alerts.yml"):
        asked = set(re.findall(r"darkroom_\w+", (DEPLOY / name).read_text()))
        assert {re.sub("_(count|bucket|sum)$", "", one) for one in asked} <= told


def test_the_figures_tell_what_is_away(client, world, nodes, monkeypatch):
    nodes["away"] = 1.0

    def away():
        raise OperationalError("x", {}, Exception())

    monkeypatch.setattr(world.database, "session", away)
    found = figures(client)
    assert (found["darkroom_database_up"], found["darkroom_queue_up"]) == (0, 0)
    assert "darkroom_oldest_queued_run_seconds" not in found
