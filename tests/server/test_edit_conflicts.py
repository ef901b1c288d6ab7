"""Two people, or two windows of one, who change the same photos without knowing of each other."""

import re
from threading import Barrier, Thread

import pytest

from automl.records import Role
from automl.store.accounts import close_account, find_account
from automl.store.database import find_dataset
from automl.store.shares import share
from tests.automl.images.pictures import two_classes
from tests.server.people import add_person, browser, signed_in
from tests.server.test_editing import labels, record


@pytest.fixture
def pets(world):
    return world.add_checked(two_classes(12))


@pytest.fixture
def ids(world, pets):
    return world.file_ids(pets)


def seen_on(client, address):
    (seen, *others) = re.findall(r'name="seen" value="(\d+)"', client.get(address).text)
    assert not set(others) - {seen}
    return seen


def fields_again(page):
    """What the button "Do it all the same" sends."""
    fields = {}
    for name, value in re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', page):
        fields.setdefault(name, []).append(value)
    return fields


def test_what_goes_against_an_unseen_change_is_not_done_until_it_is_asked_for_again(client, pets, ids):
    photo = ids["cat/0.png"]
    seen = seen_on(client, f"/datasets/{pets}/photos?label=cat")
    client.post(f"/datasets/{pets}/edits", data={"kind": "exclude", "files": photo, "seen": seen})
    late = {"kind": "move", "files": [photo, ids["cat/1.png"]], "to": "dog", "seen": seen}
    answer = client.post(f"/datasets/{pets}/edits", data=late)
    assert answer.status_code == 409
    assert "Left out 1 photo" in answer.text and "Moved 2 photos to" in answer.text
    assert labels(client, pets) == {"cat": 11, "dog": 12}
    assert client.post(f"/datasets/{pets}/edits", data=fields_again(answer.text)).status_code == 303
    assert labels(client, pets) == {"cat": 10, "dog": 14}


def test_changes_of_other_photos_do_not_get_in_each_others_way(client, pets, ids):
    seen = seen_on(client, f"/datasets/{pets}/photos?label=cat")
    for name in ("cat/0.png", "cat/1.png"):
        sent = client.post(f"/datasets/{pets}/edits", data={"kind": "exclude", "files": ids[name], "seen": seen})
        assert sent.status_code == 303
    assert labels(client, pets) == {"cat": 10, "dog": 12}


def test_a_class_that_was_renamed_meanwhile_does_not_come_back_by_its_old_name(client, pets, ids):
    seen = seen_on(client, f"/datasets/{pets}")
    client.post(f"/datasets/{pets}/edits", data={"kind": "rename", "from": "cat", "to": "cats", "seen": seen})
    late = {"kind": "move", "files": ids["dog/0.png"], "to": "cat", "seen": seen}
    assert client.post(f"/datasets/{pets}/edits", data=late).status_code == 409
    assert labels(client, pets) == {"cats": 12, "dog": 12}


def test_undoing_what_others_have_built_on_is_asked_about(client, pets, ids):
    photo = ids["cat/0.png"]
    client.post(f"/datasets/{pets}/edits", data={"kind": "move", "files": photo, "to": "dog"})
    (edit,) = record(client, pets)["edits"]
    seen = seen_on(client, f"/datasets/{pets}")
    client.post(f"/datasets/{pets}/edits", data={"kind": "confirm", "files": photo, "seen": seen})
    answer = client.post(f"/datasets/{pets}/undo", data={"edit": edit["id"], "seen": seen})
    assert answer.status_code == 409
    assert "Undo: Moved 1 photo to" in answer.text
    assert labels(client, pets) == {"cat": 11, "dog": 13}


def test_what_was_undone_meanwhile_is_said_to_be(client, pets, ids):
    photo = ids["cat/0.png"]
    client.post(f"/datasets/{pets}/edits", data={"kind": "exclude", "files": photo})
    (edit,) = record(client, pets)["edits"]
    seen = seen_on(client, f"/datasets/{pets}")
    client.post(f"/datasets/{pets}/undo", data={"edit": edit["id"], "seen": seen})
    answer = client.post(f"/datasets/{pets}/edits", data={"kind": "move", "files": photo, "to": "dog", "seen": seen})
    assert answer.status_code == 409 and "which was undone" in answer.text


def test_what_came_and_went_meanwhile_is_nothing(client, pets, ids):
    seen = seen_on(client, f"/datasets/{pets}")
    photo = ids["cat/0.png"]
    client.post(f"/datasets/{pets}/edits", data={"kind": "exclude", "files": photo, "seen": seen})
    (edit,) = record(client, pets)["edits"]
    client.post(f"/datasets/{pets}/undo", data={"edit": edit["id"]})
    late = {"kind": "move", "files": photo, "to": "dog", "seen": seen}
    assert client.post(f"/datasets/{pets}/edits", data=late).status_code == 303


def test_the_page_of_a_photo_knows_of_changes_since_it_was_shown(client, pets, ids):
    photo = ids["cat/0.png"]
    address = f"/datasets/{pets}/photos/{photo}"
    seen = seen_on(client, address)
    assert client.post(address, data={"to": "dog", "seen": seen}).status_code == 303
    assert client.post(address, data={"to": "bird", "seen": seen}).status_code == 409
    assert client.post(address, data={"to": "bird", "seen": seen_on(client, address)}).status_code == 303


def test_the_other_person_is_named(client, world, pets, ids):
    add_person(world, "olga", Role.ADMINISTRATOR)
    mia = add_person(world, "mia")
    with world.database.session() as session:
        share(session, find_dataset(session, pets), "mia@example.org", may_change=True)
    olga, mia_there = signed_in(world, "olga"), signed_in(world, "mia")
    seen = seen_on(olga, f"/datasets/{pets}")
    photo = ids["cat/0.png"]
    mia_there.post(f"/datasets/{pets}/edits", data={"kind": "exclude", "files": photo, "seen": seen})
    late = {"kind": "move", "files": photo, "to": "dog", "seen": seen}
    assert "(Mia," in olga.post(f"/datasets/{pets}/edits", data=late).text
    with world.database.session() as session:
        close_account(session, find_account(session, mia))
    answer = olga.post(f"/datasets/{pets}/edits", data=late)
    assert answer.status_code == 409 and "Mia" not in answer.text


@pytest.mark.parametrize("kind", ["datasets", "runs"])
def test_a_name_that_somebody_else_has_given_meanwhile_is_not_replaced_unseen(client, world, pets, kind):
    thing = pets if kind == "datasets" else world.add_run(dataset_id=pets)
    address = f"/{kind}/{thing}/rename"
    was = {"was": client.get(f"/api/v1/{kind}/{thing}").json["name"]}
    assert client.post(address, data={"name": "Mia's", **was}).status_code == 303
    refused = client.post(address, data={"name": "Olga's", **was})
    assert refused.status_code == 409 and "Mia&#39;s" in refused.text
    assert client.post(address, data={"name": "Mia's", **was}).status_code == 303
    assert client.post(address, data={"name": "Olga's", "was": "Mia's"}).status_code == 303


def test_a_program_changes_only_what_it_has_read_where_it_asks_for_that(client, pets, ids):
    address = f"/api/v1/datasets/{pets}"
    read = client.get(address)
    assert read.headers["ETag"] == f'"{read.json["revision"]}"'
    move = {"kind": "move", "values": {"files": [ids["cat/0.png"]], "to": "dog"}}
    other = {"kind": "exclude", "values": {"files": [ids["dog/0.png"]]}}
    since = {"If-Match": read.headers["ETag"]}
    done = client.post(f"{address}/edits", json=move, headers=since)
    assert done.status_code == 200 and done.headers["ETag"] != read.headers["ETag"]
    refused = client.post(f"{address}/edits", json=other, headers=since)
    assert (refused.status_code, refused.json["error"]["code"]) == (412, "outdated")
    (edit,) = client.get(address).json["edits"]
    assert client.post(f"{address}/edits/{edit['id']}/undo", headers=since).status_code == 412
    assert client.patch(address, json={"name": "pets"}, headers=since).status_code == 412
    assert client.post(f"{address}/edits", json=other, headers={"If-Match": "*"}).status_code == 200
    assert client.post(f"{address}/edits", json=move).status_code == 200


def test_of_two_changes_at_the_same_moment_one_sees_the_other(world, pets, ids):
    seen = seen_on(browser(world), f"/datasets/{pets}")
    begin, answers = Barrier(2), []

    def send(to):
        client = browser(world)
        begin.wait(10)
        data = {"kind": "move", "files": ids["cat/0.png"], "to": to, "seen": seen}
        answers.append(client.post(f"/datasets/{pets}/edits", data=data).status_code)

    threads = [Thread(target=send, args=(to,)) for to in ("dog", "bird")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(answers) == [303, 409]


def test_every_form_that_changes_a_data_set_says_what_its_page_shows(client, pets, ids):
    client.post(f"/datasets/{pets}/edits", data={"kind": "exclude", "files": ids["cat/0.png"]})
    pages = (f"/datasets/{pets}", f"/datasets/{pets}/photos?label=cat", f"/datasets/{pets}/photos/{ids['cat/0.png']}")
    n_forms = 0
    for page in pages:
        for form in re.findall(r"<form.*?</form>", client.get(page).text, re.DOTALL):
            action = re.search(r'action="([^"]*)"', form)[1]
            if re.search(r"/(edits|fix|settle|undo)$|/photos/\d+$", action) and 'method="post"' in form:
                assert 'name="seen"' in form, form
                n_forms += 1
    assert n_forms >= 4
