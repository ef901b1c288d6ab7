"""Puts what was recorded into an empty home folder, as if that home had been used before the upgrade."""

import gzip
import io
import json
import sqlite3
import zipfile
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import onnx
from onnx import helper
from PIL import Image

from tests.automl.serving.tiny_model import tiny_model

FOLDER = Path(__file__).parent
DATABASE = "darkroom.sqlite3"

_PLACEHOLDERS = {
    ".keras": b"keras" * 100,
    ".html": b"<!doctype html><title>Report</title>",
    ".svg": b"<svg xmlns='http://www.w3.org/2000/svg'/>",
    ".py": b"# As in every download.\n",
}
_OLDER_SETTINGS = ("budget_s", "tuner", "seed", "max_trials", "backbones", "max_image_size_px")


def recorded_metrics() -> dict[str, dict[str, Any]]:
    """What each finished run's `metrics.json` says, by the id of the run."""
    return {path.parent.name: json.loads(path.read_text()) for path in sorted(FOLDER.glob("bundles/*/metrics.json"))}


def older_metrics() -> dict[str, dict[str, Any]]:
    """As versions before that wrote it, the oldest first, by the name of the file."""
    return {path.stem: json.loads(path.read_text()) for path in sorted(FOLDER.glob("older/*.json"))}


def load(home: Path) -> None:
    """Writes the database, whose tables are those of the recording until they are migrated, and all files."""
    home.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(FOLDER / "files.zip") as archive:
        archive.extractall(home / "files")
    with closing(sqlite3.connect(home / DATABASE)) as database:
        database.executescript(gzip.decompress((FOLDER / "database.sql.gz").read_bytes()).decode())
        for kind, run_id, key in database.execute("SELECT kind, run_id, key FROM artifacts").fetchall():
            content = _small_plot() if kind == "plot" else _bundle(FOLDER / "bundles" / run_id)
            _write_counted(database, home, "artifacts", key, content)
        for name, key in database.execute("SELECT format, key FROM exports WHERE key != ''").fetchall():
            content = _zip_of({"saved_model.pb": b"graph"}) if name == "saved_model" else name.encode() * 100
            _write_counted(database, home, "exports", key, content)
        database.commit()


def add_older_run(home: Path, run_id: str, like: str, metrics: Mapping[str, Any]) -> None:
    """A finished run of an earlier version, whose result is `metrics`: its download has no tables of photos, and there
    are no formats beside it. `like`: the recorded run whose row it shares but for that.
    """
    with closing(sqlite3.connect(home / DATABASE)) as database, database:
        database.row_factory = sqlite3.Row
        row = dict(database.execute("SELECT * FROM runs WHERE id = ?", [like]).fetchone())
        settings = {name: value for name, value in json.loads(row["settings"]).items() if name in _OLDER_SETTINGS}
        row |= {"id": run_id, "parent_id": None, "name": "", "version_id": None}
        row |= {"settings": json.dumps(settings), "result": json.dumps(metrics)}
        row["test_accuracy"] = metrics["test"]["accuracy"]
        _insert(database, "runs", row)
        bundle = dict(
            database.execute("SELECT * FROM artifacts WHERE run_id = ? AND kind = 'bundle'", [like]).fetchone()
        )
        _insert(
            database, "artifacts", bundle | {"id": f"b{run_id[1:]}", "run_id": run_id, "key": f"runs/{run_id}/a.zip"}
        )
        for trial in database.execute("SELECT * FROM trial_summaries WHERE run_id = ?", [like]).fetchall():
            _insert(database, "trial_summaries", {**dict(trial), "id": None, "run_id": run_id})
    members = dict.fromkeys(("README.txt", "requirements.txt", "predict.py"), b"As it was.\n")
    members["labels.txt"] = "".join(f"{label}\n" for label in metrics["classes"]).encode()
    members |= {"model.keras": _PLACEHOLDERS[".keras"], "model.onnx": _model(metrics["classes"])}
    content = _zip_of({**members, "metrics.json": json.dumps(metrics).encode()})
    with closing(sqlite3.connect(home / DATABASE)) as database, database:
        _write_counted(database, home, "artifacts", f"runs/{run_id}/a.zip", content)


def _write_counted(database: sqlite3.Connection, home: Path, table: str, key: str, content: bytes) -> None:
    """With its size in its row: what is too short is not handed out."""
    _write(home, key, content)
    database.execute(f"UPDATE {table} SET n_bytes = ? WHERE key = ?", [len(content), key])


def _insert(database: sqlite3.Connection, table: str, row: Mapping[str, Any]) -> None:
    columns, places = ", ".join(f'"{name}"' for name in row), ", ".join("?" * len(row))
    database.execute(f"INSERT INTO {table} ({columns}) VALUES ({places})", list(row.values()))


def _write(home: Path, key: str, content: bytes) -> None:
    path = home / "files" / key
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def _bundle(recorded: Path) -> bytes:
    """With all members of the recorded one; what was too large to keep is small."""
    classes = (recorded / "labels.txt").read_text().split()
    members = {name: _member(recorded / name, classes) for name in (recorded / "members.txt").read_text().split()}
    return _zip_of(members)


def _member(path: Path, classes: list[str]) -> bytes:
    if path.exists():
        return path.read_bytes()
    if path.suffix == ".onnx":
        return _model(classes)
    return _small_plot() if path.suffix == ".png" else _PLACEHOLDERS[path.suffix]


def _model(classes: list[str]) -> bytes:
    """Says how red, green or blue a photo is, under the names of these three classes."""
    model = onnx.load_from_string(tiny_model())
    kept = {one.key: one.value for one in model.metadata_props}
    helper.set_model_props(model, {**kept, "labels": "\n".join(classes)})
    return bytes(model.SerializeToString())


def _small_plot() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (12, 8), "white").save(buffer, "PNG")
    return buffer.getvalue()


def _zip_of(members: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()
