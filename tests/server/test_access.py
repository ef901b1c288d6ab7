"""Every address, opened by everybody: nobody sees or changes what the rules do not allow."""

import io
import re
import zipfile
from dataclasses import dataclass

import pytest
from PIL.ExifTags import IFD

from automl.records import LinkedPage, LinkPurpose, Role, RunState
from automl.store.accounts import find_by_email, set_role
from automl.store.links import make_link
from automl.store.one_time_links import make_link as make_one_time_link
from automl.store.shares import share
from automl.store.tables import Artifact, Dataset, Sorting
from server.access import RULES, Rule
from tests.automl.images.test_positions import opened, photo
from tests.server.conftest import World
from tests.server.people import add_person, browser, signed_in

_PEOPLE = ("stranger", "viewer", "other member", "looker", "editor", "owner", "administrator")

_ALLOWED = {
    Rule.EVERYBODY: set(_PEOPLE),
    Rule.BY_LINK: set(_PEOPLE),
    Rule.KNOWN: set(_PEOPLE) - {"stranger"},
    Rule.MEMBER: set(_PEOPLE) - {"stranger", "viewer"},
    Rule.SEES: {"viewer", "looker", "editor", "owner", "administrator"},
    Rule.CHANGES: {"editor", "owner", "administrator"},
    Rule.OWNS: {"owner", "administrator"},
    Rule.ADMINISTRATOR: {"administrator"},
}
"""Who gets past the rules. The viewer was given the right to change, which his role takes away again."""

_NOT_SEEN = {"other member"}
_REFUSED = {401, 403}


@dataclass(frozen=True)
class Scene:
    """A data set with all that may hang on it."""

    world: World
    values: dict[str, object]
    secrets: dict[str, str]
    """By the blueprint that it opens, the secret of a link."""

    def open(self, client, rule, method, **others):
        adapter = self.world.app.url_map.bind("localhost")
        values = {name: (self.values | self.secret_for(rule) | others)[name] for name in rule.arguments}
        return client.open(adapter.build(rule.endpoint, values, method=method), method=method)

    def secret_for(self, rule):
        """That of the kind of link which opens an address."""
        return {"secret": self.secrets[rule.endpoint.partition(".")[0]]} if "secret" in rule.arguments else {}


@pytest.fixture
def scene(world) -> Scene:
    add_person(world, "administrator", Role.ADMINISTRATOR)
    owner, _, _ = (add_person(world, name) for name in ("owner", "other", "looker"))
    add_person(world, "editor")
    add_person(world, "viewer", Role.VIEWER)
    dataset_id = world.add_dataset(owner_id=owner)
    run_id = world.add_run(RunState.DONE, dataset_id, started_by_id=owner)
    file_id = world.files(dataset_id)[0].id
    with world.database.session() as session:
        dataset = session.get(Dataset, dataset_id)
        for name, may_change in (("looker", False), ("editor", True), ("viewer", True)):
            share(session, dataset, f"{name}@example.org", may_change=may_change)
        artifact = Artifact(run_id=run_id, kind="plot", name="x.png", media_type="image/png", key="gone", n_bytes=1)
        sorting = Sorting(run_id=run_id, name="new ones", labels=["a"])
        session.add_all([artifact, sorting])
        session.flush()
        secrets = {
            blueprint: make_link(session, run_id, page, keep_s=600.0, shows_photos=True)
            for blueprint, page in (("shared_model", LinkedPage.MODEL), ("shared_result", LinkedPage.RESULT))
        }
        secrets["accounts"] = make_one_time_link(session, LinkPurpose.INVITATION)
        values: dict[str, object] = {
            "artifact_id": artifact.id,
            "sorting_id": sorting.id,
            "dataset_id": dataset_id,
            "run_id": run_id,
            "file_id": file_id,
            "account_id": owner,
            "digest": "0",
            "edit_id": 1,
            "filename": "app.css",
            "form": "png",
            "kind": "datasets",
            "link_id": "none",
            "name": "words",
            "photo_id": 1,
            "sign_in_id": "none",
            "token_id": "none",
            "thing_id": dataset_id,
        }
    return Scene(world, values, secrets)


def account_id_of(world, name) -> str:
    with world.database.session() as session:
        return find_by_email(session, f"{name}@example.org").id


def clients(world) -> dict[str, object]:
    names = {"other member": "other"}
    found = {person: signed_in(world, names.get(person, person)) for person in _PEOPLE if person != "stranger"}
    return {"stranger": browser(world), **found}


def is_let_in(answer) -> bool:
    """Past the rules, whatever then becomes of a request that brings nothing along."""
    is_sent_to_sign_in = answer.status_code == 303 and (answer.location or "").startswith("/sign-in")
    return answer.status_code not in _REFUSED and not is_sent_to_sign_in


def test_each_address_has_a_rule_and_each_rule_an_address(world):
    assert {rule.endpoint for rule in world.app.url_map.iter_rules()} == set(RULES)


def _addresses(app):
    for rule in app.url_map.iter_rules():
        for method in sorted(rule.methods - {"HEAD", "OPTIONS"}):
            yield rule, method


_ENDS_SOMETHING = {"accounts.sign_out", "accounts.end", "shares.end", "accounts.follow_link"}
"""What a walk cannot go past: it would sign people out, or take their rights."""


def test_nobody_gets_further_than_the_rules_say(scene):
    """With real sign-ins. A view that is not allowed is not even called, so what must not change stays as it is."""
    app, people = scene.world.app, clients(scene.world)
    called = []
    for endpoint in RULES:
        app.view_functions[endpoint] = lambda endpoint=endpoint, **_: called.append(endpoint) or "let in"
    wrong = []
    for rule, method in _addresses(app):
        if rule.endpoint in _ENDS_SOMETHING | {"accounts.sign_in"}:
            assert RULES[rule.endpoint] in (Rule.EVERYBODY, Rule.KNOWN, Rule.OWNS)
        allowed = _ALLOWED[RULES[rule.endpoint]]
        for person, client in people.items():
            called.clear()
            answer = scene.open(client, rule, method)
            if (bool(called), is_let_in(answer)) != (person in allowed,) * 2:
                is_about_it = RULES[rule.endpoint] in (Rule.SEES, Rule.CHANGES, Rule.OWNS)
                if is_about_it and person in _NOT_SEEN and answer.status_code == 404 and not called:
                    continue
                wrong.append((person, method, rule.rule, answer.status_code))
    assert wrong == []


def test_a_secret_opens_what_it_was_made_for_and_nothing_else(scene):
    """Each kind of link at each address of each other kind, and none at all: also for the owner and administrators."""
    app, people = scene.world.app, clients(scene.world)
    with scene.world.database.session() as session:
        others = {
            purpose: make_one_time_link(session, purpose, account_id=account_id)
            for purpose, account_id in ((LinkPurpose.SETUP, None), (LinkPurpose.PASSWORD, scene.values["account_id"]))
        }
    secrets = {**scene.secrets, **others, "nobody": "x" * 43}
    linked = [(rule, method) for rule, method in _addresses(app) if RULES[rule.endpoint] is Rule.BY_LINK]
    assert {rule.endpoint for rule, _ in linked} == {name for name, rule in RULES.items() if rule is Rule.BY_LINK}
    for endpoint in RULES:
        app.view_functions[endpoint] = lambda **_: "let in"
    opened = {
        (rule.endpoint, kind)
        for rule, method in linked
        for kind, secret in secrets.items()
        for person in ("stranger", "owner", "administrator")
        if scene.open(people[person], rule, method, secret=secret).status_code != 404
    }
    assert opened == {(rule.endpoint, rule.endpoint.partition(".")[0]) for rule, _ in linked}


def test_a_secret_of_a_page_is_no_link_that_works_once(scene):
    stranger = browser(scene.world)
    for kind in ("shared_model", "shared_result"):
        assert stranger.get(f"/once/{scene.secrets[kind]}").status_code == 404
    assert stranger.get(f"/once/{scene.secrets['accounts']}").status_code == 200


def test_what_somebody_may_not_see_is_not_told_from_what_is_not_there(scene):
    other = signed_in(scene.world, "other")
    for address in ("/datasets/{}", "/api/v1/datasets/{}", "/runs/{}", "/api/v1/runs/{}", "/api/v1/artifacts/{}"):
        kind = "artifact_id" if "artifacts" in address else "run_id" if "runs" in address else "dataset_id"
        his, none = (other.get(address.format(thing)) for thing in (scene.values[kind], "0" * 32))
        assert his.status_code == none.status_code == 404
        assert his.data == none.data


def test_lists_show_what_somebody_may_see(scene):
    world = scene.world
    world.add_dataset(name="of nobody")
    seen = {
        name: [row["name"] for row in signed_in(world, name).get("/api/v1/datasets").json["datasets"]]
        for name in ("owner", "editor", "looker", "viewer", "other", "administrator")
    }
    assert seen == {
        "owner": ["flowers"],
        "editor": ["flowers"],
        "looker": ["flowers"],
        "viewer": ["flowers"],
        "other": [],
        "administrator": ["of nobody", "flowers"],
    }
    for page in ("/", "/datasets"):
        assert "flowers" in signed_in(world, "looker").get(page).text
        assert "of nobody" not in signed_in(world, "looker").get(page).text
        assert "flowers</a>" not in signed_in(world, "other").get(page).text


def shown_owners(client, page) -> list[str]:
    return re.findall('class="owner">([^<]*)<', client.get(page).text)


def test_lists_say_whose_things_are_that_are_not_ones_own(scene):
    world, dataset_id = scene.world, scene.values["dataset_id"]
    world.add_dataset(name="of nobody")
    owner, looker, administrator = (signed_in(world, name) for name in ("owner", "looker", "administrator"))
    own = world.add_dataset(name="roses", owner_id=account_id_of(world, "administrator"))
    for page in ("/", "/datasets"):
        assert shown_owners(administrator, page) == shown_owners(looker, page) == ["Owner"]
        assert shown_owners(owner, page) == []
    empty = world.add_dataset(name="new", owner_id=scene.values["account_id"])
    assert shown_owners(administrator, "/") == ["Owner", "Owner"]
    for deleted in (dataset_id, empty, own):
        administrator.delete(f"/api/v1/datasets/{deleted}")
    assert shown_owners(administrator, "/bin") == ["Owner", "Owner"]
    assert "What belongs to others goes, too: Owner." in administrator.get("/bin/empty").text
    assert shown_owners(owner, "/bin") == [] and "of-others" not in owner.get("/bin/empty").text


def test_the_bin_is_that_of_whoever_opens_it(scene):
    world, dataset_id = scene.world, scene.values["dataset_id"]
    owner, editor, other = (signed_in(world, name) for name in ("owner", "editor", "other"))
    assert owner.delete(f"/api/v1/datasets/{dataset_id}").status_code == 204
    assert len(owner.get("/api/v1/bin").json["entries"]) == 1
    assert other.get("/api/v1/bin").json["entries"] == editor.get("/api/v1/bin").json["entries"] == []
    other.delete("/api/v1/bin")
    assert "flowers" not in other.get(f"/datasets?deleted=datasets+{dataset_id}").text
    assert owner.post(f"/api/v1/datasets/{dataset_id}/restore").status_code == 200


def test_who_may_only_look_by_now_cannot_empty_the_bin_of_before(scene):
    world, owner = scene.world, signed_in(scene.world, "owner")
    owner.delete(f"/api/v1/datasets/{scene.values['dataset_id']}")
    with world.database.session() as session:
        set_role(session, find_by_email(session, "owner@example.org"), Role.VIEWER)
    assert owner.get("/api/v1/bin").json["entries"] == []
    owner.delete("/api/v1/bin")
    assert len(signed_in(world, "administrator").get("/api/v1/bin").json["entries"]) == 1


def test_a_run_cannot_be_started_on_somebody_elses_photos_by_naming_them(scene):
    world, body = scene.world, {"dataset": scene.values["dataset_id"]}
    statuses = {
        name: signed_in(world, name).post("/api/v1/runs", json=body).status_code
        for name in ("other", "looker", "viewer", "editor")
    }
    assert statuses == {"other": 404, "looker": 403, "viewer": 403, "editor": 202}


def test_the_page_offers_what_may_be_done(scene):
    address = f"/datasets/{scene.values['dataset_id']}"
    owner, editor, looker = (signed_in(scene.world, name).get(address).text for name in ("owner", "editor", "looker"))
    assert "Who can see these photos" in owner and "editor@example.org" in owner
    assert "Who can see" not in editor and "delete-dataset" not in editor and "start-run" in editor
    assert "start-run" not in looker and "Add more photos" not in looker


def test_sharing_and_taking_out(scene):
    world, dataset_id = scene.world, scene.values["dataset_id"]
    owner, other = signed_in(world, "owner"), signed_in(world, "other")
    address = f"/datasets/{dataset_id}/shares"
    assert owner.post(address, data={"email": "nobody@example.org"}).status_code == 400
    assert owner.post(address, data={"email": "owner@example.org"}).status_code == 400
    assert owner.post(address, data={"email": "Other@example.org"}).status_code == 303
    assert other.get(f"/datasets/{dataset_id}").status_code == 200
    assert other.post(f"/datasets/{dataset_id}/rename", data={"name": "mine"}).status_code == 403
    owner.post(address, data={"email": "other@example.org", "may_change": "yes"})
    assert other.post(f"/datasets/{dataset_id}/rename", data={"name": "ours"}).status_code == 303
    with world.database.session() as session:
        other_id = find_by_email(session, "other@example.org").id
    run_id = world.add_run(RunState.SEARCHING, dataset_id, notify_email="other@example.org")
    asked_by_owner = world.add_run(RunState.SEARCHING, dataset_id, notify_email="owner@example.org")
    for _ in range(2):
        assert owner.post(f"{address}/{other_id}/end").status_code == 303
    assert other.get(f"/datasets/{dataset_id}").status_code == 404
    assert (world.run(run_id).notify_email, world.run(asked_by_owner).notify_email) == ("", "owner@example.org")


def test_only_the_owner_gets_the_place_where_a_photo_was_taken(world):
    add_person(world, "administrator", Role.ADMINISTRATOR)
    owner_id = add_person(world, "owner")
    add_person(world, "looker")
    files = {f"{kind}/{i}.jpg": photo("JPEG") for kind in ("cat", "dog") for i in range(3)}
    dataset_id = world.add_checked(files)
    with world.database.session() as session:
        dataset = session.get(Dataset, dataset_id)
        dataset.owner_id = owner_id
        share(session, dataset, "looker@example.org", may_change=True)
    with_place = {}
    for name in ("owner", "looker"):
        answer = signed_in(world, name).get(f"/api/v1/datasets/{dataset_id}/photos.zip")
        with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
            photos = [archive.read(one) for one in archive.namelist() if one.endswith(".jpg")]
        with_place[name] = {bool(opened(one).getexif().get_ifd(IFD.GPSInfo)) for one in photos}
        assert len(photos) == 6
    assert with_place == {"owner": {True}, "looker": {False}}


def test_what_somebody_makes_is_his(scene):
    world = scene.world
    editor = signed_in(world, "editor")
    made = editor.post("/api/v1/datasets", json={"name": "mine"}).json["id"]
    run = editor.post("/api/v1/runs", json={"dataset": scene.values["dataset_id"]}).json["id"]
    with world.database.session() as session:
        editor_id = find_by_email(session, "editor@example.org").id
    assert world.dataset(made).owner_id == editor_id
    assert world.run(run).started_by_id == editor_id
    assert signed_in(world, "owner").get(f"/datasets/{made}").status_code == 404
