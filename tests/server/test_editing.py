"""The pages and the API that look into a checked data set and change it."""

import re

import pytest
from PIL import Image
from sqlalchemy import event

from automl.records import DatasetState, RunState
from automl.store.database import find_dataset
from automl.store.tables import now
from server.views import dataset as dataset_view
from tests.automl.images.pictures import encoded, picture, two_classes


@pytest.fixture
def pets(world):
    return world.add_checked(two_classes(12))


def labels(client, dataset_id):
    return {row["label"]: row["n_images"] for row in record(client, dataset_id)["summary"]["classes"]}


def record(client, dataset_id):
    return client.get(f"/api/v1/datasets/{dataset_id}").json


def edit(client, dataset_id, kind, **values):
    values = {name.rstrip("_"): value for name, value in values.items()}
    return client.post(f"/api/v1/datasets/{dataset_id}/edits", json={"kind": kind, "values": values})


def text_of(page):
    return " ".join(re.sub(r"<[^>]*>", " ", page).split())


def test_the_page_previews_each_class_and_says_where_its_photos_go(client, pets):
    page = client.get(f"/datasets/{pets}").text
    assert "24 photos, 2 classes, balanced, ready" in page
    assert page.count('width="72"') == 16
    assert 'loading="lazy"' in page
    assert "Every photo teaches, and every photo is tested" in page
    assert not re.search(r'<th scope="col" class="number">(Learn|Test)</th>', page)
    assert 'data-drop-class="cat"' in page
    assert "One folder for each class" in page
    assert "All photos have 24 × 16 pixels." in page


def test_a_thumbnail_is_a_small_jpeg_of_its_own_data_set(client, world, pets):
    number = world.file_ids(pets)["cat/0.png"]
    with client.get(f"/datasets/{pets}/thumbnails/{number}") as answer:
        assert (answer.status_code, answer.mimetype, answer.data[:3]) == (200, "image/jpeg", b"\xff\xd8\xff")
    assert client.get(f"/datasets/{world.add_dataset()}/thumbnails/{number}").status_code == 404
    assert client.get(f"/datasets/{pets}/thumbnails/999999").status_code == 404


def test_all_photos_of_a_class_are_shown_page_by_page(client, pets, monkeypatch):
    monkeypatch.setattr(dataset_view, "N_ON_A_PAGE", 7)
    dataset_id = pets
    first = client.get(f"/datasets/{dataset_id}/photos?label=cat").text
    second = client.get(f"/datasets/{dataset_id}/photos?label=cat&page=2").text
    assert (first.count('name="files" value='), second.count('name="files" value=')) == (7, 5)
    assert "Page 1 of 2" in first
    beyond = client.get(f"/datasets/{dataset_id}/photos?label=cat&page=9").text
    assert "Page 2 of 2" in beyond and beyond.count('name="files" value=') == 5
    assert client.get(f"/datasets/{dataset_id}/photos?label=cow").status_code == 404


def test_the_photos_of_a_class_are_neither_counted_nor_read_whole(client, world, pets):
    asked = []
    event.listen(world.database.engine, "before_cursor_execute", lambda _c, _u, statement, *_: asked.append(statement))
    assert "12 photos" in client.get(f"/datasets/{pets}/photos?label=cat").text
    (of_files,) = [statement for statement in asked if "FROM dataset_files" in statement]
    assert "count(" not in of_files and "dataset_files.key" not in of_files


def test_what_is_not_used_is_shown_by_name_page_by_page(client, world, pets, monkeypatch):
    monkeypatch.setattr(dataset_view, "N_ON_A_PAGE", 2)
    ids = world.file_ids(pets)
    edit(client, pets, "exclude", files=[ids[name] for name in ("dog/0.png", "cat/1.png", "cat/0.png")])
    first, second = (client.get(f"/datasets/{pets}/photos?page={page}").text for page in (1, 5))
    assert re.findall(r'name="files" value="(\d+)"', first) == [str(ids["cat/0.png"]), str(ids["cat/1.png"])]
    assert re.findall(r'name="files" value="(\d+)"', second) == [str(ids["dog/0.png"])]
    assert "3 files" in first and "Page 2 of 2" in second
    assert re.search(r'file-name">0.png<br>\w', second)  # with its reason


def test_renaming_to_a_class_that_is_there_joins_them_and_can_be_undone(client, pets):
    answer = edit(client, pets, "rename", from_="cat", to="bird").json
    assert answer["summary"]["classes"][0]["label"] == "bird"
    edit(client, pets, "rename", from_="dog", to="bird")
    assert record(client, pets)["state"] == DatasetState.INVALID
    for number in [one["id"] for one in record(client, pets)["edits"]]:
        assert client.post(f"/api/v1/datasets/{pets}/edits/{number}/undo").status_code == 200
    assert labels(client, pets) == {"cat": 12, "dog": 12}
    assert client.post(f"/api/v1/datasets/{pets}/edits/{number}/undo").status_code == 404


def test_photos_are_left_out_and_moved_by_the_form_of_their_class(client, world, pets):
    ids = world.file_ids(pets)
    form = {"kind": "exclude", "files": [ids["cat/0.png"], ids["cat/1.png"]], "to": "", "shown": "cat"}
    answer = client.post(f"/datasets/{pets}/edits", data=form)
    assert (answer.status_code, answer.location) == (303, f"/datasets/{pets}/photos?label=cat")
    client.post(f"/datasets/{pets}/edits", data={"kind": "move", "files": [ids["cat/2.png"]], "to": "dog"})
    assert labels(client, pets) == {"cat": 9, "dog": 13}
    page = client.get(f"/datasets/{pets}").text
    assert "Left out 2 photos" in page
    assert "You left out 2 photos." in page
    assert "Left out 2 photos." in client.get(f"/datasets/{pets}/photos").text


def test_a_finding_is_mended_with_one_click_and_the_click_undone(client, world):
    photo = encoded(picture(size=(80, 60)))
    dataset_id = world.add_checked(two_classes(12) | {"cat/a.png": photo, "cat/b.png": photo})
    page = client.get(f"/datasets/{dataset_id}").text
    kind = re.search(r'name="finding" value="(duplicates-\w+)"', page).group(1)
    client.post(f"/datasets/{dataset_id}/fix", data={"finding": kind})
    page = client.get(f"/datasets/{dataset_id}").text
    assert "finding-duplicates" not in page
    assert labels(client, dataset_id) == {"cat": 13, "dog": 12}
    number = re.search(r'name="edit" value="(\d+)"', page).group(1)
    client.post(f"/datasets/{dataset_id}/undo", data={"edit": number})
    assert labels(client, dataset_id) == {"cat": 14, "dog": 12}
    assert client.post(f"/datasets/{dataset_id}/fix", data={"finding": "nothing"}).status_code == 404


def test_what_is_harmless_is_mended_in_one_step_that_can_be_undone(client, world):
    copied, blank = encoded(picture(size=(80, 60))), encoded(Image.new("RGB", (80, 60), "navy"))
    files = two_classes(12) | {"cat/a.png": copied, "cat/b.png": copied, "dog/blank.png": blank}
    dataset_id = world.add_checked(files)
    assert 'id="fix-harmless"' in client.get(f"/datasets/{dataset_id}").text
    client.post(f"/datasets/{dataset_id}/fix", data={"finding": "harmless"})
    assert labels(client, dataset_id) == {"cat": 13, "dog": 12}
    page = client.get(f"/datasets/{dataset_id}").text
    assert "Left out 2 exact copies and photos that show nothing" in page and 'id="fix-harmless"' not in page
    assert client.post(f"/datasets/{dataset_id}/fix", data={"finding": "harmless"}).status_code == 404
    number = re.search(r'name="edit" value="(\d+)"', page).group(1)
    client.post(f"/datasets/{dataset_id}/undo", data={"edit": number})
    assert labels(client, dataset_id) == {"cat": 14, "dog": 13}


def test_a_run_keeps_its_version_and_an_edit_makes_the_next_one(client, world, pets):
    run_id = client.post("/api/v1/runs", json={"dataset": pets, "budget": "1m"}).json["id"]
    assert client.get(f"/api/v1/runs/{run_id}").json["version"] == 1
    edit(client, pets, "exclude", files=[world.file_ids(pets)["cat/0.png"]])
    assert record(client, pets)["version"] == 2
    assert client.get(f"/api/v1/runs/{run_id}").json["version"] == 1
    page = client.get(f"/datasets/{pets}").text
    assert "Version 2" in page and "with version 1" in page


def test_nothing_is_edited_before_the_check(client, world):
    dataset_id = world.add_dataset(DatasetState.CHECKING)
    answer = edit(client, dataset_id, "rename", from_="a", to="b")
    assert (answer.status_code, answer.json["error"]["code"]) == (409, "not_allowed_now")
    assert edit(client, "0" * 32, "rename", from_="a", to="b").status_code == 404


@pytest.mark.parametrize(
    "body", [{"kind": "explode"}, {"kind": "exclude", "values": {"files": ["x"]}}, {"kind": "move", "values": []}, {}]
)
def test_a_bad_edit_changes_nothing_and_says_why(client, pets, body):
    assert client.post(f"/api/v1/datasets/{pets}/edits", json=body).status_code == 400
    assert record(client, pets)["edits"] == []


def test_deleting_hides_the_data_set_and_its_runs(client, world, pets):
    run_id = world.add_run(RunState.DONE, pets)
    assert client.post(f"/bin/datasets/{pets}/delete").location == f"/datasets?deleted=datasets+{pets}"
    assert world.queue.sent == []  # it waits in the bin
    for address in (f"/datasets/{pets}", f"/runs/{run_id}", f"/api/v1/datasets/{pets}"):
        assert client.get(address).status_code == 404
    assert pets not in client.get("/datasets").text + client.get("/").text
    assert client.get("/api/v1/datasets").json == {"datasets": [], "page": 1}


def test_a_data_set_in_use_cannot_be_deleted(client, world, pets):
    world.add_run(RunState.SEARCHING, pets)
    assert client.delete(f"/api/v1/datasets/{pets}").status_code == 409
    with world.database.session() as session:
        assert find_dataset(session, pets).deleted_at is None


def test_deletion_needs_no_queue(client, world, pets):
    world.queue.away = True
    assert client.delete(f"/api/v1/datasets/{pets}?now=yes").status_code == 204


def test_all_data_sets_are_listed(client, world, pets):
    world.add_dataset(name="other")
    page = client.get("/datasets").text
    assert "pets" in page and "other" in page and "version 1" in page
    client.post(f"/datasets/{pets}/rename", data={"name": "my pets"})
    assert "my pets" in client.get("/datasets").text


def test_the_api_lists_what_became_of_each_file(client, world):
    dataset_id = world.add_checked(two_classes(3) | {"cat/x.txt": b"hello"})
    files = client.get(f"/api/v1/datasets/{dataset_id}/files?state=refused").json["files"]
    assert [(file["name"], file["state"]) for file in files] == [("cat/x.txt", "refused")]
    assert len(client.get(f"/api/v1/datasets/{dataset_id}/files?label=dog").json["files"]) == 3
    assert client.get(f"/api/v1/datasets/{dataset_id}/files?state=lost").status_code == 400


def test_the_way_of_reading_the_names_can_be_changed(client, world):
    names = [f"{part}/{kind}_{n}.png" for part in ("a", "b") for kind in ("cat", "dog") for n in range(6)]
    dataset_id = world.add_checked({name: encoded(n) for n, name in enumerate(names)})
    assert set(labels(client, dataset_id)) == {"a", "b"}
    page = client.get(f"/datasets/{dataset_id}").text
    assert 'name="reading" value="names"' in page
    client.post(f"/datasets/{dataset_id}/edits", data={"kind": "layout", "reading": "names"})
    assert labels(client, dataset_id) == {"cat": 12, "dog": 12}


def test_another_reading_is_offered_where_nothing_could_be_read(client, world):
    names = [f"images_00{lot}/images/{n}.png" for lot in (1, 2) for n in range(6)]
    dataset_id = world.add_checked({name: encoded(n) for n, name in enumerate(names)})
    assert labels(client, dataset_id) == {}
    assert 'name="reading" value="parent"' in client.get(f"/datasets/{dataset_id}").text
    client.post(f"/datasets/{dataset_id}/edits", data={"kind": "layout", "reading": "parent"})
    assert labels(client, dataset_id) == {"images_001": 6, "images_002": 6}


def test_of_two_findings_of_a_kind_the_one_that_was_clicked_is_mended(client, world):
    names = [f"{label}/{n}.png" for label in ("rose", "Roses", "tulip", "tulips") for n in range(3)]
    dataset_id = world.add_checked({name: encoded(number) for number, name in enumerate(names)})
    findings = [one for one in record(client, dataset_id)["summary"]["findings"] if one["kind"] == "spelling"]
    assert len(findings) == 2
    assert client.post(f"/api/v1/datasets/{dataset_id}/fix", json={"finding": "spelling"}).status_code == 404
    last = findings[-1]
    assert client.post(f"/api/v1/datasets/{dataset_id}/fix", json={"finding": last["key"]}).status_code == 200
    left = [one for one in record(client, dataset_id)["summary"]["findings"] if one["kind"] == "spelling"]
    assert [one["title"] for one in left] == [findings[0]["title"]]


def test_findings_of_one_kind_stand_in_one_entry_with_the_number_of_all(client, world):
    names = [f"{label}/{n}.png" for label in ("rose", "Roses", "tulip", "tulips") for n in range(3)]
    files = {name: encoded(number) for number, name in enumerate(names)}
    files |= {"rose/a.jpg": b"", "rose/b.jpg": b"", "tulip/c.pdf": b"%PDF-1.4 words"}
    page = text_of(client.get(f"/datasets/{world.add_checked(files)}").text)
    assert page.count("class names are nearly the same") == 1
    assert "2 pairs of class names are nearly the same" in page
    assert page.count("Their names are nearly the same") == 1
    assert "3 files cannot be used" in page and "2 files cannot be used. " in page


@pytest.fixture
def contradicted(world):
    """One picture as a cat and as a dog."""
    files = two_classes(12)
    return world.add_checked({**files, "dog/again.png": files["cat/0.png"]})


def test_a_photo_in_two_classes_is_settled_on_the_spot_and_that_is_undone(client, world, contradicted):
    page = client.get(f"/datasets/{contradicted}").text
    forms = re.findall(r'name="file" value="(\d+)">\s*<input type="hidden" name="to" value="(\w+)"', page)
    assert [to for _, to in forms] == ["cat", "dog"]
    answer = client.post(f"/datasets/{contradicted}/settle", data={"file": forms[0][0], "to": "cat"})
    assert answer.location == f"/datasets/{contradicted}#findings"
    assert labels(client, contradicted) == {"cat": 13, "dog": 12}
    page = client.get(f"/datasets/{contradicted}").text
    assert "Which class is right?" not in page
    assert "✓ Moved 1 photo to &#39;cat&#39;." in page  # beside what is left to look at
    client.post(f"/datasets/{contradicted}/undo", data={"edit": re.search(r'name="edit" value="(\d+)"', page)[1]})
    assert labels(client, contradicted) == {"cat": 11, "dog": 12}


def test_what_contradicts_nothing_cannot_be_settled(client, world, contradicted):
    ids = world.file_ids(contradicted)
    for file, to, status in ((ids["cat/5.png"], "dog", 404), (0, "dog", 404), (ids["cat/0.png"], "a/b", 400)):
        assert client.post(f"/datasets/{contradicted}/settle", data={"file": file, "to": to}).status_code == status
    assert labels(client, contradicted) == {"cat": 11, "dog": 12}


def test_photos_are_kept_for_the_test_by_hand(client, world, pets):
    ids = world.file_ids(pets)
    chosen = [ids["cat/0.png"], ids["dog/0.png"]]
    client.post(f"/datasets/{pets}/edits", data={"kind": "part", "part": "test", "files": chosen, "to": ""})
    split = record(client, pets)["summary"]["split"]
    assert (split["n_test"], split["n_learn"]) == (2, 22)


def test_a_doubted_label_shows_what_the_photo_looks_like_and_moves_it(client, world, pets):
    with world.database.session() as session:
        digest = next(file.sha256 for file in find_dataset(session, pets).files if file.name == "cat/0.png")
    doubt = {"name": "cat/0.png", "sha256": digest, "label": "cat", "suggested": "dog", "confidence": 0.9}
    world.add_run(RunState.DONE, pets, result={"suspects": [doubt]}, finished_at=now())
    edit(client, pets, "rename", from_="nothing", to="else")
    page = client.get(f"/datasets/{pets}").text
    assert "cat, looks like dog (90\xa0%)" in page
    number = world.file_ids(pets)["cat/0.png"]
    client.post(f"/datasets/{pets}/edits", data={"kind": "move", "files": number, "to": "dog"})
    assert "looks like" not in client.get(f"/datasets/{pets}").text


def test_a_doubted_label_that_is_right_is_not_doubted_again_until_that_is_undone_or_the_photo_moved(
    client, world, pets
):
    with world.database.session() as session:
        digest = next(file.sha256 for file in find_dataset(session, pets).files if file.name == "cat/0.png")
    doubt = {"name": "cat/0.png", "sha256": digest, "label": "cat", "suggested": "dog", "confidence": 0.9}
    run_id = world.add_run(RunState.DONE, pets, result={"suspects": [doubt]}, finished_at=now())
    edit(client, pets, "rename", from_="nothing", to="else")
    assert "My label is right" in client.get(f"/datasets/{pets}").text
    answer = client.post(f"/runs/{run_id}/confirmed", data={"file": world.file_ids(pets)["cat/0.png"]})
    assert (answer.status_code, answer.location) == (303, f"/runs/{run_id}/doubts#suspects")
    page = client.get(f"/datasets/{pets}").text
    assert "looks like" not in page and "Said that the label of 1 photo is right" in page
    assert record(client, pets)["version"] == 1  # no photo has changed
    number = re.search(r'name="edit" value="(\d+)"', page).group(1)
    client.post(f"/datasets/{pets}/undo", data={"edit": number})
    assert "looks like" in client.get(f"/datasets/{pets}").text
    assert client.post(f"/runs/{run_id}/confirmed", data={"file": 10**9}).status_code == 404


def test_the_last_photo_of_a_class_leads_back_to_the_data_set(client, world, pets):
    cats = [number for name, number in world.file_ids(pets).items() if name.startswith("cat/")]
    form = {"kind": "move", "files": cats, "to": "dog", "shown": "cat", "page": "1"}
    assert client.post(f"/datasets/{pets}/edits", data=form).location == f"/datasets/{pets}"


@pytest.mark.parametrize("number", ["99999999999999999999999", "-1", "x", "0"])
def test_numbers_beyond_all_rows_are_no_server_errors(client, pets, number):
    assert client.get(f"/datasets/{pets}/photos?page={number}").status_code == 200
    assert client.get(f"/api/v1/datasets/{pets}/files?page={number}").status_code == 200
    assert client.get(f"/datasets/{pets}/thumbnails/{number}").status_code == 404
    assert client.post(f"/api/v1/datasets/{pets}/edits/{number}/undo").status_code in (404, 405)


def test_nothing_of_a_deleted_data_set_is_served(client, world, pets):
    number = world.file_ids(pets)["cat/0.png"]
    client.delete(f"/api/v1/datasets/{pets}")
    assert client.get(f"/datasets/{pets}/thumbnails/{number}").status_code == 404


def test_another_column_of_a_table_is_offered_and_taken(world, client):
    photos = {f"{n}.png": picture for n, picture in enumerate(two_classes(12).values())}
    rows = "".join(f"{n}.png,{'ab'[n % 2]},{'xyz'[n % 3]}\n" for n in range(24))
    dataset_id = world.add_checked({**photos, "labels.csv": f"file,colour,shape\n{rows}".encode()})
    page = " ".join(client.get(f"/datasets/{dataset_id}").text.split())
    assert "labels.csv has another column that could be meant: &#39;shape&#39;." in page
    assert "The column &#39;shape&#39; of labels.csv says what each photo shows." in page
    assert '<input type="hidden" name="column" value="shape">' in page
    client.post(f"/datasets/{dataset_id}/edits", data={"kind": "layout", "reading": "table", "column": "shape"})
    assert labels(client, dataset_id) == {"x": 8, "y": 8, "z": 8}
    refused = edit(client, dataset_id, "layout", reading="table", column="x" * 2000)
    assert refused.json["error"]["message"] == "The name of a column is a text of at most 1,000 characters."
