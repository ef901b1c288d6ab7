"""Heads on a device, here the CPU: what NumPy trains, several heads at once, and what happens where memory ends."""

import gc
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pytest

from automl.errors import TrialFailed
from automl.models.head import fitting, on_device
from automl.models.head.fitting import fit_head
from automl.models.head.on_device import PlannedHead, fit_heads, resident
from automl.models.head.resident import ResidentFeatures
from automl.models.head.settings import HeadSettings, Targets
from automl.models.head.training import HeadFit
from automl.models.head.training import fit_head as fit_in_numpy

SETTINGS = HeadSettings(
    dropout=0.0,
    learning_rate=0.05,
    weight_decay=0.01,
    label_smoothing=0.1,
    lr_schedule="cosine",
    patience=3,
    max_epochs=5,
)


class Matrix:
    """A view of some photos. `n_taken`: how many times its rows were asked for."""

    def __init__(self, values: np.ndarray) -> None:
        self._values, self.n_taken = values, 0

    @property
    def n_rows(self) -> int:
        return len(self._values)

    def take(self, rows: np.ndarray) -> np.ndarray:
        self.n_taken += 1
        return self._values[rows]


@dataclass
class Viewed:
    views: tuple[Matrix, ...]

    @property
    def n_rows(self) -> int:
        return self.views[0].n_rows

    @property
    def n_features(self) -> int:
        return self.views[0].take(np.arange(1)).shape[1]

    def take(self, rows: np.ndarray) -> np.ndarray:
        return self.views[0].take(rows)

    def take_mirrored(self, rows: np.ndarray) -> np.ndarray:
        return self.views[1].take(rows)


@pytest.fixture(autouse=True)
def empty_device() -> Iterator[None]:
    yield
    resident.clear()


@pytest.fixture
def problem() -> tuple[Viewed, Targets]:
    """Three classes, two repeats of three folds, and some rows that every fold learns from."""
    random = np.random.default_rng(0)
    labels = np.arange(70) % 3
    values = random.normal(size=(70, 6))
    values[np.arange(70), labels] += 3
    folds = random.integers(0, 3, (70, 2))
    folds[:5] = -1
    views = tuple(Matrix(one.astype(np.float32) / 3) for one in (values, values + 0.1))
    return Viewed(views), Targets(labels=labels, folds=folds, n_folds=3, n_classes=3)


def on_the_device(features: Viewed, targets: Targets, *settings: HeadSettings, seed: int = 0) -> list[HeadFit]:
    planned = [PlannedHead(settings=one, seed=seed + number) for number, one in enumerate(settings)]
    outcomes = fit_heads(features, targets, planned)
    for outcome in outcomes:
        if isinstance(outcome, Exception):
            raise outcome
    return [outcome for outcome in outcomes if isinstance(outcome, HeadFit)]


def assert_same(one: HeadFit, other: HeadFit) -> None:
    assert one.best_epoch == other.best_epoch
    np.testing.assert_allclose(one.held_out_logits, other.held_out_logits, atol=1e-3)
    np.testing.assert_allclose(one.curves.train_loss, other.curves.train_loss, atol=1e-4)
    np.testing.assert_allclose(one.curves.validation_accuracy, other.curves.validation_accuracy, atol=1e-6)
    for fold, other_fold in zip((one.layers, *one.fold_layers), (other.layers, *other.fold_layers), strict=True):
        for (kernel, bias), (other_kernel, other_bias) in zip(fold, other_fold, strict=True):
            np.testing.assert_allclose(kernel, other_kernel, atol=1e-3)
            np.testing.assert_allclose(bias, other_bias, atol=1e-3)  # Adam makes much of gradients near 0


@pytest.mark.parametrize(
    "settings",
    [
        SETTINGS,
        replace(SETTINGS, optimizer="sgd", learning_rate=1e-3, class_weighting="balanced"),
        replace(SETTINGS, hidden_units=(4,), mirrored=True, lr_schedule="reduce_on_plateau", patience=None),
    ],
    ids=["adamw", "sgd", "hidden"],
)
def test_a_device_trains_the_head_that_numpy_trains(problem: tuple[Viewed, Targets], settings: HeadSettings) -> None:
    (fit,) = on_the_device(*problem, settings)
    assert_same(fit, fit_in_numpy(*problem, settings, seed=0))


def test_a_head_does_not_depend_on_those_beside_it(problem: tuple[Viewed, Targets]) -> None:
    dropping = replace(SETTINGS, dropout=0.4, learning_rate=0.1)
    together = on_the_device(*problem, replace(SETTINGS, max_epochs=2), dropping)
    (alone,) = on_the_device(*problem, dropping, seed=1)
    assert_same(together[1], alone)
    assert len(together[0].curves.train_loss) == 2


def test_dropout_changes_each_step_and_keeps_the_mean(problem: tuple[Viewed, Targets]) -> None:
    plain, dropped = on_the_device(*problem, SETTINGS, replace(SETTINGS, dropout=0.3))
    assert dropped.curves.train_loss[0] > plain.curves.train_loss[0]
    assert dropped.accuracy > 0.8


def test_what_ends_one_head_leaves_the_others(problem: tuple[Viewed, Targets]) -> None:
    def prune(epoch: int, _logits: np.ndarray) -> None:
        if epoch == 2:
            raise KeyError("behind")

    planned = [PlannedHead(settings=SETTINGS, seed=0, on_epoch=prune), PlannedHead(settings=SETTINGS, seed=0)]
    diverging = PlannedHead(settings=replace(SETTINGS, learning_rate=1e30), seed=0)
    pruned, fit, diverged = fit_heads(*problem, [*planned, diverging])
    assert isinstance(pruned, KeyError)
    assert isinstance(fit, HeadFit)
    assert isinstance(diverged, TrialFailed)


def test_the_clock_cuts_a_training_short_and_keeps_what_it_has(problem: tuple[Viewed, Targets]) -> None:
    (fit,) = fit_heads(*problem, [PlannedHead(settings=SETTINGS, seed=0, on_step=lambda: True)])
    assert isinstance(fit, HeadFit)
    assert fit.best_epoch == 1


def test_too_little_memory_halves_the_batch_and_ends_it_at_one_row(
    problem: tuple[Viewed, Targets], monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes, room = [], 10

    class Cramped(on_device._Pass):
        def __init__(self, *arguments: object) -> None:
            sizes.append(arguments[-1])
            if sizes[-1] > room:
                raise MemoryError
            super().__init__(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(on_device, "_Pass", Cramped)
    assert len(on_the_device(*problem, replace(SETTINGS, max_epochs=1))) == 1
    assert sizes == [32, 16, 8]
    room = 0
    with pytest.raises(TrialFailed, match="memory"):
        on_the_device(*problem, SETTINGS)


def test_features_stay_on_the_device_as_long_as_their_view_is_there() -> None:
    kept, views = ResidentFeatures(), [Matrix(np.ones((3, 2), np.float32)) for _ in range(2)]
    (first,) = kept.matrices((views[0],))
    assert kept.matrices(tuple(views))[0] is first
    assert [view.n_taken for view in views] == [1, 1]
    del views[0]
    gc.collect()
    assert len(kept) == 1


def test_features_that_were_not_used_for_longest_make_way() -> None:
    kept, views = ResidentFeatures(max_bytes=50), [Matrix(np.ones((3, 2), np.float32)) for _ in range(3)]
    for view in views:
        kept.matrices((view,))
    assert len(kept) == 2
    kept.matrices((views[2], views[1]))
    assert [view.n_taken for view in views] == [1, 1, 1]


def test_the_machine_chooses_where_heads_are_trained(
    problem: tuple[Viewed, Targets], monkeypatch: pytest.MonkeyPatch
) -> None:
    places: list[str] = []
    monkeypatch.setattr(fitting, "fit_head_on_cpu", lambda *_, **__: places.append("CPU"))
    monkeypatch.setattr(on_device, "fit_heads", lambda *_: places.append("GPU") or [KeyError("ended")])
    monkeypatch.setattr(fitting, "has_gpu", lambda: False)
    fit_head(*problem, SETTINGS, seed=0)
    monkeypatch.setattr(fitting, "has_gpu", lambda: True)
    with pytest.raises(KeyError, match="ended"):
        fit_head(*problem, SETTINGS, seed=0)
    fit_head(*problem, replace(SETTINGS, optimizer="something else"), seed=0)
    assert places == ["CPU", "GPU", "CPU"]
