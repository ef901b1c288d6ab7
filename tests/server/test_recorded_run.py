"""Runs that an earlier version made open on every page, compare, download and export, with the figures they had."""

import io
import json
import re
import shutil
import zipfile
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text

from automl.settings import Settings, load_settings
from automl.store.database import Database
from server import create_app
from tests.recorded.loading import add_older_run, load, older_metrics, recorded_metrics

DONE = {run_id: metrics for run_id, metrics in recorded_metrics().items() if "test" in metrics}
OLDER = {f"{number}" * 32: metrics for number, metrics in enumerate(older_metrics().values(), start=1)}
RESULTS = {**DONE, **OLDER}
LIKE = next(iter(DONE))

_LINK = re.compile(r'(?:href|src|hx-get)="([^"]*)"')
_NOT_A_WORD = re.compile(r"\b(None|Undefined|nan)\b")


class Web:
    """The application on a home of its own. `sent`: what it has put into the queue."""

    def __init__(self, home: Path) -> None:
        self.settings: Settings = load_settings({"DARKROOM_HOME": str(home)})
        self.database = Database(self.settings.database_url)
        self.sent: list[tuple[str, ...]] = []
        app = create_app(self.settings, lambda *words: self.sent.append(words))
        self.client: FlaskClient = app.test_client()

    def get(self, path: str) -> str:
        with self.client.get(path) as answer:
            assert answer.status_code in (200, 204), f"{path}: {answer.status_code}"  # 204: nothing has changed
            return answer.text if answer.mimetype in ("text/html", "text/event-stream", "text/csv") else ""

    def json(self, path: str) -> dict:
        answer = self.client.get(path)
        assert answer.status_code == 200, f"{path}: {answer.text}"
        return answer.json

    def zip(self, path: str) -> dict[str, bytes]:
        with self.client.get(path) as answer:
            assert answer.status_code == 200, f"{path}: {answer.text}"
            with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
                return {name: archive.read(name) for name in archive.namelist()}

    def rows(self, sql: str, **values: object) -> list[tuple]:
        with self.database.engine.connect() as connection:
            return [tuple(row) for row in connection.execute(text(sql), values)]

    @property
    def dataset_id(self) -> str:
        return self.rows("SELECT id FROM datasets")[0][0]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As it was recorded, with the older runs, and then brought up to date."""
    home = tmp_path_factory.mktemp("recorded")
    load(home)
    for run_id, metrics in OLDER.items():
        add_older_run(home, run_id, LIKE, metrics)
    database = Database(load_settings({"DARKROOM_HOME": str(home)}).database_url)
    database.migrate()
    database.close()
    return home


@pytest.fixture(scope="module")
def seen(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    """To be looked at only."""
    yield from _web(home, tmp_path_factory.mktemp("seen"))


@pytest.fixture
def web(home: Path, tmp_path: Path) -> Iterator[Web]:
    """To be changed."""
    yield from _web(home, tmp_path)


def _web(home: Path, copy: Path) -> Iterator[Web]:
    shutil.copytree(home, copy, dirs_exist_ok=True)
    web = Web(copy)
    yield web
    web.database.close()


def percent(share: float) -> str:
    return f"{share:.1%}".replace("%", " %")


def words_of(html: str) -> str:
    plain = re.sub(r"<(script|style).*?</\1>|<[^>]*>", " ", html, flags=re.DOTALL)
    return " ".join(unescape(plain).replace("\xa0", " ").split())


def addresses_in(html: str, page: str) -> set[str]:
    """Those of this site that a browser would ask for, without what is the same on every page."""
    found = {urljoin(page, unescape(link)).split("#")[0] for link in _LINK.findall(html)}
    return {
        address for address in found if not urlsplit(address).netloc and not address.startswith(("/static/", "data:"))
    }


def test_every_page_that_any_page_leads_to_opens(seen: Web) -> None:
    """Also the pages of runs that were cancelled or have failed."""
    opened: dict[str, str] = {}
    waiting = {"/"} | {f"/runs/{run_id}" for (run_id,) in seen.rows("SELECT id FROM runs")}
    while waiting:
        address = waiting.pop()
        opened[address] = html = seen.get(address)
        assert not _NOT_A_WORD.search(words_of(html)), address
        waiting |= addresses_in(html, address) - opened.keys()
    for run_id in DONE:
        assert f"/runs/{run_id}/answers" in opened and f"/runs/{run_id}/try" in opened


@pytest.mark.parametrize("run_id", list(RESULTS))
def test_the_result_has_the_figures_that_it_had(seen: Web, run_id: str) -> None:
    metrics = RESULTS[run_id]
    test, shown = metrics["test"], words_of(seen.get(f"/runs/{run_id}/details"))
    assert metrics["sentence"] in words_of(seen.get(f"/runs/{run_id}"))
    assert f"{percent(test['accuracy'])} right on test photos {test['n_correct']} of {test['n_images']}." in shown
    assert f"{percent(test['baseline_accuracy'])} without any model" in shown
    for kind in test["per_class"]:
        figures = " ".join([str(kind["n_images"]), *(percent(kind[name]) for name in ("recall", "precision", "f1"))])
        assert f"{kind['label']} {figures}" in shown
    for note in metrics["notes"]:
        assert note in words_of(seen.get(f"/runs/{run_id}/tries")) or note in shown


@pytest.mark.parametrize("run_id", list(DONE))
def test_what_only_later_versions_measure_is_on_the_page_too(seen: Web, run_id: str) -> None:
    metrics, html = DONE[run_id], seen.get(f"/runs/{run_id}/mistakes")
    shown = words_of(html + seen.get(f"/runs/{run_id}/details"))
    assert f"{percent(metrics['first_model']['accuracy'])} the first model that was found" in shown
    for mistake in metrics["mistakes"]:
        assert f"{mistake['label']}" in shown and mistake["name"].rsplit("/", 1)[-1] in html
    drawn = {"confusion_matrix.png", "per_class.png", "reliability.png", "search.png"}
    plots = seen.rows("SELECT name, title FROM artifacts WHERE run_id = :id AND kind = 'plot'", id=run_id)
    assert {name for name, title in plots if title not in shown} <= drawn


@pytest.mark.parametrize("run_id", list(RESULTS))
def test_the_parts_of_the_page_can_be_asked_for(seen: Web, run_id: str) -> None:
    """By the scripts of the page: its body, the trials, the course of the search, the end of the stream."""
    body = seen.get(f"/runs/{run_id}/live")
    assert percent(RESULTS[run_id]["test"]["accuracy"]) in words_of(body)
    assert "event: end" in seen.get(f"/runs/{run_id}/events")
    n_trials = seen.rows("SELECT count(*) FROM trial_summaries WHERE run_id = :id", id=run_id)[0][0]
    tries = seen.get(f"/runs/{run_id}/tries")
    assert tries.count("<tr") >= n_trials
    assert not _NOT_A_WORD.search(words_of(body + tries))
    assert seen.json(f"/runs/{run_id}/course")
    assert seen.json(f"/api/v1/runs/{run_id}/trials")["trials"]


@pytest.mark.parametrize("run_id", list(DONE))
def test_the_answers_to_the_test_photos_are_those_of_the_confusion_matrix(seen: Web, run_id: str) -> None:
    classes, confusion = DONE[run_id]["classes"], DONE[run_id]["test"]["confusion"]
    n_wrong = sum(n for i, row in enumerate(confusion) for j, n in enumerate(row) if i != j)
    assert f"{n_wrong} mistakes" in words_of(seen.get(f"/runs/{run_id}/answers"))
    for really, row in zip(classes, confusion, strict=True):
        assert f"{sum(row)} photos of {really}" in words_of(seen.get(f"/runs/{run_id}/answers?really={really}"))
        for said, n in zip(classes, row, strict=True):
            page = words_of(seen.get(f"/runs/{run_id}/answers?really={really}&said={said}"))
            assert re.search(rf"\b{n} photos? of {really}", page)


@pytest.mark.parametrize("run_id", list(OLDER))
def test_the_answers_of_an_older_run_are_said_to_be_missing(seen: Web, run_id: str) -> None:
    answer = seen.client.get(f"/runs/{run_id}/answers")
    assert answer.status_code == 404 and "earlier version" in answer.text


def test_runs_are_compared(seen: Web) -> None:
    chosen = list(DONE)
    page = words_of(seen.get(f"/datasets/{seen.dataset_id}/compare?run=" + "&run=".join(chosen)))
    for metrics in DONE.values():
        assert percent(metrics["test"]["accuracy"]) in page
    assert not _NOT_A_WORD.search(page)
    n_images = DONE[LIKE]["test"]["n_images"]
    assert f"Of the {n_images} photos that both were tested with" in page


@pytest.mark.parametrize("older", list(OLDER))
def test_a_run_is_compared_with_an_older_one(seen: Web, older: str) -> None:
    page = words_of(seen.get(f"/datasets/{seen.dataset_id}/compare?run={LIKE}&run={older}"))
    assert percent(OLDER[older]["test"]["accuracy"]) in page and not _NOT_A_WORD.search(page)
    assert "Their scores may not be comparable." in page


def test_the_run_that_another_follows_is_linked(seen: Web) -> None:
    followers = seen.rows("SELECT id, parent_id FROM runs WHERE parent_id IS NOT NULL AND state = 'DONE'")
    assert followers
    for run_id, parent_id in followers:
        html = seen.get(f"/runs/{run_id}")
        assert "A follow-up of the" in words_of(html) and f"/runs/{parent_id}" in html


@pytest.mark.parametrize("run_id", list(RESULTS))
def test_the_api_tells_what_it_told(seen: Web, run_id: str) -> None:
    run, metrics = seen.json(f"/api/v1/runs/{run_id}"), RESULTS[run_id]
    assert (run["state"], run["finished"]) == ("done", True)
    for name in ("accuracy", "n_images", "n_correct", "confusion", "per_class"):
        assert run["result"]["test"][name] == metrics["test"][name]
    assert run["result"]["sentence"] == metrics["sentence"]
    assert run["result"]["classes"] == metrics["classes"]
    assert run["bundle"]["final"] is True
    assert len(seen.json(f"/api/v1/runs/{run_id}/trials")["trials"]) == run["n_trials"]
    exports = seen.json(f"/api/v1/runs/{run_id}/exports")["exports"]
    assert bool(exports) == (run_id in DONE)


def test_each_trial_is_told_as_it_was_recorded(seen: Web) -> None:
    columns = ("number", "stage", "state", "image_size_px", "score", "epochs", "message")
    for run_id in DONE:
        rows = seen.rows(
            f"SELECT {', '.join(columns)} FROM trial_summaries WHERE run_id = :id ORDER BY number", id=run_id
        )
        told = seen.json(f"/api/v1/runs/{run_id}/trials")["trials"]
        assert [tuple(trial[name] for name in columns) for trial in told] == rows


def test_the_photos_and_what_was_found_in_them_are_there(seen: Web) -> None:
    dataset = seen.json(f"/api/v1/datasets/{seen.dataset_id}")
    assert dataset["state"] == "ready" and dataset["version"] == 2
    page = words_of(seen.get(f"/datasets/{seen.dataset_id}"))
    for finding in dataset["summary"]["findings"]:
        assert finding["title"] in page
    for kind in dataset["summary"]["classes"]:
        seen.get(f"/datasets/{seen.dataset_id}/photos?label={kind['label']}")
        files = seen.json(f"/api/v1/datasets/{seen.dataset_id}/files?label={kind['label']}&state=accepted")["files"]
        assert len(files) == kind["n_images"]
    assert "broken.jpg" in seen.get(f"/datasets/{seen.dataset_id}/photos")
    assert words_of(seen.get(f"/datasets/{seen.dataset_id}/expected?minutes=10"))
    assert seen.json("/api/v1/datasets")["datasets"]


@pytest.mark.parametrize("run_id", list(RESULTS))
def test_the_model_answers(seen: Web, run_id: str) -> None:
    (brick,) = seen.rows("SELECT key FROM dataset_files WHERE name LIKE '%train/brick/01.jpg'")
    photo = (seen.settings.files_dir / brick[0]).read_bytes()
    answer = seen.client.post(f"/api/v1/runs/{run_id}/predict?heat=1", data=photo, content_type="image/jpeg")
    assert answer.status_code == 200 and answer.json[0]["label"] in RESULTS[run_id]["classes"]
    page = seen.client.post(f"/runs/{run_id}/try", data={"photos": (io.BytesIO(photo), "a.jpg")})
    assert page.status_code == 200 and not _NOT_A_WORD.search(words_of(page.text))


@pytest.mark.parametrize("run_id", list(RESULTS))
def test_the_download_is_the_one_that_was_delivered(seen: Web, run_id: str) -> None:
    for address in (f"/api/v1/runs/{run_id}/bundle", f"/runs/{run_id}/download"):
        assert json.loads(seen.zip(address)["metrics.json"]) == RESULTS[run_id]


@pytest.mark.parametrize("run_id", list(DONE))
def test_a_download_is_composed_of_the_chosen_formats(seen: Web, run_id: str) -> None:
    whole, composed = seen.zip(f"/runs/{run_id}/download"), seen.zip(f"/runs/{run_id}/download?chosen=yes&format=onnx")
    assert composed["model.onnx"] == whole["model.onnx"] and "model.keras" not in composed
    for name in ("metrics.json", "answers.csv", "photos.csv"):
        assert composed[name] == whole[name]
    assert DONE[run_id]["sentence"] in composed["README.txt"].decode()


def test_a_format_that_was_made_then_is_put_into_a_download(seen: Web) -> None:
    made = seen.rows("SELECT run_id, format FROM exports WHERE state = 'READY' AND key != ''")
    assert made
    for run_id, name in made:
        composed = seen.zip(f"/runs/{run_id}/download?format={name}")
        assert "model.onnx" not in composed and any(name.startswith(("model", "saved_model")) for name in composed)


@pytest.mark.parametrize("run_id", list(RESULTS))
def test_formats_that_are_missing_are_prepared(web: Web, run_id: str) -> None:
    """The rows are there, the queue is told, and a worker can take the first of them."""
    from automl.store.exports import claim_export

    with web.database.engine.begin() as connection:
        reset = (
            "UPDATE exports SET state = 'FAILED', message = 'No room.', lease_until = NULL WHERE format = 'litert_int8'"
        )
        connection.execute(text(f"{reset} AND run_id = :id"), {"id": run_id})
        rest = "UPDATE exports SET state = 'READY' WHERE format != 'litert_int8' AND run_id = :id"
        connection.execute(text(rest), {"id": run_id})
    assert web.client.post(f"/runs/{run_id}/exports").status_code == 303
    assert [words[1] for words in web.sent] == [run_id]
    with web.database.session() as session:
        claim = claim_export(session, run_id, 30)
    assert claim is not None and claim.format == ("litert_int8" if run_id in DONE else "onnx")
    shown = words_of(web.get(f"/runs/{run_id}"))
    assert "being tested" in shown.lower() or "being made and tested" in shown.lower()
    assert {row["state"] for row in web.json(f"/api/v1/runs/{run_id}/exports")["exports"]} >= {"preparing"}


@pytest.mark.parametrize("run_id", list(RESULTS))
def test_a_run_is_started_again_from_it(web: Web, run_id: str) -> None:
    form = web.get(f"/datasets/{web.dataset_id}?like={run_id}&change")
    assert 'name="budget"' in form
    new = web.client.post(
        "/api/v1/runs", json={"dataset": web.dataset_id, "parent": run_id, "budget": "2m", "max_trials": 3}
    )
    assert new.status_code == 202 and web.sent[-1][1] == new.json["id"]
    assert "A follow-up of the" in words_of(web.get(f"/runs/{new.json['id']}"))


def test_a_label_that_is_doubted_is_corrected_from_the_result(web: Web) -> None:
    mistake = DONE[LIKE]["mistakes"][0]
    ((file_id,),) = web.rows(
        "SELECT id FROM dataset_files WHERE sha256 = :sha AND state = 'ACCEPTED'", sha=mistake["sha256"]
    )
    changed = web.client.post(f"/runs/{LIKE}/labels", data={"file": file_id, "to": mistake["predicted"]})
    assert changed.status_code == 303
    assert "corrected" in words_of(web.get(f"/runs/{LIKE}")) or mistake["predicted"] in web.get(f"/runs/{LIKE}")
    assert web.json(f"/api/v1/datasets/{web.dataset_id}")["version"] == 3
