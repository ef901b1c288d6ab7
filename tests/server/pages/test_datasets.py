"""The pages of a data set."""

import pytest

from automl.records import DatasetState, RunState
from automl.records.dataset_summary import read_summary
from automl.store.checks import check_dataset
from automl.store.tables import Dataset
from tests.automl.images.pictures import encoded, picture, two_classes
from tests.server.conftest import form_file

SUMMARY = {
    "n_images": 100,
    "n_refused": 120,
    "verdict": "100 photos, 2 classes, ready",
    "classes": [
        {"label": "rose", "n_images": 60, "train": 40, "validation": 10, "test": 10, "unassigned": 0},
        {"label": "tulip", "n_images": 40, "train": 30, "validation": 5, "test": 5, "unassigned": 0},
    ],
    "refused": [{"name": "notes <b>.txt", "reason": "This is not a picture."}],
    "notes": ["2 photos are copies of others."],
}


def upload(client, *files, path="/datasets", **fields):
    return client.post(path, data={**fields, "files": list(files)})


def test_the_plain_form_uploads_names_and_checks_in_one_request(client, world):
    answer = upload(client, form_file("flowers/a/1.jpg"), form_file("flowers/b/2.jpg", b"2"))
    ((task, dataset_id),) = world.queue.sent
    assert (answer.status_code, answer.location) == (303, f"/datasets/{dataset_id}")
    assert task == "darkroom.check_dataset"
    dataset = world.dataset(dataset_id)
    assert (dataset.name, dataset.state, len(world.files(dataset_id))) == ("flowers", DatasetState.CHECKING, 2)


def test_a_zip_gives_its_name(client, world):
    client.post("/datasets", data={"archive": form_file("My Flowers.ZIP")})
    assert world.dataset(world.queue.sent[0][1]).name == "My Flowers"


def test_several_folders_are_just_photos(client, world):
    upload(client, form_file("a/1.jpg"), form_file("b/1.jpg"))
    assert world.dataset(world.queue.sent[0][1]).name == "Photos"


def test_an_empty_form_is_explained_and_leaves_no_data_set(client):
    answer = client.post("/datasets", data={"name": "x"}, content_type="multipart/form-data")
    assert answer.status_code == 400
    assert "choose a folder" in answer.text
    assert "Uploaded, not trained yet" not in client.get("/").text


def test_files_that_arrived_are_kept_where_the_queue_is_away(client, world):
    world.queue.away = True
    assert upload(client, form_file("a/1.jpg")).status_code == 503
    page = client.get("/").text
    assert "Not checked yet" in page


def test_more_files_can_be_added_by_the_plain_form(client, world):
    dataset_id = world.add_dataset(DatasetState.INVALID)
    answer = upload(client, form_file("b/1.jpg"), path=f"/datasets/{dataset_id}/files")
    assert answer.status_code == 303
    assert world.dataset(dataset_id).state is DatasetState.CHECKING
    assert len(world.files(dataset_id)) == 5


def test_a_broken_upload_can_go_on_with_what_arrived(client, world):
    dataset_id = world.add_dataset(DatasetState.UPLOADING)
    assert "4 files have arrived" in client.get(f"/datasets/{dataset_id}").text
    client.post(f"/datasets/{dataset_id}/check")
    assert world.queue.sent == [("darkroom.check_dataset", dataset_id)]


def test_asking_twice_for_the_check_sends_it_once(client, world):
    dataset_id = world.add_dataset(DatasetState.UPLOADING)
    for _ in range(2):
        assert client.post(f"/datasets/{dataset_id}/check").status_code == 303
    assert len(world.queue.sent) == 1


def test_nothing_is_checked_where_nothing_arrived(client, world):
    dataset_id = world.add_dataset(DatasetState.UPLOADING, n_files=0)
    assert client.post(f"/datasets/{dataset_id}/check").status_code == 409


def test_a_check_that_cannot_be_queued_leaves_the_data_set_as_it_was(client, world):
    dataset_id = world.add_dataset(DatasetState.UPLOADING)
    world.queue.away = True
    assert client.post(f"/datasets/{dataset_id}/check").status_code == 503
    assert world.dataset(dataset_id).state is DatasetState.UPLOADING


def test_a_data_set_under_check_shows_how_far_it_is_and_refreshes_without_javascript(client, world):
    dataset_id = world.add_dataset(DatasetState.CHECKING, message="Looked at 3 of 9")
    page = client.get(f"/datasets/{dataset_id}").text
    assert "Looked at 3 of 9" in page
    assert '<noscript><meta http-equiv="refresh" content="3">' in page


def test_a_check_that_is_cancelled_leaves_the_photos_and_says_so(client, world):
    dataset_id = world.add_dataset(DatasetState.CHECKING, message="Looked at 3 of 9")
    before = len(world.files(dataset_id))
    assert f'action="/datasets/{dataset_id}/check/cancel"' in client.get(f"/datasets/{dataset_id}").text
    answer = client.post(f"/datasets/{dataset_id}/check/cancel", follow_redirects=True)
    assert "You cancelled the check. All photos are still here" in answer.text
    assert "check-now" in answer.text and "delete-dataset" in answer.text
    assert len(world.files(dataset_id)) == before > 0
    client.post(f"/datasets/{dataset_id}/check")
    assert (world.dataset(dataset_id).state, world.dataset(dataset_id).message) == (DatasetState.CHECKING, "")


def test_what_is_added_after_a_cancelled_check_is_simply_not_checked_yet(client, world):
    dataset_id = world.add_dataset(DatasetState.CHECKING)
    client.post(f"/datasets/{dataset_id}/check/cancel")
    client.post(f"/api/v1/datasets/{dataset_id}/files", data={"files": [form_file("a/1.jpg")]})
    assert "You cancelled the check" not in client.get(f"/datasets/{dataset_id}").text


def test_a_check_that_has_ended_cannot_be_cancelled_any_more(client, world):
    dataset_id = world.add_dataset(summary=SUMMARY)
    client.post(f"/datasets/{dataset_id}/check/cancel")
    assert world.dataset(dataset_id).state is DatasetState.READY


def test_a_check_that_a_run_waits_for_ends_with_the_run(client, world):
    dataset_id = world.add_dataset(DatasetState.CHECKING)
    world.add_run(RunState.PREPARING, dataset_id=dataset_id)
    assert "cancel the run" in client.get(f"/datasets/{dataset_id}").text
    answer = client.post(f"/datasets/{dataset_id}/check/cancel")
    assert answer.status_code == 409 and "Cancel that run" in answer.text
    assert world.dataset(dataset_id).state is DatasetState.CHECKING


def test_the_live_part_is_small_until_the_check_is_over(client, world):
    dataset_id = world.add_dataset(DatasetState.CHECKING, message="Looked at 3 of 9")
    answer = client.get(f"/datasets/{dataset_id}/live?seen=checking")
    assert "HX-Retarget" not in answer.headers
    assert len(answer.text) < 200


def test_the_live_part_redraws_everything_when_the_check_is_over(client, world):
    dataset_id = world.add_dataset(DatasetState.READY, summary=SUMMARY)
    answer = client.get(f"/datasets/{dataset_id}/live?seen=checking")
    assert answer.headers["HX-Retarget"] == "#dataset"
    assert "start-run" in answer.text
    assert "/live" not in answer.text


def test_a_ready_data_set_shows_verdict_counts_refusals_and_the_start_form(client, world):
    page = client.get(f"/datasets/{world.add_dataset(summary=SUMMARY)}").text
    assert "100 photos, 2 classes, ready" in page
    assert "120 files are not used" in page
    assert "notes &lt;b&gt;.txt" in page
    assert "2 photos are copies of others." in page
    assert "start-run" in page


def test_an_invalid_data_set_explains_and_takes_more_files(client, world):
    dataset_id = world.add_dataset(DatasetState.INVALID, message="Only one kind: rose.", summary=SUMMARY)
    page = client.get(f"/datasets/{dataset_id}").text
    assert "Only one kind: rose." in page
    assert "photo-form" in page
    assert "start-run" not in page


def test_an_invalid_data_set_leads_to_what_can_be_mended_with_a_click(client, world):
    photos = {f"{label}/{n}.png": encoded(40 * i + n) for i, label in enumerate("abc") for n in range(1 if i else 6)}
    address = f"/datasets/{world.add_checked(photos | {'d/1.png': encoded(900), 'd/2.png': encoded(901)})}"
    page = client.get(address).text
    assert "Needs attention" in page
    assert 'href="#findings"' in page and 'id="findings"' in page
    assert 'href="#findings"' not in client.get(f"/datasets/{world.add_dataset(DatasetState.INVALID)}").text


def test_files_may_be_added_but_nothing_deleted_while_a_run_uses_the_photos(client, world):
    dataset_id = world.add_dataset(summary=SUMMARY)
    world.add_run(RunState.SEARCHING, dataset_id)
    page = client.get(f"/datasets/{dataset_id}").text
    assert "photo-form" in page
    assert "delete-dataset" not in page


def test_start_queues_a_run_and_leads_to_its_page(client, world):
    dataset_id = world.add_dataset()
    answer = client.post(f"/datasets/{dataset_id}/runs", data={"budget": "10m", "seed": "3", "tuner": "optuna"})
    ((task, run_id),) = world.queue.sent
    assert (answer.location, task) == (f"/runs/{run_id}", "darkroom.train")
    run = world.run(run_id)
    assert (run.state, run.budget_s, run.settings.seed) == (RunState.QUEUED, 600.0, 3)


def test_start_refuses_a_bad_time_in_words(client, world):
    answer = client.post(f"/datasets/{world.add_dataset()}/runs", data={"budget": "other"})
    assert answer.status_code == 400
    assert "how many minutes" in answer.text


def test_start_refuses_an_invalid_data_set_with_its_message(client, world):
    dataset_id = world.add_dataset(DatasetState.INVALID, message="Only one kind: rose.")
    answer = client.post(f"/datasets/{dataset_id}/runs", data={"budget": "2m"})
    assert answer.status_code == 422
    assert "Only one kind: rose." in answer.text


def test_start_leaves_no_run_where_the_queue_is_away(client, world):
    world.queue.away = True
    assert client.post(f"/datasets/{world.add_dataset()}/runs", data={"budget": "2m"}).status_code == 503
    assert "Nothing here yet" in client.get("/").text


@pytest.mark.parametrize("path", ["check", "runs", "files"])
def test_a_data_set_that_is_not_there_is_404(client, path):
    answer = client.post(f"/datasets/nope/{path}", data={"files": [form_file("a/1.jpg")]})
    assert answer.status_code == 404


@pytest.mark.parametrize(("n_excluded", "is_offered"), [(0, False), (1, True)])
def test_only_what_was_left_out_can_be_taken_back(client, world, n_excluded, is_offered):
    summary = {**SUMMARY, "n_excluded": n_excluded}
    dataset_id = world.add_checked({"a/1.png": b"broken", "b/2.png": b"too"})
    with world.database.session() as session:
        session.get_one(Dataset, dataset_id).summary = read_summary(summary)
    page, unused = (client.get(f"/datasets/{dataset_id}{path}").text for path in ("", "/photos"))
    assert "See them all" in page
    assert ("and put some back" in page, "Put back what you" in unused) == (is_offered, is_offered)


SPLIT = {"classes": [{"label": "rose", "learn": 60}, {"label": "tulip", "learn": 40}], "n_learn": 100, "n_folds": 5}


@pytest.mark.parametrize("tests_every_photo", [True, False])
def test_where_every_photo_is_tested_none_is_kept_for_a_test(client, world, tests_every_photo):
    split = {**SPLIT, "tests_every_photo": tests_every_photo, "notes": ["Every photo has its turn."]}
    page = " ".join(client.get(f"/datasets/{world.add_dataset(summary={**SUMMARY, 'split': split})}").text.split())
    assert "The model learns from 100 photos." in page and "Every photo has its turn." in page
    assert (">Test</th>" in page, "kept for the final test" in page) == (not tests_every_photo,) * 2
    assert ("choose that under “Advanced”: “How it is tested”" in page) == tests_every_photo


def test_photos_of_anything_else_become_a_class_that_is_spoken_of_as_such(client, world):
    dataset_id = world.add_checked(two_classes(12))
    page = client.get(f"/datasets/{dataset_id}").text
    assert "Add photos of anything else" in page and "reads like photos of anything else" not in page
    sent = {"label": "none of these", "files": [form_file(f"{n}.png", encoded(picture(500 + n))) for n in range(3)]}
    assert client.post(f"/datasets/{dataset_id}/files", data=sent).status_code == 303
    check_dataset(world.database, world.store, dataset_id, settings=world.settings)
    page = client.get(f"/datasets/{dataset_id}").text
    assert "“none of these” reads like photos of anything else" in page and "Add photos of anything else" not in page
