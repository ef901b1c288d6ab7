"""Photos that a model has sorted: shown, corrected, downloaded, added to the data set, deleted."""

import csv
import io
import re
import zipfile
from datetime import timedelta
from xml.etree import ElementTree

import pytest

from automl.records import Decision, Origin
from automl.store.checks import check_dataset
from automl.store.tables import SortedPhoto, Sorting, now
from automl.task_names import CHECK_DATASET
from server.downloads.sorted_photos import as_text
from server.views import sorting as sorting_view
from tests.server.answered import add_answered
from tests.server.conftest import form_file
from tests.server.sorted_photos import FOLDER, photos, say, sort
from tests.server.trying import add_tried_run, noise, picture

RED, GREEN, BLUE = "0", "1", "2"


@pytest.fixture
def limits():
    return {"DARKROOM_MAX_FILES": "15"}


@pytest.fixture
def run_id(world):
    some = {f"{label}/{i}.png": noise(10 * n + i) for n, label in enumerate(("red", "green")) for i in range(6)}
    return add_tried_run(world, world.add_checked(some))


def shown(text):
    return re.findall(r'class="sorted-picture"[^>]*alt="([^"]*)"', text)


def test_the_doubtful_come_first_and_unreadable_files_are_a_filter_of_their_own(client, world, run_id):
    page = sort(client, run_id)
    text = client.get(page).text
    assert shown(text) == ["darker.png", "dark.png", "sure.png", "blue.png"]
    assert "has sorted 4 photos" in text and "It is not sure of 2: these come first." in text
    assert "cut.png" not in text
    assert "cut.png" in client.get(f"{page}?show=unread").text
    assert all(photo.decision is Decision.OPEN for photo in photos(world).values())


def test_nothing_is_kept_of_a_form_without_a_photo(client, world, run_id):
    response = client.post(f"/runs/{run_id}/sorted", data={"x": "y"}, content_type="multipart/form-data")
    assert response.status_code == 400
    with world.database.session() as session:
        assert session.query(Sorting).count() == 0


def test_the_same_photos_once_more_change_nothing(client, world, run_id):
    page = sort(client, run_id)
    n_files = len(world.stored_files())
    data = {"photos": [form_file(name, content) for name, content in FOLDER.items()]}
    assert client.post(f"{page}/photos", data=data).status_code == 303
    assert len(photos(world)) == 5
    assert len(world.stored_files()) == n_files


def test_what_a_person_says_is_remembered_and_can_be_filtered(client, world, run_id):
    page = sort(client, run_id)
    ids = {name: photo.id for name, photo in photos(world).items()}
    verdicts = {"dark.png": GREEN, "darker.png": "unsure", "sure.png": RED, "blue.png": "none"}
    assert say(client, page, **{f"_{ids[name]}": value for name, value in verdicts.items()}).status_code == 303
    assert shown(client.get(f"{page}?show=corrected").text) == ["darker.png", "dark.png", "blue.png"]
    assert shown(client.get(f"{page}?show=unsure").text) == ["darker.png"]
    assert shown(client.get(f"{page}?show=none").text) == ["blue.png"]
    assert shown(client.get(f"{page}?show=open").text) == []
    assert shown(client.get(f"{page}?label=green").text) == ["dark.png"]
    assert "You have looked at 4 of 4." in client.get(page).text


def test_a_class_that_the_model_does_not_know_is_refused(client, world, run_id):
    page = sort(client, run_id)
    some = photos(world)["dark.png"]
    for value in ("3", "-1", "x", "9" * 400):
        assert say(client, page, **{f"_{some.id}": value}).status_code == 409
    assert photos(world)["dark.png"].decision is Decision.OPEN


def test_photos_of_another_sorting_cannot_be_decided_about(client, world, run_id):
    page, other = sort(client, run_id), sort(client, run_id, {"other.png": picture((0, 255, 0))})
    number = photos(world)["other.png"].id
    say(client, page, **{f"_{number}": RED})
    assert photos(world)["other.png"].decision is Decision.OPEN
    assert client.get(f"{page}/thumbnails/{number}").status_code == 404
    with client.get(f"{other}/thumbnails/{number}") as response:
        assert response.mimetype == "image/jpeg"


def test_a_page_goes_on_to_the_next_one_and_the_unseen_ones_come_to_the_first(client, world, run_id, monkeypatch):
    monkeypatch.setattr(sorting_view, "N_ON_A_PAGE", 2)
    page = sort(client, run_id)
    assert shown(client.get(f"{page}?page=2").text) == ["sure.png", "blue.png"]
    first = {f"photo-{photos(world)[name].id}": RED for name in ("dark.png", "darker.png")}
    answer = client.post(f"{page}/verdicts", data={**first, "show": "all", "page": "1"})
    assert answer.headers["Location"] == f"{page}?show=all&page=2"
    some = {f"photo-{photos(world)['sure.png'].id}": RED}
    answer = client.post(f"{page}/verdicts", data={**some, "show": "open", "page": "1"})
    assert answer.headers["Location"] == f"{page}?show=open&page=1"
    assert shown(client.get(answer.headers["Location"]).text) == ["blue.png"]


def test_no_photo_of_a_class_is_passed_over_where_others_have_left_it(client, world, run_id, monkeypatch):
    monkeypatch.setattr(sorting_view, "N_ON_A_PAGE", 2)
    page = sort(client, run_id)
    (first, second), last = shown(client.get(f"{page}?label=red").text), "sure.png"
    corrected = {f"photo-{photos(world)[first].id}": GREEN, f"photo-{photos(world)[second].id}": RED}
    answer = client.post(f"{page}/verdicts", data={**corrected, "show": "all", "label": "red", "page": "1"})
    assert shown(client.get(answer.headers["Location"]).text) == [second, last]


def test_a_name_that_is_too_long_is_listed_once_and_the_others_are_sorted(client, world, run_id):
    page = sort(client, run_id, {"n" * 1001 + ".png": picture(), "a.png": picture()})
    client.post(f"{page}/photos", data={"photos": [form_file("n" * 1001 + ".png", picture())]})
    assert "longer than 1,000 characters" in client.get(f"{page}?show=unread").text
    assert len(photos(world)) == 2


def test_more_than_a_few_classes_are_a_list(client, run_id, monkeypatch):
    page = sort(client, run_id)
    assert 'type="radio" name="photo-' in client.get(page).text
    monkeypatch.setattr(sorting_view, "MOST_BUTTONS", 2)
    text = client.get(page).text
    assert 'type="radio" name="photo-' not in text
    assert text.count("<select") == 4


def rows_of_csv(client, page):
    return {row["photo"]: row for row in csv.DictReader(client.get(f"{page}/answers.csv").text.splitlines())}


def test_the_table_says_what_each_photo_is_and_whether_anybody_looked(client, world, run_id):
    page = sort(client, run_id)
    say(client, page, **{f"_{photos(world)['dark.png'].id}": GREEN})
    rows = rows_of_csv(client, page)
    places = {name: (row["sorted as"], row["looked at"], row["sure"]) for name, row in rows.items()}
    assert places == {
        "holiday/sure.png": ("red", "no", "yes"),
        "holiday/dark.png": ("green", "yes", "no"),
        "holiday/blue.png": ("blue", "no", "yes"),
        "holiday/darker.png": ("not sure", "no", "no"),
        "holiday/cut.png": ("", "", ""),
    }
    assert "damaged" in rows["holiday/cut.png"]["error"]
    shares = [float(rows["holiday/sure.png"][label]) for label in ("red", "green", "blue")]
    assert sum(shares) == pytest.approx(1, abs=1e-5) and shares[0] > 0.99


FORMULAS = ("=HYPERLINK(1).png", "+1.png", "-1.png", "@x.png")


def cells_of_xlsx(content):
    """The kind and the text of each cell of the first sheet."""
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        sheet = ElementTree.fromstring(book.read("xl/worksheets/sheet1.xml"))
    space = {"x": "http://schemas.openxmlformats.org/spreadsheetml/2006/main"}
    assert sheet.findall(".//x:f", space) == []
    return [(cell.get("t"), "".join(cell.itertext())) for cell in sheet.iterfind(".//x:c", space)]


def test_no_name_becomes_a_formula(client, run_id):
    page = sort(client, run_id, {name: picture(side=20 + i) for i, name in enumerate(FORMULAS)})
    assert set(rows_of_csv(client, page)) == {f"'{name}" for name in FORMULAS}
    with client.get(f"{page}/answers.xlsx") as response:
        cells = cells_of_xlsx(response.data)
        assert response.headers["Content-Disposition"] == "attachment; filename=answers.xlsx"
    assert {("inlineStr", name) for name in FORMULAS} <= set(cells)
    assert [as_text(text) for text in ("a=b", "", "\tx", "1-2")] == ["a=b", "", "'\tx", "1-2"]


def test_folders_are_downloaded_with_the_photos_as_they_were_sent(client, world, run_id):
    files = {**FOLDER, "sunday/SURE.PNG": picture(side=30), "con.png": picture(side=31), "a:b?.png": picture(side=32)}
    page = sort(client, run_id, files)
    say(client, page, **{f"_{photos(world)['dark.png'].id}": GREEN, f"_{photos(world)['blue.png'].id}": "none"})
    response = client.get(f"{page}/folders.zip")
    assert response.headers["Content-Disposition"].startswith("attachment")
    with zipfile.ZipFile(io.BytesIO(response.data)) as archive:
        assert archive.testzip() is None
        assert sorted(archive.namelist()) == sorted(
            [
                *("answers.csv", "answers.xlsx"),
                *("red/sure.png", "red/SURE (2).PNG", "red/_con.png", "red/a_b_.png"),
                *("green/dark.png", "not sure/darker.png", "none of these/blue.png"),
            ]
        )
        assert archive.read("red/SURE (2).PNG") == files["sunday/SURE.PNG"]


def test_without_a_word_only_photos_that_somebody_looked_at_are_added(client, world, run_id):
    dataset_id = world.run(run_id).dataset_id
    page = sort(client, run_id)
    say(client, page, **{f"_{photos(world)['dark.png'].id}": GREEN, f"_{photos(world)['darker.png'].id}": "unsure"})
    text = client.get(page).text
    assert "Only those I looked at: 1 photo" in text
    assert "Also those the model is sure of: 3 photos in all" in text
    answer = client.post(f"{page}/add", data={"which": "looked"})
    assert "added=1&there=0" in answer.headers["Location"]
    (added,) = [file for file in world.files(dataset_id) if file.origin is not Origin.UPLOADED]
    assert (added.name, added.given_label, added.origin) == ("holiday/dark.png", "green", Origin.CONFIRMED)
    assert world.queue.sent[-1] == (CHECK_DATASET, dataset_id)


def test_the_sure_ones_are_added_where_that_is_asked_for_and_the_version_notes_both(client, world, run_id):
    dataset_id = world.run(run_id).dataset_id
    page = sort(client, run_id)
    say(client, page, **{f"_{photos(world)['dark.png'].id}": GREEN, f"_{photos(world)['blue.png'].id}": "none"})
    client.post(f"{page}/add", data={"which": "sure"})
    check_dataset(world.database, world.store, dataset_id, settings=world.settings)
    labels = {file.name: (file.label, file.origin) for file in world.files(dataset_id) if "holiday" in file.name}
    assert labels == {
        "holiday/dark.png": ("green", Origin.CONFIRMED),
        "holiday/sure.png": ("red", Origin.UNSEEN),
    }
    text = client.get(f"/datasets/{dataset_id}").text
    assert "1 of them was sorted by a model, then confirmed by a person." in text
    assert "1 of them was sorted by a model that was sure, and nobody has looked at it." in text
    again = client.post(f"{page}/add", data={"which": "sure"})
    assert again.status_code == 409
    assert "say what they are" in again.text


def test_a_photo_that_the_data_set_has_already_is_not_added_again(client, world):
    content = picture((255, 0, 0), 40)
    some = {f"{label}/{i}.png": noise(10 * n + i) for n, label in enumerate(("red", "green")) for i in range(6)}
    run_id = add_tried_run(world, world.add_checked({**some, "red/known.png": content}))
    dataset_id = world.run(run_id).dataset_id
    page = sort(client, run_id, {"again.png": content})
    say(client, page, **{f"_{photos(world)['again.png'].id}": RED})
    n_sent = len(world.queue.sent)
    answer = client.post(f"{page}/add", data={"which": "looked"})
    assert "added=0&there=1" in answer.headers["Location"]
    assert len(world.files(dataset_id)) == 13
    assert len(world.queue.sent) == n_sent


def test_the_name_of_an_added_photo_says_nothing_about_its_class_or_its_part(client, world, run_id):
    dataset_id = world.run(run_id).dataset_id
    page = sort(client, run_id, {"test/red/x.png": picture((0, 255, 0))})
    say(client, page, **{f"_{photos(world)['x.png'].id}": GREEN})
    client.post(f"{page}/add", data={"which": "looked"})
    check_dataset(world.database, world.store, dataset_id, settings=world.settings)
    (added,) = [file for file in world.files(dataset_id) if file.name == "test/red/x.png"]
    assert (added.label, added.split) == ("green", None)  # where it goes is the rule's choice, as for every new photo


def test_a_class_that_was_renamed_keeps_its_photos_together(client, world, run_id):
    dataset_id = world.run(run_id).dataset_id
    client.post(f"/datasets/{dataset_id}/edits", data={"kind": "rename", "from": "green", "to": "lime"})
    page = sort(client, run_id, {"x.png": picture((0, 255, 0))})
    say(client, page, **{f"_{photos(world)['x.png'].id}": GREEN})
    client.post(f"{page}/add", data={"which": "looked"})
    check_dataset(world.database, world.store, dataset_id, settings=world.settings)
    assert [file.label for file in world.files(dataset_id) if file.name == "x.png"] == ["lime"]


def test_it_is_deleted_after_a_question_and_what_was_added_keeps_its_bytes(client, world, run_id):
    page = sort(client, run_id)
    say(client, page, **{f"_{photos(world)['dark.png'].id}": GREEN})
    client.post(f"{page}/add", data={"which": "looked"})
    assert "It cannot be undone" in client.get(f"{page}/delete").text
    assert client.post(f"{page}/delete").status_code == 303
    assert client.get(page).status_code == 404
    (kept,) = [file for file in world.files(world.run(run_id).dataset_id) if file.origin is Origin.CONFIRMED]
    left = [path for path in world.stored_files() if "sortings" in path.parts]
    assert [path.name for path in left] == [kept.key.rpartition("/")[2]]


def test_sorted_photos_count_in_the_limits(client, world, run_id):
    page = sort(client, run_id)
    many = {"photos": [form_file(f"{i}.png", picture(side=20 + i)) for i in range(11)]}
    answer = client.post(f"{page}/photos", data=many)
    assert answer.status_code == 413
    assert "may have sorted up to 15 photos at a time" in answer.text
    assert len(photos(world)) == 15  # those before are kept


def test_the_page_and_its_list_say_until_when_it_is_kept(client, world, run_id):
    page = sort(client, run_id)
    with world.database.session() as session:
        session.query(Sorting).one().changed_at = now() - timedelta(days=3)
    text = client.get(page).text
    assert "for\n    14 days after each change" in text
    assert f'href="{page}"' in client.get(f"/runs/{run_id}").text
    assert "5 photos" not in client.get(f"/runs/{run_id}/try").text  # what cannot be read is no photo
    assert "4 photos, 0 looked at" in client.get(f"/runs/{run_id}/try").text


def test_a_run_of_the_bin_hides_what_it_has_sorted(client, world, run_id):
    page = sort(client, run_id)
    assert "4 sorted photos that were not added to the others" in client.get(f"/bin/runs/{run_id}/delete").text
    client.post(f"/bin/runs/{run_id}/delete")
    for address in (page, f"{page}/answers.csv", f"{page}/folders.zip"):
        assert client.get(address).status_code == 404


def test_a_sorting_belongs_to_its_run(client, world, run_id):
    page = sort(client, run_id)
    other = add_answered(world, world.run(run_id).dataset_id, [])
    assert client.get(page.replace(run_id, other)).status_code == 404
    with world.database.session() as session:
        assert session.query(SortedPhoto).count() == 5


@pytest.mark.parametrize("limits", [{"DARKROOM_ACCOUNT_PHOTOS": "3"}])
def test_what_is_sorted_counts_for_the_account_whose_data_set_it_is(client, world, run_id):
    before = world.stored_files()
    files = {f"{n}.png": picture((n, 0, 0)) for n in range(5)}
    data = {"photos": [form_file(name, content) for name, content in files.items()]}
    answer = client.post(f"/runs/{run_id}/sorted", data=data)
    assert answer.status_code == 413 and "more photos than an account may have here (3)" in answer.text
    kept = [photo for photo in photos(world).values() if photo.key]
    assert len(kept) <= 3
    assert len(world.stored_files()) - len(before) == 2 * len(kept)  # each with its thumbnail
