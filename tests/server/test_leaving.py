"""Taking everything along, and closing an account."""

import io
import zipfile

import pytest

from automl.records import Role, RunState
from automl.store.shares import share
from automl.store.tables import Account, Dataset
from tests.automl.images.pictures import two_classes
from tests.server.people import PASSWORD, add_person, browser, signed_in


@pytest.fixture
def ann(world) -> str:
    add_person(world, "boss", Role.ADMINISTRATOR)
    return add_person(world, "ann")


def own(world, dataset_id: str, owner_id: str) -> str:
    with world.database.session() as session:
        session.get(Dataset, dataset_id).owner_id = owner_id
    return dataset_id


def test_everything_is_the_photos_and_models_that_are_hers_and_nothing_else(world, ann):
    files = two_classes(2)
    dataset_id = own(world, world.add_checked(files), ann)
    run_id = world.add_run(RunState.DONE, dataset_id)
    world.add_artifact(run_id, "bundle", b"a model", "model.zip", "application/zip")
    own(world, world.add_checked({"secret/1.png": b"no picture"}), add_person(world, "bob"))
    answer = signed_in(world, "ann").get("/account/everything.zip")
    with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
        assert archive.testzip() is None
        names = archive.namelist()
        assert archive.read(f"001-pets/models/{run_id}/model.zip") == b"a model"
        photos = [name for name in names if name.startswith("001-pets/photos/") and name.endswith(".png")]
        assert sorted(archive.read(name) for name in photos) == sorted(files.values())
    assert not any("secret" in name or name.startswith("002") for name in names)


def test_closing_asks_says_what_goes_and_needs_the_password(world, ann):
    own(world, world.add_dataset(n_files=4), ann)
    client = signed_in(world, "ann")
    page = " ".join(client.get("/account/close").text.split())
    assert "deletes one data set with 4 photos" in page
    refused = client.post("/account/close", data={"present": "wrong"})
    assert refused.status_code == 400
    assert client.get("/account").status_code == 200


def test_a_closed_account_leaves_nothing_of_hers_and_nothing_of_who_she_was(world, ann):
    bob = add_person(world, "bob")
    mine, his = own(world, world.add_dataset(), ann), own(world, world.add_dataset(), bob)
    going_on = world.add_run(RunState.SEARCHING, mine)
    elsewhere = world.add_run(RunState.QUEUED, his, started_by_id=ann)
    not_hers = world.add_run(RunState.SEARCHING, his, started_by_id=bob, notify_email="ann@example.org")
    with world.database.session() as session:
        share(session, session.get(Dataset, his), "ann@example.org", may_change=True)
    here, there = signed_in(world, "ann"), signed_in(world, "ann")
    assert here.post("/account/close", data={"present": PASSWORD}).location == "/sign-in"
    assert here.get("/datasets").status_code == there.get("/datasets").status_code == 303
    assert world.run(going_on).cancel_requested
    assert world.run(elsewhere).state is RunState.CANCELLED
    assert (world.run(not_hers).notify_email, world.run(not_hers).cancel_requested) == ("", False)
    with world.database.session() as session:
        gone, kept = session.get(Dataset, mine), session.get(Dataset, his)
        assert gone.removal_at is not None and kept.deleted_at is None
        account = session.get(Account, ann)
        assert (account.name, account.password_hash) == ("", "")
        assert "ann" not in account.email
    again = browser(world).post("/sign-in", data={"email": "ann@example.org", "password": PASSWORD})
    assert again.status_code == 403
    add_person(world, "ann")  # the address is free


def test_nobody_lets_a_closed_account_in_again(world, ann):
    signed_in(world, "ann").post("/account/close", data={"present": PASSWORD})
    boss = signed_in(world, "boss")
    for what in ("enable", "disable", "reset-link", "role"):
        assert boss.post(f"/people/{ann}/{what}", data={"role": "member"}).status_code == 404


def test_the_last_administrator_cannot_leave(world, ann):
    answer = signed_in(world, "boss").post("/account/close", data={"present": PASSWORD})
    assert answer.status_code == 409
    assert signed_in(world, "boss").get("/account").status_code == 200
