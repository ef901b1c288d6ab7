"""`automl doctor`: it says of each thing whether it is in order, and its exit code whether all are."""

import socket
from types import SimpleNamespace

import pytest

from automl.cli import doctor, main
from automl.settings import load_settings
from automl.store.database import Database
from automl.store.worker_signs import WorkerSigns


@pytest.fixture
def home(tmp_path, monkeypatch):
    folder = tmp_path / "home"
    folder.mkdir(mode=0o700)
    monkeypatch.setenv("DARKROOM_HOME", str(folder))
    monkeypatch.setenv("DARKROOM_PORT", "1")
    database = Database(load_settings().database_url)
    database.migrate()
    database.close()
    monkeypatch.setattr(WorkerSigns, "nodes", lambda _self: {"train@here": 1.0, "light@here": 1.0, "duties@here": 1.0})
    return folder


def test_everything_in_order(home, capfd):
    assert main(["doctor"]) == 0
    said = capfd.readouterr().err
    assert "Everything is in order." in said
    for name in ("database", "queue", "workers", "disk", "weights", "device", "port", "home"):
        assert name in said


def test_what_is_not_in_order_is_said_with_what_to_do(home, capfd, monkeypatch):
    monkeypatch.setattr(WorkerSigns, "nodes", lambda _self: {"light@here": 1.0, "duties@here": 1.0})
    home.chmod(0o755)
    assert main(["doctor"]) == 1
    said = " ".join(capfd.readouterr().err.split())
    assert "chmod 700" in said and "to do" in said and "Everything is in order" not in said


def test_a_port_that_is_taken(tmp_path):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        settings = load_settings({"DARKROOM_HOME": str(tmp_path), "DARKROOM_PORT": str(other.getsockname()[1])})
        assert not doctor.of_port(settings).is_met
        (tmp_path / "address").write_text("http://127.0.0.1:8000\n")
        assert doctor.of_port(settings).message == "Darkroom answers at http://127.0.0.1:8000."
    (tmp_path / "address").unlink()
    assert doctor.of_port(settings).is_met


def test_the_networks_that_are_missing_are_counted(tmp_path, monkeypatch):
    assert not doctor.of_weights(tmp_path).is_met
    monkeypatch.setattr("automl.models.weights.cache.installed", lambda _: {"mobilenet_v2": SimpleNamespace()})
    found = doctor.of_weights(tmp_path)
    assert found.is_met and found.message.startswith("1 of ")
