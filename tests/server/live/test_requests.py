"""More time, and who is told at the end."""

import pytest

from automl.records import RunState
from automl.store.database import find_run
from server.views.run import run_clock
from tests.server.people import add_person, signed_in


def test_a_run_gets_five_minutes_more_and_its_progress_goes_on_from_where_it_is(client, world):
    run_id = world.add_run(RunState.SEARCHING, used_s=60.0)
    before = run_clock(world.run(run_id), 30).progress
    assert client.post(f"/runs/{run_id}/extend").location == f"/runs/{run_id}"
    run = world.run(run_id)
    assert (run.budget_s, run.settings.budget_s) == (420.0, 420.0)
    assert run_clock(run, 30).progress == pytest.approx(before)
    page = " ".join(client.get(f"/runs/{run_id}").text.split())
    assert "6 minutes left of 7 minutes" in page
    assert "You gave it 5 minutes more: 7 minutes in all" in page


def test_a_waiting_run_can_be_given_more_time(client, world):
    run_id = world.add_run()
    assert client.post(f"/api/v1/runs/{run_id}/extend", json={"minutes": 2}).json["budget_s"] == 240.0
    assert "Time allowed: 4 minutes." in client.get(f"/runs/{run_id}").text


def test_what_follows_begins_with_the_time_that_the_run_was_given(client, world):
    run_id = world.add_run(RunState.SEARCHING)
    client.post(f"/runs/{run_id}/extend")
    with world.database.session() as session:
        find_run(session, run_id).state = RunState.CANCELLED
    assert "Run it again, 7 minutes" in " ".join(client.get(f"/runs/{run_id}").text.split())


@pytest.mark.parametrize(
    ("state", "asked"),
    [
        (RunState.DONE, {}),
        (RunState.CANCELLED, {}),
        (RunState.FINISHING, {}),
        (RunState.SEARCHING, {"stop_requested": True}),
        (RunState.SEARCHING, {"cancel_requested": True}),
    ],
)
def test_a_run_that_is_ending_gets_no_more_time_and_says_why(client, world, state, asked):
    run_id = world.add_run(state, **asked)
    answer = client.post(f"/api/v1/runs/{run_id}/extend")
    assert answer.status_code == 409
    assert world.run(run_id).budget_s == 120.0
    assert "more-time" not in client.get(f"/runs/{run_id}").text


def test_no_run_gets_more_than_a_run_may_have(client, world):
    run_id = world.add_run(RunState.SEARCHING)
    answer = client.post(f"/api/v1/runs/{run_id}/extend", json={"minutes": 24 * 60})
    assert answer.status_code == 400
    assert "24 hours at most" in answer.json["error"]["message"]


@pytest.mark.parametrize("minutes", [0, -5, "soon", "nan", "inf"])
def test_only_a_length_of_time_is_more_time(client, world, minutes):
    run_id = world.add_run(RunState.SEARCHING)
    assert client.post(f"/api/v1/runs/{run_id}/extend", json={"minutes": minutes}).status_code == 400


def test_letters_are_not_offered_where_no_mail_server_is_set(client, world):
    run_id = world.add_run(RunState.SEARCHING)
    assert "/notify" not in client.get(f"/runs/{run_id}").text
    assert client.post(f"/runs/{run_id}/notify", data={"wanted": "yes"}).status_code == 400


class TestWithMail:
    @pytest.fixture
    def limits(self):
        return {"DARKROOM_SMTP_URL": "smtp://127.0.0.1:1", "DARKROOM_MAIL_TO": "me@example.org"}

    def test_one_click_asks_for_a_letter_and_another_takes_it_back(self, client, world):
        run_id = world.add_run(RunState.SEARCHING)
        assert "E-mail me@example.org at the end" in client.get(f"/runs/{run_id}").text
        client.post(f"/runs/{run_id}/notify", data={"wanted": "yes", "email": "somebody.else@example.org"})
        assert world.run(run_id).notify_email == "me@example.org"
        assert "an e-mail goes to me@example.org" in client.get(f"/runs/{run_id}").text
        client.post(f"/runs/{run_id}/notify")
        assert world.run(run_id).notify_email == ""

    def test_who_signs_in_gets_it_at_his_own_address(self, world):
        owner_id = add_person(world, "ann")
        run_id = world.add_run(RunState.SEARCHING, world.add_dataset(owner_id=owner_id))
        signed_in(world, "ann").post(f"/runs/{run_id}/notify", data={"wanted": "yes"})
        assert world.run(run_id).notify_email == "ann@example.org"


def test_without_an_address_in_the_settings_nobody_is_written_to(client, world):
    run_id = world.add_run(RunState.SEARCHING)
    assert client.post(f"/runs/{run_id}/notify", data={"wanted": "yes"}).status_code == 400
    assert world.run(run_id).notify_email == ""
