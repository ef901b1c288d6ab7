"""On a GPU the precision is measured once; a CPU has the plain one."""

import time
from pathlib import Path

import pytest

from automl.models import measured
from automl.models.fine_tuning import precision_probe
from automl.models.fine_tuning.network import Batch, NetworkKind
from automl.models.fine_tuning.precision_probe import best_precision
from automl.models.precision import PLAIN, Precision
from automl.models.weights.cache import InstalledWeights

NAME = "mobilenet_v2"


def test_a_gpu_is_probed_once_for_all_backbones(
    weights: dict[str, InstalledWeights], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    timed: list[Precision] = []

    class Network:
        def __init__(self, kind: NetworkKind) -> None:
            if kind.precision.xla:
                raise RuntimeError("not on this device")
            timed.append(kind.precision)
            self.pause_s = 0.001 if kind.precision.mixed else 0.02

        def step(self, batch: Batch, **_: object) -> None:
            assert batch.inputs[0].shape == (32, 160, 160, 3)
            time.sleep(self.pause_s)

        def take_totals(self) -> None:
            pass

    monkeypatch.setattr(precision_probe, "has_gpu", lambda: True)
    monkeypatch.setattr(precision_probe, "TrainableNetwork", Network)
    monkeypatch.setattr(precision_probe, "gpu_name", lambda: "Some card")
    monkeypatch.setattr(measured, "_file", lambda: tmp_path / "measured.json")
    mixed = Precision(mixed=True)
    assert not precision_probe.is_known()
    assert [best_precision(weights[name]) for name in (NAME, NAME, "mobilenet_v1")] == [mixed] * 3
    assert timed == [PLAIN, mixed]
    assert precision_probe.is_known()


def test_nothing_is_measured_on_a_cpu(weights: dict[str, InstalledWeights], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precision_probe, "has_gpu", lambda: False)
    assert best_precision(weights[NAME]) is PLAIN
