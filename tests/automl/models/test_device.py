"""What this machine computes on."""

import os
from pathlib import Path

import pytest

from automl.models import device
from automl.models.device import has_gpu


def test_a_machine_without_a_gpu_names_the_cores_that_may_be_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device, "has_gpu", lambda: False)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: {3}, raising=False)
    assert device.device_in_words() == "CPU, 1 core"


def test_tensorflow_is_not_asked_for_a_gpu_without_a_driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device, "import_tensorflow", lambda: pytest.fail("TensorFlow was imported"))
    assert not has_gpu(tmp_path)


def test_a_driver_alone_is_no_gpu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import tensorflow as tf

    (tmp_path / "dev").mkdir()
    (tmp_path / "dev" / "nvidia0").touch()
    for found in ([], ["a GPU"]):
        monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind, found=found: found)
        assert has_gpu(tmp_path) == bool(found)
