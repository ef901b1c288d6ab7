"""The HTTP API beside uploads and downloads."""

import pytest
from sqlalchemy import event

from automl.records import DatasetState, RunState
from automl.store.tables import DatasetEdit, DatasetVersion, TrialSummary, now
from server.api import datasets as dataset_api
from tests.reports import report_values
from tests.server.conftest import form_file


def start(client, **values):
    return client.post("/api/v1/runs", json=values)


def test_the_whole_job_in_four_requests(client, world):
    dataset_id = client.post("/api/v1/datasets", json={"name": "flowers"}).json["id"]
    client.post(f"/api/v1/datasets/{dataset_id}/files", data={"files": [form_file("a/1.jpg")]})
    assert client.post(f"/api/v1/datasets/{dataset_id}/check").status_code == 202
    run = start(client, dataset=dataset_id, budget="90s")
    assert (run.status_code, run.json["state"]) == (202, "queued")
    assert run.json["url"] == f"http://localhost/runs/{run.json['id']}"
    assert world.queue.sent == [("darkroom.check_dataset", dataset_id), ("darkroom.train", run.json["id"])]


def test_a_check_is_cancelled_over_http(client, world):
    dataset_id = world.add_dataset(DatasetState.CHECKING)
    answer = client.post(f"/api/v1/datasets/{dataset_id}/check/cancel")
    assert (answer.status_code, answer.json["state"]) == (200, "uploading")
    assert "cancelled" in answer.json["message"]
    assert client.post("/api/v1/datasets/none/check/cancel").status_code == 404


def test_one_request_with_files_is_enough(client, world):
    files = [form_file("rose/1.jpg"), form_file("tulip/1.jpg", b"2")]
    answer = client.post("/api/v1/runs", data={"files": files, "budget": "2m", "name": "flowers"})
    assert answer.status_code == 202
    run = world.run(answer.json["id"])
    assert run.budget_s == 120
    assert (world.dataset(run.dataset_id).name, len(world.files(run.dataset_id))) == ("flowers", 2)


def test_a_data_set_can_come_with_its_files(client, world):
    def form(**fields):
        return {"files": [form_file("rose/1.jpg"), form_file("tulip/1.jpg", b"2")], **fields}

    answer = client.post("/api/v1/datasets", data=form(name="flowers"))
    assert answer.status_code == 201
    assert (answer.json["name"], answer.json["n_files"], answer.json["state"]) == ("flowers", 2, "uploading")
    assert (answer.json["received"], answer.json["refused"]) == (2, [])
    long = client.post("/api/v1/datasets", data={"files": [form_file("x" * 2000 + ".jpg")]})
    assert (long.json["received"], len(long.json["refused"])) == (0, 1)
    assert client.post("/api/v1/datasets", data=form(budget="2m")).status_code == 400
    assert len(client.get("/api/v1/datasets").json["datasets"]) == 2


def test_an_address_that_takes_no_files_says_so(client, world):
    address = f"/api/v1/datasets/{world.add_dataset()}/fix"
    answer = client.post(address, data={"finding": "duplicates", "files": [form_file("rose/1.jpg")]})
    assert (answer.status_code, answer.json["error"]["message"]) == (400, "This address takes no files.")


def test_one_request_with_a_zip_is_enough(client, world):
    answer = client.post("/api/v1/runs", data={"archive": form_file("beans.zip"), "budget": "1"})
    assert world.dataset(world.run(answer.json["id"]).dataset_id).name == "beans"


@pytest.mark.parametrize("fields", [{"budget": "soon"}, {"bugdet": "2m"}, {"dataset": "x"}])
def test_a_one_shot_request_that_fails_leaves_nothing_behind(client, world, fields):
    answer = client.post("/api/v1/runs", data={**fields, "archive": form_file("beans.zip")})
    assert answer.status_code in (400, 409)
    assert world.stored_files() == []
    assert "beans" not in client.get("/").text


def test_a_one_shot_request_leaves_nothing_behind_where_the_queue_is_away(client, world):
    world.queue.away = True
    assert client.post("/api/v1/runs", data={"archive": form_file("beans.zip")}).status_code == 503
    assert world.stored_files() == []


def test_a_plain_form_is_as_good_as_json(client, world):
    answer = client.post("/api/v1/runs", data={"dataset": world.add_dataset(), "budget": "5"})
    assert world.run(answer.json["id"]).budget_s == 300


def test_a_multipart_form_without_files_may_name_a_data_set(client, world):
    answer = client.post("/api/v1/runs", data={"dataset": world.add_dataset()}, content_type="multipart/form-data")
    assert answer.status_code == 202


@pytest.mark.parametrize(
    ("values", "status"),
    [
        ({}, 400),
        ({"dataset": 3}, 400),
        ({"dataset": "nope"}, 404),
        ({"dataset": "nope", "bugdet": "2m"}, 400),
    ],
)
def test_what_cannot_be_started_is_explained(client, values, status):
    answer = start(client, **values)
    assert answer.status_code == status
    assert answer.json["error"]["message"].endswith(".")


@pytest.mark.parametrize("body", [b"[]", b"{", b"3", b""])
def test_a_body_that_is_no_json_object_is_a_400(client, body):
    assert client.post("/api/v1/runs", data=body, content_type="application/json").status_code == 400


def test_a_huge_json_body_is_a_413(client):
    answer = client.post("/api/v1/runs", data=b" " * (2 << 20), content_type="application/json")
    assert (answer.status_code, answer.json["error"]["code"]) == (413, "upload_too_large")


def test_an_empty_data_set_cannot_be_trained_on(client, world):
    assert start(client, dataset=world.add_dataset(DatasetState.UPLOADING, n_files=0)).status_code == 409


def test_an_invalid_data_set_cannot_be_trained_on(client, world):
    dataset_id = world.add_dataset(DatasetState.INVALID, message="Only one kind.")
    answer = start(client, dataset=dataset_id)
    assert (answer.status_code, answer.json["error"]) == (422, {"code": "bad_dataset", "message": "Only one kind."})


def test_a_data_set_is_shown_with_its_summary(client, world):
    dataset_id = world.add_dataset(summary={"n_images": 4})
    answer = client.get(f"/api/v1/datasets/{dataset_id}").json
    assert (answer["state"], answer["summary"], answer["n_files"], answer["n_bytes"]) == (
        "ready",
        {"n_images": 4},
        4,
        40,
    )


def add_edited(world, n: int) -> None:
    """A data set of `n` files with `n` versions, `n` edits that count, and one that was undone."""
    dataset_id = world.add_dataset(n_files=n, summary={"n_images": n, "findings": []})
    with world.database.session() as session:
        for number in range(1, n + 1):
            version = {"fingerprint": "f", "key": "k", "n_images": n, "n_classes": 2}
            session.add(DatasetVersion(dataset_id=dataset_id, number=number, **version))
            session.add(DatasetEdit(dataset_id=dataset_id, kind="exclude", values={"files": [1]}, title=str(number)))
        session.add(DatasetEdit(dataset_id=dataset_id, kind="exclude", title="undone", undone_at=now()))


def test_the_database_is_asked_as_often_for_many_data_sets_as_for_two(client, world):
    asked = []
    client.get("/api/v1/datasets")  # from here on it is known whether anybody needs an account
    event.listen(world.database.engine, "before_cursor_execute", lambda *arguments: asked.append(arguments[2]))
    n_asked = {}
    for n_more in (2, 18):
        for _ in range(n_more):
            add_edited(world, 2)
        asked.clear()
        n_listed = len(client.get("/api/v1/datasets").json["datasets"])
        n_asked[n_listed] = len(asked)
    assert n_asked == {2: 4, 20: 4}
    (of_edits,) = [statement for statement in asked if "FROM dataset_edits" in statement]
    assert "title" in of_edits and "values" not in of_edits


def test_data_sets_are_listed_page_by_page_each_with_its_own_figures(client, world, monkeypatch):
    monkeypatch.setattr(dataset_api, "_DATASETS_ON_A_PAGE", 2)
    for n in (3, 2, 0):
        add_edited(world, n)
    first, second, beyond = (client.get(f"/api/v1/datasets?page={page}").json for page in (1, 2, 3))
    found = [(one["n_files"], one["n_bytes"], one["version"]) for one in first["datasets"] + second["datasets"]]
    assert found == [(0, 0, None), (2, 20, 2), (3, 30, 3)]
    assert [edit["title"] for edit in second["datasets"][0]["edits"]] == ["1", "2", "3"]
    assert second["datasets"][0]["summary"] == {"n_images": 3}
    assert (first["page"], second["page"], beyond) == (1, 2, {"datasets": [], "page": 3})


def test_a_live_run_says_what_its_score_is_measured_on_and_has_no_result(client, world):
    run_id = world.add_run(RunState.SEARCHING, best_score=0.9, best_summary="MobileNetV2", activity="Trying")
    answer = client.get(f"/api/v1/runs/{run_id}").json
    assert answer["best"] == {"score": 0.9, "measured_on": "validation", "summary": "MobileNetV2"}
    assert (answer["result"], answer["error"], answer["bundle"], answer["finished"]) == (None, None, None, False)


def test_a_done_run_has_result_bundle_and_plots(client, world):
    run_id = world.add_run(RunState.DONE, result=report_values())
    world.add_artifact(run_id, "bundle", b"zip", "b.zip", "application/zip", "The trained model")
    world.add_artifact(run_id, "plot", b"png", "p.png", "image/png")
    answer = client.get(f"/api/v1/runs/{run_id}").json
    assert (answer["progress"], answer["left_s"]) == (1.0, None)
    assert answer["result"] == report_values()
    assert answer["bundle"] == {
        "url": f"http://localhost/api/v1/runs/{run_id}/bundle",
        "title": "The trained model",
        "n_bytes": 3,
        "final": True,
    }
    assert [plot["name"] for plot in answer["plots"]] == ["p.png"]


def test_a_failed_run_has_its_error(client, world):
    run_id = world.add_run(RunState.FAILED, error_code="disk_full", error_message="Full.")
    assert client.get(f"/api/v1/runs/{run_id}").json["error"] == {"code": "disk_full", "message": "Full."}


def test_a_run_names_the_first_files_of_its_data_set_that_were_refused(client, world):
    refused = [{"name": f"{i}.jpg", "reason": "Damaged."} for i in range(50)]
    dataset_id = world.add_dataset(summary={"n_refused": 60, "refused": refused})
    run_id = world.add_run(RunState.FAILED, dataset_id)
    dataset = client.get(f"/api/v1/runs/{run_id}").json["dataset"]
    assert dataset == {"id": dataset_id, "name": "flowers", "n_refused": 60, "refused": refused[:10]}


def test_trials_come_in_order(client, world):
    run_id = world.add_run(RunState.SEARCHING)
    with world.database.session() as session:
        for number in (1, 0):
            trial = TrialSummary(run_id=run_id, number=number, state="complete", score=0.5, image_size_px=224)
            trial.started_s = trial.duration_s = 1.0
            session.add(trial)
    trials = client.get(f"/api/v1/runs/{run_id}/trials").json["trials"]
    assert [trial["number"] for trial in trials] == [0, 1]
    assert (trials[0]["stage"], trials[0]["n_bytes"], trials[0]["latency_s"]) == ("heads", None, None)


def test_every_option_can_be_sent_as_json(client, world):
    values = {"goal": "accuracy", "head_layers": [64], "early_stopping": False, "backbones": ["mobilenet_v2"]}
    run_id = start(client, dataset=world.add_dataset(), **values).json["id"]
    stored = world.run(run_id).settings.to_json()
    assert {name: stored[name] for name in values} == values
    assert client.get(f"/api/v1/runs/{run_id}").json["settings"] == stored


def test_a_run_over_http_always_has_a_budget(client, world):
    answer = start(client, dataset=world.add_dataset(), budget="none", max_trials=3)
    assert (answer.status_code, answer.json["error"]["code"]) == (400, "bad_setting")


def test_stop_and_cancel_answer_with_the_run(client, world):
    run_id = world.add_run(RunState.SEARCHING, best_score=0.9)
    stopped = client.post(f"/api/v1/runs/{run_id}/stop")
    assert (stopped.status_code, stopped.json["stop_requested"]) == (202, True)
    cancelled = client.post(f"/api/v1/runs/{run_id}/cancel")
    assert (cancelled.status_code, cancelled.json["cancel_requested"]) == (202, True)


def test_a_run_without_a_model_cannot_be_stopped(client, world):
    answer = client.post(f"/api/v1/runs/{world.add_run(RunState.SEARCHING)}/stop")
    assert answer.status_code == 409
    assert "no model to keep yet" in answer.json["error"]["message"]


def test_a_waiting_run_that_is_cancelled_says_so(client, world):
    answer = client.post(f"/api/v1/runs/{world.add_run()}/cancel")
    assert (answer.json["state"], answer.json["activity"]) == ("cancelled", "Cancelled")


def test_a_waiting_run_cannot_be_stopped(client, world):
    answer = client.post(f"/api/v1/runs/{world.add_run()}/stop")
    assert (answer.status_code, answer.json["error"]["code"]) == (409, "not_allowed_now")


def test_a_run_says_which_one_it_follows(client, world):
    dataset_id = world.add_dataset()
    parent = world.add_run(RunState.DONE, dataset_id)
    run_id = start(client, dataset=dataset_id, parent=parent).json["id"]
    assert client.get(f"/api/v1/runs/{run_id}").json["parent"] == parent
    assert client.get(f"/api/v1/runs/{parent}").json["parent"] is None


def test_only_a_run_of_the_same_photos_can_be_followed(client, world):
    dataset_id = world.add_dataset()
    assert start(client, dataset=dataset_id, parent=world.add_run(RunState.DONE)).status_code == 404
    assert start(client, dataset=dataset_id, parent=3).status_code == 400
    assert world.queue.sent == []


def test_a_run_has_its_own_name_beside_that_of_the_photos(client, world):
    dataset_id = world.add_dataset()
    run_id = start(client, dataset=dataset_id, name="ignored", run_name=" at\ndusk ").json["id"]
    assert client.get(f"/api/v1/runs/{run_id}").json["name"] == "at dusk"
    assert world.dataset(dataset_id).name == "flowers"
    assert client.get(f"/api/v1/runs/{start(client, dataset=dataset_id).json['id']}").json["name"] == ""
    fields = {"name": "pets", "run_name": "at dawn", "files": form_file("a/1.jpg")}
    run = world.run(client.post("/api/v1/runs", data=fields).json["id"])
    assert (run.name, world.dataset(run.dataset_id).name) == ("at dawn", "pets")
