"""Downloads."""

import pytest

from automl.records import RunState
from automl.store.tables import Dataset, now
from tests.server.conftest import form_file, zip_of


def get(client, path):
    """The answer's status, headers and body, with its file closed."""
    with client.get(path) as answer:
        return answer.status_code, answer.headers, answer.data


@pytest.fixture
def run_id(world):
    return world.add_run(RunState.SEARCHING, world.add_dataset(name="Rösen Tulpen"))


def test_the_bundle_is_a_zip_with_a_name_for_people(client, world, run_id):
    content = zip_of(a=b"a")
    world.add_artifact(run_id, "bundle", content, "bundle.zip", "application/zip")
    status, headers, body = get(client, f"/api/v1/runs/{run_id}/bundle")
    assert (status, headers["Content-Type"], body) == (200, "application/zip", content)
    assert headers["Content-Disposition"].startswith("attachment; filename=rosen-tulpen-20")


def test_the_best_so_far_is_named_as_such(client, world, run_id):
    world.add_artifact(run_id, "best_so_far", zip_of(a=b"a"), "b.zip", "application/zip")
    assert "-best-so-far-" in get(client, f"/api/v1/runs/{run_id}/bundle")[1]["Content-Disposition"]


def test_a_run_without_a_model_says_when_to_come_back(client, run_id):
    answer = client.get(f"/api/v1/runs/{run_id}/bundle")
    assert answer.status_code == 409
    assert "no model to download yet" in answer.json["error"]["message"]


def test_a_broken_download_can_go_on(client, world, run_id):
    world.add_artifact(run_id, "bundle", b"0123456789", "b.zip", "application/zip")
    with client.get(f"/api/v1/runs/{run_id}/bundle", headers={"Range": "bytes=4-"}) as answer:
        assert (answer.status_code, answer.data) == (206, b"456789")


def test_several_parts_at_once_get_the_whole(client, world, run_id):
    world.add_artifact(run_id, "bundle", b"0123456789", "b.zip", "application/zip")
    with client.get(f"/api/v1/runs/{run_id}/bundle", headers={"Range": "bytes=0-1,4-5"}) as answer:
        assert (answer.status_code, answer.data) == (200, b"0123456789")


def test_a_plot_is_shown_in_the_page(client, world, run_id):
    artifact_id = world.add_artifact(run_id, "plot", b"\x89PNG", "p.png", "image/png")
    _, headers, body = get(client, f"/api/v1/artifacts/{artifact_id}")
    assert (headers["Content-Type"], body) == ("image/png", b"\x89PNG")
    assert "attachment" not in headers.get("Content-Disposition", "")


@pytest.mark.parametrize("media_type", ["text/html", "image/svg+xml", "application/xhtml+xml"])
def test_nothing_that_could_run_in_the_page_is_shown_in_it(client, world, run_id, media_type):
    artifact_id = world.add_artifact(run_id, "plot", b"<script>", "p", media_type)
    _, headers, _ = get(client, f"/api/v1/artifacts/{artifact_id}")
    assert headers["Content-Type"] == "application/octet-stream"
    assert headers["Content-Disposition"].startswith("attachment")


def test_a_plot_of_a_deleted_data_set_is_404(client, world, run_id):
    artifact_id = world.add_artifact(run_id, "plot", b"\x89PNG", "p.png", "image/png")
    with world.database.session() as session:
        session.get_one(Dataset, world.run(run_id).dataset_id).deleted_at = now()
    assert get(client, f"/api/v1/artifacts/{artifact_id}")[0] == 404


def test_a_file_that_has_gone_from_the_store_is_404(client, world, run_id):
    artifact_id = world.add_artifact(run_id, "plot", b"x", "p.png", "image/png")
    for path in world.stored_files():
        path.unlink()
    assert client.get(f"/api/v1/artifacts/{artifact_id}").status_code == 404


def test_uploaded_files_have_no_address(client, world):
    dataset_id = client.post("/api/v1/datasets", json={}).json["id"]
    client.post(f"/api/v1/datasets/{dataset_id}/files", data={"files": [form_file("a/evil.html", b"<script>")]})
    key = world.files(dataset_id)[0].key
    for path in (f"/static/{key}", f"/api/v1/artifacts/{key}", f"/{key}", f"/static/../../{key}"):
        assert client.get(path).status_code == 404
