"""Heads on a device, here the CPU: what NumPy trains, several heads at once, and what happens where memory ends."""

import gc
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from automl.errors import HeadTooLarge, TrialFailed
from automl.models.compiling import NO_GAIN, CompiledGain
from automl.models.head import compiled_steps, fitting, on_device, training
from automl.models.head.on_device import fit_heads, resident
from automl.models.head.resident import ResidentFeatures
from automl.models.head.settings import HeadSettings, Targets
from automl.models.head.training import HeadFit, PlannedHead
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
        def __init__(self, *arguments: Any, batch_size: int, compiled: bool) -> None:
            sizes.append(batch_size)
            if batch_size > room:
                raise MemoryError
            super().__init__(*arguments, batch_size=batch_size, compiled=compiled)

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


def test_too_little_memory_for_several_heads_trains_half_of_them_at_a_time(
    problem: tuple[Viewed, Targets], monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = []

    class Cramped(on_device._Pass):
        def __init__(self, *arguments: Any, **options: Any) -> None:
            sizes.append(len(arguments[2]))
            if sizes[-1] > 2:
                raise MemoryError
            super().__init__(*arguments, **options)

    monkeypatch.setattr(on_device, "_Pass", Cramped)
    rates = [replace(SETTINGS, max_epochs=1, learning_rate=rate) for rate in (0.01, 0.02, 0.03, 0.04)]
    together = on_the_device(*problem, *rates)
    assert sizes == [4, 2, 2]
    (alone,) = on_the_device(*problem, rates[2], seed=2)
    assert_same(together[2], alone)


def test_the_machine_chooses_where_heads_are_trained(
    problem: tuple[Viewed, Targets], monkeypatch: pytest.MonkeyPatch
) -> None:
    places: list[str] = []

    def on_gpu(_features: Viewed, _targets: Targets, planned: list[PlannedHead]) -> list[Exception]:
        places.append(f"GPU {len(planned)}")
        return [KeyError("ended")] * len(planned)

    def on_cpu(*_: object, **__: object) -> None:
        places.append("CPU")
        raise ValueError

    monkeypatch.setattr(fitting, "fit_head_on_cpu", on_cpu)
    monkeypatch.setattr(fitting, "fit_heads_on_device", on_gpu)
    planned = [PlannedHead(settings=SETTINGS, seed=seed) for seed in range(3)]
    others = [replace(plan, settings=replace(SETTINGS, optimizer="something else")) for plan in planned[:1]]
    monkeypatch.setattr(fitting, "has_gpu", lambda: False)
    assert [type(one) for one in fitting.fit_heads(*problem, planned[:2])] == [ValueError, ValueError]
    monkeypatch.setattr(fitting, "has_gpu", lambda: True)
    assert [type(one) for one in fitting.fit_heads(*problem, planned)] == [KeyError] * 3
    fitting.fit_heads(*problem, others)
    assert places == ["CPU", "CPU", "GPU 3", "CPU"]
    assert (fitting.n_together("adamw"), fitting.n_together("lbfgs")) == (fitting.MOST_ON_GPU, 1)


def test_no_more_heads_are_trained_together_than_memory_holds(
    problem: tuple[Viewed, Targets], monkeypatch: pytest.MonkeyPatch
) -> None:
    n_planned: list[int] = []
    monkeypatch.setattr(fitting, "has_gpu", lambda: True)
    monkeypatch.setattr(
        fitting, "fit_heads_on_device", lambda *a: n_planned.append(len(a[2])) or [KeyError()] * len(a[2])
    )
    n_bytes = 4 * training._ARRAYS_A_PARAMETER * training.checked_size(*problem, SETTINGS)
    planned = [PlannedHead(settings=SETTINGS, seed=seed) for seed in range(5)]
    monkeypatch.setattr(training, "_MOST_BYTES", 2 * n_bytes + 1)
    assert len(fitting.fit_heads(*problem, planned)) == 5
    monkeypatch.setattr(training, "_MOST_BYTES", n_bytes - 1)
    assert all(isinstance(one, HeadTooLarge) for one in fitting.fit_heads(*problem, planned))
    assert n_planned == [2, 2, 1]


def test_a_compiled_pass_trains_the_same_heads(
    problem: tuple[Viewed, Targets], monkeypatch: pytest.MonkeyPatch
) -> None:
    dropping = replace(SETTINGS, dropout=0.4, max_epochs=2)
    plain = on_the_device(*problem, SETTINGS, dropping)
    monkeypatch.setattr(on_device, "_compiling_pays", lambda *_: True)
    for one, other in zip(on_the_device(*problem, SETTINGS, dropping), plain, strict=True):
        assert_same(one, other)


def test_heads_that_do_not_compile_are_trained_as_they_are(
    problem: tuple[Viewed, Targets], monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[bool] = []

    class Uncompiled(on_device._Pass):
        def __init__(self, *arguments: Any, compiled: bool, **options: Any) -> None:
            tried.append(compiled)
            if compiled:
                raise NotImplementedError
            super().__init__(*arguments, compiled=compiled, **options)

    monkeypatch.setattr(on_device, "_Pass", Uncompiled)
    monkeypatch.setattr(on_device, "_compiling_pays", lambda *_: True)
    assert len(on_the_device(*problem, replace(SETTINGS, max_epochs=1))) == 1
    assert tried == [True, False]


def test_compiling_pays_where_a_pass_makes_enough_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(on_device, "gain_of_compiling", lambda: CompiledGain(saved_s=0.1, compile_s=0.7))
    few, many = (PlannedHead(settings=replace(SETTINGS, max_epochs=n), seed=0) for n in (5, 8))
    assert not on_device._compiling_pays(20, [few])
    assert on_device._compiling_pays(20, [few, many])
    assert not on_device._compiling_pays(33, [PlannedHead(settings=replace(SETTINGS, max_epochs=6), seed=0)])
    assert on_device._compiling_pays(64, [PlannedHead(settings=replace(SETTINGS, max_epochs=6), seed=0)])


def test_what_compiling_is_worth_is_asked_on_a_gpu_only_and_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    kept: dict[str, str] = {}
    asked: list[str] = []

    def measured(question: str, measure: Callable[[], str]) -> str:
        asked.append(question)
        return kept.setdefault(question, measure())

    monkeypatch.setattr(compiled_steps, "measured", measured)
    monkeypatch.setattr(compiled_steps, "measured_gain", lambda: CompiledGain(saved_s=0.25, compile_s=2.0))
    monkeypatch.setattr(compiled_steps, "has_gpu", lambda: False)
    assert compiled_steps.gain_of_compiling() == NO_GAIN
    assert asked == []
    monkeypatch.setattr(compiled_steps, "has_gpu", lambda: True)
    monkeypatch.setattr(compiled_steps, "gpu_name", lambda: "Some card")
    assert compiled_steps.gain_of_compiling() == CompiledGain(saved_s=0.25, compile_s=2.0)
    assert "Some card" in asked[0]


def test_the_probe_runs_on_any_device(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its made-up heads are what `train_function` takes; what compiling is worth on a CPU does not matter."""
    for name, value in {"_N_HEADS": 2, "_N_ROWS": 40, "_N_FEATURES": 6, "_N_MODELS": 3}.items():
        monkeypatch.setattr(compiled_steps, name, value)
    agreed: list[bool] = []

    def gain_of(plain: Callable[[], np.ndarray], compiled: Callable[[], np.ndarray], agree: Any) -> CompiledGain:
        agreed.append(agree(compiled(), plain()))
        return NO_GAIN

    monkeypatch.setattr(compiled_steps, "gain_of", gain_of)
    compiled_steps.measured_gain()
    assert agreed == [True]
