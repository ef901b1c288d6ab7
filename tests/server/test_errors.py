import importlib
import pkgutil

import pytest

import server
from automl.errors import DarkroomError, DiskFull, NotFound, RunFailed, SourceUnavailable, UploadTooLarge
from automl.records import RunState
from server.errors import STATUS_OF_CODE
from tests.server.conftest import add_page


def all_errors(base: type[DarkroomError]) -> set[type[DarkroomError]]:
    return {base}.union(*(all_errors(error) for error in base.__subclasses__()))


def test_every_error_of_the_tree_has_a_status_and_none_is_left_over():
    for module in pkgutil.iter_modules(server.__path__, "server."):
        importlib.import_module(module.name)
    ours = [error for error in all_errors(DarkroomError) if error.__module__.startswith(("automl.errors", "server."))]
    assert {error.code for error in ours} == set(STATUS_OF_CODE)


def test_an_unknown_page_is_a_helpful_html_404(client):
    answer = client.get("/nowhere")
    assert (answer.status_code, answer.mimetype) == (404, "text/html")
    assert "To the first page" in answer.text


def test_a_404_says_once_that_nothing_is_there(client):
    assert client.get("/nowhere").text.split("<h1>")[1].count("nothing") == 1


def test_an_unknown_api_address_is_a_json_404(client):
    answer = client.get("/api/v1/nowhere")
    assert answer.status_code == 404
    assert answer.json["error"]["code"] == "not_found"


@pytest.mark.parametrize("path", ["/datasets/nope", "/runs/nope", "/runs/nope/live", "/api/v1/runs/nope/trials"])
def test_what_was_deleted_is_404(client, path):
    assert client.get(path).status_code == 404


def test_the_wrong_method_is_405_and_says_which_are_allowed(client):
    answer = client.delete("/api/v1/runs")
    assert answer.status_code == 405
    assert "POST" in answer.headers["Allow"]


@pytest.mark.parametrize("path", ["/api/v1/broken", "/broken"])
@pytest.mark.parametrize("error", [RuntimeError("/secret/path"), DarkroomError("/secret/path")])
def test_a_500_never_shows_what_the_exception_says(world, path, error, monkeypatch):
    def broken():
        raise error

    add_page(world.app, path, broken, monkeypatch)
    answer = world.app.test_client().get(path)
    assert answer.status_code == 500
    assert "secret" not in answer.text


def test_a_form_that_fails_leads_back_to_its_page(client, world):
    run_id = world.add_run(RunState.DONE)
    page = f"http://localhost/runs/{run_id}"
    answer = client.post(f"/runs/{run_id}/cancel", headers={"Referer": page})
    assert answer.status_code == 409
    assert f'href="{page}"' in answer.text


def test_an_error_page_never_links_to_another_site(client, world):
    run_id = world.add_run(RunState.DONE)
    answer = client.post(f"/runs/{run_id}/cancel", headers={"Referer": "http://evil.example/"})
    assert "evil.example" not in answer.text


@pytest.mark.parametrize(
    ("status", "hint"),
    [
        (404, "Your photos"),
        (413, "add the others later"),
        (500, "log of the web server"),
        (503, "Wait a moment"),
        (507, "delete"),
    ],
)
def test_an_error_page_says_what_to_do_next(world, status, hint, monkeypatch):
    errors = {404: NotFound, 413: UploadTooLarge, 500: RunFailed, 503: SourceUnavailable, 507: DiskFull}

    def broken():
        raise errors[status]("It did not work.")

    add_page(world.app, "/broken", broken, monkeypatch)
    answer = world.app.test_client().get("/broken")
    assert answer.status_code == status
    assert hint in answer.text
