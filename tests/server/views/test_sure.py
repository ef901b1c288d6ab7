"""When an answer counts as sure: what a value gives, and that a chosen one holds wherever the model goes."""

import io
import zipfile

import pytest

from automl.records import DeliveredContract, RunState
from automl.serving.answer_table import header
from tests.automl.serving.tiny_model import LABELS, tiny_model
from tests.server.answered import add_answered, add_photos, answers_csv, result_of
from tests.server.conftest import form_file, zip_of
from tests.server.trying import picture

ROWS = [
    ("s1", "rose", "rose", 0.98),
    ("s2", "rose", "tulip", 0.62),
    ("s3", "tulip", "tulip", 0.9),
    ("s4", "tulip", "tulip", 0.55),
]
CALIBRATION = {"calibration": {"threshold": 0.6}}


@pytest.fixture
def dataset_id(world):
    return add_photos(world, s1="rose", s2="rose", s3="tulip", s4="tulip")


@pytest.fixture
def run_id(world, dataset_id):
    """A run whose model answers, and whose download has all that a download needs."""
    run_id = world.add_run(RunState.DONE, dataset_id, result=result_of(("rose", "tulip"), ROWS, **CALIBRATION))
    contents = {"model.onnx": tiny_model(sureness=3.0), "model.keras": b"keras", "answers.csv": answers_csv(ROWS)}
    texts = {"serving.json": DeliveredContract(sure=0.6).json_text().encode(), "metrics.json": b'{"sentence": "Good."}'}
    world.add_artifact(run_id, "bundle", zip_of(**contents, **texts), "model.zip", "application/zip")
    return run_id


def section(client, run_id):
    page = " ".join(client.get(f"/runs/{run_id}/mistakes").text.split())
    return page.split('id="sure"')[1].split("</section>")[0] if 'id="sure"' in page else ""


def choose(client, run_id, **form):
    return client.post(f"/runs/{run_id}/sure", data=form)


def test_the_page_says_what_the_measured_threshold_gives_and_what_others_would(client, run_id):
    shown = section(client, run_id)
    assert '<strong data-sure="percent">60</strong> %' in shown
    assert '<strong data-sure="sure">3</strong> of 4 tested photos; <strong data-sure="right">2</strong>' in shown
    assert '<td class="number">2 of 4</td> <td class="number">2 (100.0 %)</td>' in shown
    assert "[62.0,3,2],[62.1,2,2]" in shown
    assert "comes from other photos" in shown and "Back to what was measured" not in shown


def test_a_chosen_threshold_is_kept_and_can_be_taken_back(client, world, run_id):
    answer = choose(client, run_id, percent="95")
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/runs/{run_id}/mistakes#sure")
    assert world.run(run_id).sure_threshold == 0.95
    shown = section(client, run_id)
    assert '<strong data-sure="sure">1</strong> of 4' in shown and "Back to what was measured (60 %)" in shown
    choose(client, run_id, percent="95", calibrated="1")
    assert world.run(run_id).sure_threshold is None


@pytest.mark.parametrize("percent", ["", "much", "nan", "49.9", "99.95", "100"])
def test_what_makes_no_sense_is_refused_in_words(client, world, run_id, percent):
    answer = choose(client, run_id, percent=percent)
    assert (answer.status_code, "a number of percent from 50 to 99.9" in answer.text) == (400, True)
    assert world.run(run_id).sure_threshold is None


def test_a_run_that_is_not_done_has_no_threshold_to_choose(client, world):
    assert choose(client, world.add_run(RunState.SEARCHING), percent="90").status_code == 409


def test_photos_of_the_test_go_by_it(client, run_id):
    choose(client, run_id, percent="95,5")
    page = " ".join(client.get(f"/runs/{run_id}/answers?really=tulip").text.split())
    assert page.count("Not sure, perhaps <strong>tulip</strong>") == 2
    shown = " ".join(client.get(f"/runs/{run_id}").text.split())
    assert "you chose" not in shown or "less than 95.5 % sure, as you chose" in shown


@pytest.mark.parametrize(("percent", "sure"), [("60", True), ("95", False)])
def test_api_table_and_page_go_by_it(client, run_id, percent, sure):
    choose(client, run_id, percent=percent)
    address, photo = f"/api/v1/runs/{run_id}/predict", picture()
    (answer,) = client.post(address, data={"photos": [form_file("a.png", photo)]}).json
    assert (answer["sure"], 0.6 < answer["confidence"] < 0.95) == (sure, True)
    table = client.post(f"{address}?as=csv", data={"photos": [form_file("a.png", photo)]}).text.splitlines()
    assert table[0] == ",".join(header(LABELS)) and table[1].split(",")[3] == ("yes" if sure else "no")
    page = client.post(f"/runs/{run_id}/try", data={"photos": [form_file("a.png", photo)]}).text
    assert ("You chose that only answers of at least" in page) != sure


def downloaded(client, run_id):
    """The contract in the download, and the tag that the answer has."""
    with client.get(f"/runs/{run_id}/download") as answer, zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
        return DeliveredContract.model_validate_json(archive.read("serving.json")), answer.headers["ETag"]


def test_downloads_made_afterwards_carry_it(client, run_id):
    assert downloaded(client, run_id)[0].sure == 0.6
    choose(client, run_id, percent="95")
    assert client.get(f"/api/v1/runs/{run_id}").json["sure_threshold"] == 0.95
    contract, tag = downloaded(client, run_id)
    choose(client, run_id, percent="97")
    other_contract, other_tag = downloaded(client, run_id)
    assert (contract.sure, other_contract.sure, tag == other_tag) == (0.95, 0.97, False)
    choose(client, run_id, calibrated="1")
    assert downloaded(client, run_id)[0].sure == 0.6


def test_a_model_that_is_never_sure_can_be_given_a_threshold(client, world, dataset_id):
    run_id = add_answered(world, dataset_id, ROWS, result={"calibration": {"threshold": None}})
    assert '<strong data-sure="sure">0</strong> of 4' in section(client, run_id)
    choose(client, run_id, percent="80")
    assert '<strong data-sure="sure">2</strong> of 4' in section(client, run_id)
    assert "Take my choice back" in section(client, run_id)


def test_without_kept_answers_there_is_nothing_to_choose_by(client, world, dataset_id):
    assert section(client, world.add_run(RunState.DONE, dataset_id, result=result_of(("rose", "tulip"), ROWS))) == ""
