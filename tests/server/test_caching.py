"""What may be kept of answers: of those that not everybody may see, nothing by what several people share."""

import pytest

from automl.records import LinkedPage, Role, RunState
from automl.store.links import make_link
from tests.automl.images.pictures import two_classes
from tests.server.people import add_person, browser, signed_in


@pytest.fixture
def addresses(world) -> list[str]:
    owner_id = add_person(world, "ann", Role.ADMINISTRATOR)
    dataset_id = world.add_checked(two_classes(3))
    file_id = world.files(dataset_id)[0].id
    run_id = world.add_run(RunState.DONE, dataset_id, started_by_id=owner_id)
    plot = world.add_artifact(run_id, "plot", b"a plot", "x.png", "image/png")
    bundle = world.add_artifact(run_id, "bundle", b"a model", "x.zip", "application/zip")
    with world.database.session() as session:
        secret = make_link(session, run_id, LinkedPage.RESULT, keep_s=600.0, shows_photos=True)
    return [
        "/",
        "/account",
        "/account/everything.zip",
        "/people/events",
        "/api/v1/datasets",
        f"/api/v1/datasets/{dataset_id}",
        f"/api/v1/datasets/{dataset_id}/photos.zip",
        f"/api/v1/runs/{run_id}",
        f"/api/v1/runs/{run_id}/bundle",
        f"/api/v1/artifacts/{plot}",
        f"/api/v1/artifacts/{bundle}",
        f"/datasets/{dataset_id}/thumbnails/{file_id}",
        f"/datasets/{dataset_id}/photos/{file_id}/picture",
        f"/shared/result/{secret}/",
    ]


def test_no_proxy_keeps_what_not_everybody_may_see(world, addresses):
    client = signed_in(world, "ann")
    for address in addresses:
        with client.get(address) as answer:
            assert answer.status_code == 200, address
            kept = answer.cache_control
            assert (kept.private or kept.no_store) and not kept.public, (address, str(kept))


def test_a_page_of_static_files_may_be_kept_by_all(world):
    with browser(world).get("/static/app.css") as answer:
        assert "private" not in answer.headers["Cache-Control"] and not answer.cache_control.no_store
