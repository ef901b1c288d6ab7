"""Fine-tuning: it starts from the given head, keeps the best epoch, and ends when it is told to."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tensorflow.python.framework import config

from automl.errors import TrialFailed
from automl.models.backbones.building import build_backbone
from automl.models.fine_tuning import fine_tuner
from automl.models.fine_tuning.fine_tuner import FineTuner
from automl.models.fine_tuning.network import TrainableNetwork
from automl.models.fine_tuning.settings import FineTuneSettings
from automl.models.precision import PLAIN
from automl.models.weights.cache import InstalledWeights

NAME, SIZE_PX, N = "mobilenet_v2", 64, 24
SETTINGS = FineTuneSettings(
    taps="several",
    is_unit=False,
    image_size_px=SIZE_PX,
    depth=0,
    learning_rate=1e-3,
    lr_decay=0.8,
    warmup=0.1,
    bn="frozen",
    flips="horizontal",
    crop=0.7,
    rotation_deg=0.0,
    colour=0.0,
    mix="none",
    dropout=0.0,
    weight_decay=0.01,
    label_smoothing=0.0,
    class_weighting="none",
    lr_schedule="cosine",
    epochs=3,
    patience=5,
    ema=0.0,
    batch_size=8,
)
TAIL = replace(SETTINGS, depth=1, taps="last")
TRAIN, HELD_OUT = np.arange(16), np.arange(16, N)
LABELS = np.arange(N) % 2


def nothing() -> None:
    """For a training that nothing interrupts."""


@pytest.fixture(scope="module")
def pixels() -> np.ndarray:
    """Coarse stripes, along for one class and across for the other, and some noise."""
    random = np.random.default_rng(0)
    waves = np.sin(np.arange(SIZE_PX) / 3 + random.uniform(0, 6, (N, 1)))[:, :, None, None]
    stripes = np.where(LABELS[:, None, None, None] == 0, waves, waves.transpose(0, 2, 1, 3))
    noisy = 128 + 60 * stripes + random.normal(0, 20, (N, SIZE_PX, SIZE_PX, 3))
    return np.clip(noisy, 0, 255).astype(np.uint8)


@pytest.fixture
def tune(pixels: np.ndarray, weights: dict[str, InstalledWeights], tmp_path: Path) -> Iterator[object]:
    made: list[FineTuner] = []

    def make(settings: FineTuneSettings, scale: float = 0.0, seed: int = 0, deterministic: bool = False) -> FineTuner:
        """`scale`: of a random head."""
        installed = weights[NAME]
        width = sum(installed.tap_widths) if settings.taps == "several" else installed.tap_widths[-1]
        kernel = scale * np.random.default_rng(1).normal(size=(width, 2)).astype(np.float32)
        head = (kernel, np.array([0.3, -0.3], np.float32))
        tuner = FineTuner(
            pixels=pixels,
            labels=LABELS,
            n_classes=2,
            installed=installed,
            head=head,
            settings=settings,
            seed=seed,
            scratch=tmp_path,
            deterministic=deterministic,
        )
        made.append(tuner)
        return tuner

    yield make
    for tuner in made:
        tuner.close()


def test_settings_are_readable_without_tensorflow() -> None:
    code = (
        "import sys; import automl.models.fine_tuning.fine_tuner; "
        "sys.exit('tensorflow' in sys.modules or 'keras' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.slow
@pytest.mark.parametrize("settings", [SETTINGS, TAIL, replace(TAIL, bn="adapt", ema=0.5, mix="mixup")])
def test_it_learns(tune, settings: FineTuneSettings) -> None:
    tuned = tune(replace(settings, epochs=8)).fit(TRAIN, HELD_OUT, on_work=nothing)
    assert (tuned.held_out_logits.argmax(axis=1) == LABELS[HELD_OUT]).mean() >= 0.75
    assert tuned.curves.validation_loss[tuned.best_epoch - 1] == min(tuned.curves.validation_loss)
    assert tuned.curves.train_loss[-1] < tuned.curves.train_loss[0]


@pytest.mark.slow
@pytest.mark.parametrize("depth", [0, 2])
def test_it_starts_from_the_given_head(tune, pixels: np.ndarray, weights, depth: int) -> None:
    from automl.models.weights.cache import load_backbone

    logits: list[np.ndarray] = []
    tuner = tune(replace(SETTINGS, depth=depth, learning_rate=0.0, epochs=1), scale=0.1)
    tuned = tuner.fit(TRAIN, HELD_OUT, on_work=nothing, on_epoch=lambda epoch, values: bool(logits.append(values)))
    maps = load_backbone(weights[NAME])(pixels[HELD_OUT].astype(np.float32), training=False)
    raw = np.concatenate([np.asarray(tap).mean(axis=(1, 2)) for tap in maps], axis=1)
    np.testing.assert_allclose(logits[0], raw @ tuned.head[0] + tuned.head[1], atol=0.02)
    kernel = 0.1 * np.random.default_rng(1).normal(size=tuned.head[0].shape)
    np.testing.assert_allclose(tuned.head[0], kernel, atol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("settings", [SETTINGS, replace(SETTINGS, depth=2, bn="adapt", ema=0.5)])
def test_a_saved_backbone_gives_the_held_out_logits(tune, pixels, tmp_path: Path, settings: FineTuneSettings) -> None:
    tuned = tune(settings).fit(TRAIN, HELD_OUT, on_work=nothing)
    tuned.save_backbone(tmp_path / "tuned.weights.h5")
    model = build_backbone(NAME)
    model.load_weights(tmp_path / "tuned.weights.h5")
    maps = model(pixels[HELD_OUT].astype(np.float32), training=False)
    raw = np.concatenate([np.asarray(tap).mean(axis=(1, 2)) for tap in maps], axis=1)
    np.testing.assert_allclose(raw @ tuned.head[0] + tuned.head[1], tuned.held_out_logits, atol=0.02)


@pytest.mark.slow
def test_only_what_is_behind_the_cut_is_tuned(tune, weights) -> None:
    tuned = tune(TAIL).fit(TRAIN, HELD_OUT, on_work=nothing)
    model = build_backbone(NAME)
    model.load_weights(weights[NAME].weights_path)
    changed = [
        name.path.split("/")[0]
        for name, before, after in zip(model.weights, model.get_weights(), tuned.weights, strict=True)
        if not np.array_equal(before, after)
    ]
    assert changed
    assert all(name.startswith(("block_16", "Conv_1")) for name in changed)


@pytest.mark.slow
@pytest.mark.parametrize(("bn", "moves"), [("frozen", False), ("adapt", True)])
def test_batch_norms_statistics_move_only_when_they_may(tune, weights, bn: str, moves: bool) -> None:
    tuned = tune(replace(TAIL, bn=bn)).fit(TRAIN, HELD_OUT, on_work=nothing)
    model = build_backbone(NAME)
    model.load_weights(weights[NAME].weights_path)
    index = [variable.path for variable in model.weights].index("Conv_1_bn/moving_mean")
    assert np.array_equal(model.get_weights()[index], tuned.weights[index]) is not moves


@pytest.mark.slow
def test_one_seed_gives_one_model_and_a_probe_leaves_no_trace(tune) -> None:
    first = tune(replace(TAIL, dropout=0.3, mix="cutmix")).fit(TRAIN, HELD_OUT, on_work=nothing)
    tuner = tune(replace(TAIL, dropout=0.3, mix="cutmix"))
    step_s, image_s = tuner.probe()
    second = tuner.fit(TRAIN, HELD_OUT, on_work=nothing)
    assert step_s > 0 < image_s
    assert tuner.preparation_s(24) > 0
    np.testing.assert_array_equal(first.held_out_logits, second.held_out_logits)


@pytest.mark.slow
def test_a_training_that_is_ended_from_outside_leaves_its_best_epoch(tune) -> None:
    tuner = tune(TAIL)
    epochs: list[int] = []

    def on_step() -> None:
        if epochs == [1]:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        tuner.fit(TRAIN, HELD_OUT, on_work=on_step, on_epoch=lambda epoch, _: bool(epochs.append(epoch)))
    assert tuner.best is not None
    assert tuner.best.best_epoch == 1
    assert tuner.best.held_out_logits.shape == (len(HELD_OUT), 2)


@pytest.mark.slow
def test_a_pruner_ends_it(tune) -> None:
    tuned = tune(TAIL).fit(TRAIN, HELD_OUT, on_work=nothing, on_epoch=lambda epoch, _: epoch == 2)
    assert len(tuned.curves.train_loss) == 2


@pytest.mark.slow
def test_without_held_out_photos_the_last_epoch_counts(tune) -> None:
    tuned = tune(replace(TAIL, patience=1)).fit(np.arange(N), np.arange(0), on_work=nothing)
    assert tuned.best_epoch == TAIL.epochs
    assert tuned.held_out_logits.shape == (0, 2)


@pytest.mark.slow
def test_patience_ends_it_where_it_gets_no_better(tune) -> None:
    tuned = tune(replace(TAIL, learning_rate=0.0, patience=2, epochs=6)).fit(TRAIN, HELD_OUT, on_work=nothing)
    assert len(tuned.curves.train_loss) == 3


@pytest.mark.slow
def test_a_loss_that_is_not_a_number_fails_the_trial(tune) -> None:
    with pytest.raises(TrialFailed, match="not a number"):
        tune(replace(TAIL, learning_rate=1e30, warmup=0.0)).fit(TRAIN, HELD_OUT, on_work=nothing)


@pytest.mark.slow
def test_too_little_memory_halves_the_batch(tune, monkeypatch: pytest.MonkeyPatch) -> None:
    step = TrainableNetwork.step

    def small_only(self, batch, **settings) -> None:
        if len(batch.targets) > 2:
            raise MemoryError
        step(self, batch, **settings)

    monkeypatch.setattr(TrainableNetwork, "step", small_only)
    tuner = tune(replace(TAIL, epochs=1))
    steps: list[int] = []
    tuner.fit(TRAIN, HELD_OUT, on_work=lambda: steps.append(tuner.batch_size))
    assert tuner.batch_size == 2
    assert steps.count(2) >= 8


@pytest.mark.slow
def test_where_one_photo_is_too_much_the_trial_fails(tune, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr(TrainableNetwork, "step", never)
    with pytest.raises(TrialFailed, match="memory"):
        tune(TAIL).fit(TRAIN, HELD_OUT, on_work=nothing)


@pytest.mark.slow
def test_stored_activations_are_removed(tune, tmp_path: Path) -> None:
    with tune(TAIL) as tuner:
        tuner.fit(TRAIN, HELD_OUT, on_work=nothing, on_epoch=lambda *_: True)
        assert list(tmp_path.glob("activations-*/*"))
    assert not list(tmp_path.glob("activations-*"))


@pytest.mark.slow
def test_trials_of_one_kind_share_their_graph(tune) -> None:
    for rate, dropout, ema in ((1e-3, 0.0, 0.9), (1e-4, 0.5, 0.5)):
        tuner = tune(replace(TAIL, learning_rate=rate, dropout=dropout, weight_decay=rate, ema=ema, epochs=1))
        tuner.fit(TRAIN, HELD_OUT, on_work=nothing)
        counts = [f.experimental_get_tracing_count() for f in (tuner._network._train, tuner._network._average._update)]
        if rate == 1e-3:
            first = counts
    assert counts == first


def test_without_a_stopwatch_nothing_is_probed(tune, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(_: object) -> None:
        raise AssertionError("a stopwatch was used")

    monkeypatch.setattr(fine_tuner, "best_precision", never)
    kind = tune(TAIL, deterministic=True)._network.kind
    assert (kind.precision, kind.deterministic) == (PLAIN, True)


@pytest.mark.slow
def test_sums_have_a_fixed_order_while_it_works(tune) -> None:
    is_fixed: list[bool] = []

    def note() -> None:
        is_fixed.append(config.is_op_determinism_enabled())

    tuner = tune(replace(SETTINGS, epochs=1, dropout=0.3, mix="cutmix", colour=0.2), deterministic=True)
    tuner.probe()
    first = tuner.fit(TRAIN, HELD_OUT, on_work=note)
    assert not config.is_op_determinism_enabled()
    second = tuner.fit(TRAIN, HELD_OUT, on_work=note)
    assert all(is_fixed)
    np.testing.assert_array_equal(first.held_out_logits, second.held_out_logits)


@pytest.mark.slow
def test_sums_are_free_again_after_a_training_that_was_ended(tune) -> None:
    def stop() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        tune(TAIL, deterministic=True).fit(TRAIN, HELD_OUT, on_work=stop)
    assert not config.is_op_determinism_enabled()
