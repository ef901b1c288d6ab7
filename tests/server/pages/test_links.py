"""Read-only links: what they open, for how long, and what they never open."""

import re
from datetime import timedelta

import pytest

from automl.records import Role, RunState
from automl.store.links import MAX_LINKS_OF_A_RUN, links_of
from automl.store.tables import SharedLink, now
from tests.server.people import add_person, signed_in
from tests.server.rich_result import add_rich_result
from tests.server.trying import add_tried_run

WEEK = "604800"
GONE = "This link opens nothing."


def made(client, run_id, shows):
    """The path of a new link."""
    answer = client.post(f"/runs/{run_id}/links", data={"shows": shows, "seconds": WEEK})
    assert answer.status_code == 200
    return re.search(r'id="link-address" value="http://localhost([^"]+)"', answer.text)[1]


def links(world, run_id):
    with world.database.session() as session:
        return links_of(session, run_id)


@pytest.fixture
def run_id(world):
    return add_rich_result(world)


def test_a_link_opens_the_model_and_all_that_its_page_needs(client, world):
    path = made(client, add_tried_run(world), "model")
    page = client.get(path)
    assert "Your photos stay on this device" in page.text
    assert "'wasm-unsafe-eval'" in page.headers["Content-Security-Policy"]
    assert "camera=(self)" in page.headers["Permissions-Policy"]
    model = re.search(r'data-model="([^"]+)"', page.text)[1]
    assert model.startswith(path)
    assert client.get(model).status_code == 200
    manifest = client.get(f"{path}manifest.webmanifest").json
    assert manifest["scope"] == manifest["start_url"] == path
    assert f'"page": "{path}"' in client.get(f"{path}worker.js").text


def test_a_link_opens_the_result(client, run_id):
    page = client.get(made(client, run_id, "result"))
    assert "What it mixes up" in page.text
    assert "works until" in page.text


@pytest.mark.parametrize("kind", ["model", "result"])
def test_a_shared_page_leads_to_no_other_page(client, run_id, kind):
    path = made(client, run_id, kind)
    found = re.findall(r'(?:href|src|action|data-\w+)="(/[^"]*)"', client.get(path).text)
    assert [one for one in found if not one.startswith((path, "/static/"))] == []
    assert run_id not in client.get(path).text


@pytest.mark.parametrize("kind", ["model", "result"])
def test_a_shared_page_is_not_indexed_and_its_address_is_told_to_nobody(client, run_id, kind):
    path = made(client, run_id, kind)
    for one in (path, f"/shared/{kind}/other/"):
        headers = client.get(one).headers
        assert "noindex" in headers["X-Robots-Tag"]
        assert headers["Referrer-Policy"] == "no-referrer"


@pytest.mark.parametrize("method", ["post", "put", "delete", "patch"])
def test_a_link_changes_nothing(client, run_id, method):
    for kind in ("model", "result"):
        assert getattr(client, method)(made(client, run_id, kind)).status_code == 405


def test_a_link_opens_one_page_and_not_the_other(client, run_id):
    path = made(client, run_id, "model")
    assert client.get(path.replace("/model/", "/result/")).status_code == 404
    assert client.get(f"{path}page.html").status_code == 404
    assert client.get(f"{path}photos/1").status_code == 404


def test_photos_are_shown_only_where_the_maker_says_so(client, run_id):
    without = made(client, run_id, "result")
    path = made(client, run_id, "photos")
    assert "/photos/" not in client.get(without).text
    shown = re.findall(r'src="([^"]+/photos/(\d+))"', client.get(path).text)
    assert len(shown) == 3
    for address, number in shown:
        with client.get(address) as answer:
            assert answer.mimetype == "image/jpeg"
        assert client.get(f"{without}photos/{number}").status_code == 404


def test_photos_of_the_data_set_that_the_page_does_not_show_stay_closed(client, world, run_id):
    path = made(client, run_id, "photos")
    shown = {int(number) for number in re.findall(r"/photos/(\d+)", client.get(path).text)}
    others = {file.id for file in world.files(world.run(run_id).dataset_id)} - shown
    assert {client.get(f"{path}photos/{number}").status_code for number in others} == {404}


def test_a_link_that_has_ended_opens_nothing_and_says_so(client, world, run_id):
    path = made(client, run_id, "result")
    with world.database.session() as session:
        session.query(SharedLink).one().expires_at = now() - timedelta(seconds=1)
    answer = client.get(path)
    assert answer.status_code == 404
    assert GONE in answer.text
    assert "/datasets" not in answer.text
    assert links(world, run_id) == []


def test_a_link_that_was_taken_back_opens_nothing(client, world, run_id):
    path = made(client, run_id, "model")
    page = client.get(f"/runs/{run_id}").text
    address = re.search(r'action="([^"]+/take-back)"', page)[1]
    assert client.post(address).status_code == 303
    assert client.get(path).status_code == 404
    assert "take-back" not in client.get(f"/runs/{run_id}").text


def test_a_link_to_what_is_in_the_bin_opens_nothing_and_does_not_tell_of_the_bin(client, run_id):
    path = made(client, run_id, "model")
    client.post(f"/bin/runs/{run_id}/delete")
    answer = client.get(path)
    assert (answer.status_code, GONE in answer.text, "bin" in answer.text) == (404, True, False)


def test_the_secret_is_in_no_row_and_no_other_page(client, world, run_id):
    secret = made(client, run_id, "model").split("/")[3]
    assert len(secret) >= 40
    (link,) = links(world, run_id)
    assert secret not in [link.id, link.token_hash, link.run_id]
    assert secret not in client.get(f"/runs/{run_id}").text
    assert client.get(f"/shared/model/{link.token_hash}/").status_code == 404
    assert client.get(f"/shared/model/{link.id}/").status_code == 404


def test_the_qr_code_is_a_picture_in_the_page_beside_the_address(client, run_id):
    text = client.post(f"/runs/{run_id}/links", data={"shows": "model", "seconds": WEEK}).text
    assert '<div class="qr" role="img" aria-label="QR code of the link above"><svg' in text
    assert "style=" not in text
    assert 'id="only-here"' in text  # the address of these tests is localhost


@pytest.mark.parametrize("limits", [{"DARKROOM_PUBLIC_URL": "https://photos.example.org/"}])
def test_a_link_begins_as_people_reach_this_server(world, run_id):
    add_person(world, "ann", Role.ADMINISTRATOR)
    text = signed_in(world, "ann").post(f"/runs/{run_id}/links", data={"shows": "model", "seconds": WEEK}).text
    assert 'value="https://photos.example.org/shared/model/' in text
    assert 'id="only-here"' not in text


@pytest.mark.parametrize(("shows", "seconds"), [("model", "1"), ("model", "x"), ("other", WEEK), ("", "")])
def test_only_what_is_offered_can_be_asked_for(client, world, run_id, shows, seconds):
    assert client.post(f"/runs/{run_id}/links", data={"shows": shows, "seconds": seconds}).status_code == 400
    assert links(world, run_id) == []


@pytest.mark.parametrize("limits", [{"DARKROOM_MAX_LINK_DAYS": "1"}])
def test_no_link_is_open_for_longer_than_the_setting_allows(client, run_id):
    assert f'value="{WEEK}"' not in client.get(f"/runs/{run_id}").text
    assert client.post(f"/runs/{run_id}/links", data={"shows": "model", "seconds": WEEK}).status_code == 400
    assert client.post(f"/runs/{run_id}/links", data={"shows": "model", "seconds": "86400"}).status_code == 200


@pytest.mark.parametrize("limits", [{"DARKROOM_MAX_LINK_DAYS": "0"}])
def test_a_server_can_make_no_links(client, run_id):
    assert "Show it to somebody" not in client.get(f"/runs/{run_id}").text
    assert client.post(f"/runs/{run_id}/links", data={"shows": "model", "seconds": WEEK}).status_code == 409


def test_a_run_that_is_not_done_has_no_links(client, world):
    run_id = world.add_run(RunState.SEARCHING)
    assert client.post(f"/runs/{run_id}/links", data={"shows": "model", "seconds": WEEK}).status_code == 409


def test_a_run_has_so_many_links_and_no_more(client, world, run_id):
    for _ in range(MAX_LINKS_OF_A_RUN):
        made(client, run_id, "result")
    assert client.post(f"/runs/{run_id}/links", data={"shows": "result", "seconds": WEEK}).status_code == 409
    with world.database.session() as session:
        session.query(SharedLink).first().expires_at = now()
    made(client, run_id, "result")


def test_a_link_works_without_a_cookie_and_sets_none(world, client, run_id):
    path = made(client, run_id, "result")
    answer = world.app.test_client(use_cookies=False).get(path)
    assert answer.status_code == 200
    assert "Set-Cookie" not in answer.headers
