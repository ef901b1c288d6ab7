"""How often somebody may ask for what costs much; Redis is real where several processes count together."""

import pytest

from automl.errors import BadSetting
from automl.records import Role
from automl.settings import load_settings
from automl.store.database import find_dataset
from automl.store.shares import share
from server import create_app
from server.rates import _ENDPOINTS
from tests.redis_server import running_redis
from tests.server.conftest import RememberingQueue, World, form_file
from tests.server.people import add_person, browser, signed_in


@pytest.fixture
def limits() -> dict[str, str]:
    return {
        "DARKROOM_PUBLIC_URL": "http://localhost",
        "DARKROOM_RATE_UPLOADS": "3 per minute",
        "DARKROOM_RATE_CREATIONS": "2 per minute",
        "DARKROOM_RATE_PREDICTIONS": "2 per minute",
    }


@pytest.fixture
def people(world):
    add_person(world, "olga", Role.ADMINISTRATOR)
    add_person(world, "mia")


def upload(client):
    return client.post("/api/v1/datasets", data={"files": form_file("cat/1.jpg"), "name": "pets"})


def test_uploads_of_one_account_are_counted_together_and_others_go_on(world, people):
    mia, again, olga = (signed_in(world, name) for name in ("mia", "mia", "olga"))
    answers = [upload(client).status_code for client in (mia, again, mia, again)]
    assert answers == [201, 201, 201, 429]
    refused = upload(mia)
    assert refused.json["error"]["code"] == "too_often"
    assert "very often in a short time" in refused.json["error"]["message"]
    assert 0 < int(refused.headers["Retry-After"]) <= 61
    assert upload(olga).status_code == 201


def test_a_page_says_it_too(world, people):
    client = signed_in(world, "mia")
    answers = [client.post("/account/tokens", data={"name": "lab", "scope": "read"}) for _ in range(3)]
    assert [answer.status_code for answer in answers][-1] == 429
    assert "very often in a short time" in answers[-1].text and answers[-1].mimetype == "text/html"


def test_predictions_are_counted_apart_from_creations(world, people):
    run_id = world.add_run()
    with world.database.session() as session:
        for dataset in {find_dataset(session, row.dataset_id) for row in [world.run(run_id)]}:
            share(session, dataset, "mia@example.org", may_change=True)
    client = signed_in(world, "mia")
    address = f"/api/v1/runs/{run_id}/predict"
    answers = [client.post(address, data={"photos": form_file("1.jpg")}).status_code for _ in range(3)]
    assert answers[-1] == 429 and 429 not in answers[:-1]
    assert client.post("/account/tokens", data={"name": "lab", "scope": "read"}).status_code != 429


def test_strangers_are_counted_by_their_address(world, people):
    strangers = [browser(world).post("/once/nothing", data={}).status_code for _ in range(3)]
    assert strangers[-1] == 429


@pytest.mark.parametrize("limits", [{"DARKROOM_RATE_UPLOADS": "1 per hour"}])
def test_where_nobody_signs_in_nobody_is_counted(client):
    assert [upload(client).status_code for _ in range(3)] == [201] * 3


@pytest.mark.parametrize("limits", [{"DARKROOM_PUBLIC_URL": "http://localhost", "DARKROOM_RATE_UPLOADS": ""}])
def test_without_a_rate_there_is_no_limit(world, people):
    client = signed_in(world, "mia")
    assert {upload(client).status_code for _ in range(5)} == {201}


@pytest.mark.parametrize("limits", [{"DARKROOM_RATE_UPLOADS": "many"}])
def test_a_rate_that_is_none_is_refused_at_start(tmp_path, limits):
    with pytest.raises(BadSetting, match="DARKROOM_RATE_UPLOADS is 'many'"):
        create_app(load_settings({"DARKROOM_HOME": str(tmp_path), **limits}))


def test_processes_count_together_and_go_on_alone_while_redis_is_away(tmp_path, limits, world, people):
    with running_redis(tmp_path) as url:
        environment = {**limits, "DARKROOM_HOME": str(world.settings.home), "DARKROOM_BROKER_URL": url}
        settings = load_settings(environment)
        apps = [create_app(settings, RememberingQueue()) for _ in range(2)]
        worlds = [World(app, settings, RememberingQueue()) for app in apps]
        clients = [signed_in(one, "mia") for one in worlds]
        answers = [upload(clients[n % 2]).status_code for n in range(4)]
        assert answers == [201, 201, 201, 429]
    assert upload(clients[0]).status_code == 201  # it counts for itself now
    for one in worlds:
        one.database.close()


def test_every_endpoint_of_the_table_is_there_and_is_limited_once(world):
    named = [endpoint for names in _ENDPOINTS.values() for endpoint in names.split()]
    assert len(named) == len(set(named))
    assert not [endpoint for endpoint in named if not hasattr(world.app.view_functions[endpoint], "__wrapped__")]
