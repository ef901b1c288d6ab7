"""Pages while the database does not answer."""

import pytest
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from automl.records import RunState
from server import patient


@pytest.fixture
def away(world, monkeypatch):
    """The database does not answer the next so many questions."""
    monkeypatch.setattr(patient, "PAUSES_S", (0.0, 0.0, 0.0))
    n_left = 0

    def fail(_connection, _cursor, statement, parameters, *_):
        nonlocal n_left
        if n_left:
            n_left -= 1
            raise OperationalError(statement, parameters, Exception("could not connect to 10.0.0.7"))

    def be_away(n):
        nonlocal n_left
        n_left = n

    event.listen(world.database.engine, "before_cursor_execute", fail)
    return be_away


def test_a_page_tries_again_before_it_says_anything(client, world, away):
    run_id = world.add_run(RunState.DONE)
    away(2)
    assert client.get(f"/runs/{run_id}").status_code == 200


@pytest.mark.parametrize("path", ["/datasets", "/api/v1/datasets"])
def test_a_page_says_what_is_the_matter_and_comes_again_by_itself(client, away, path):
    away(100)
    answer = client.get(path)
    assert (answer.status_code, answer.headers["Retry-After"], answer.headers["Refresh"]) == (503, "5", "5")
    assert "The database of this server does not answer" in answer.text
    for secret in ("SELECT", "10.0.0.7", "OperationalError"):
        assert secret not in answer.text
    away(0)
    assert client.get(path).status_code == 200


def test_the_code_tells_programs_that_it_was_the_database(client, away):
    away(100)
    assert client.get("/api/v1/datasets").json["error"]["code"] == "database_away"


def test_a_request_that_changes_something_is_made_once_and_never_repeats_itself(client, world, away):
    run_id = world.add_run(RunState.QUEUED)
    client.get("/")  # from here on it is known whether anybody needs an account
    away(1)
    answer = client.post(f"/runs/{run_id}/cancel")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert "Refresh" not in answer.headers
    assert "was not done" in answer.text
    assert world.run(run_id).state is RunState.QUEUED
