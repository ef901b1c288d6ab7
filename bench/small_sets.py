"""What a score on few photos promises, against the truth on the photos that were not drawn.

    python -m bench.small_sets [--draws 45] [--permuted 15] [--part training] [--sizes 10 20 30 40 60 80]

Some photos of each class are drawn many times, at most a third of the set, and searched over as a run searches over
heads on frozen features. The score is that of `automl.evaluation.bias_corrected`, the truth is the accuracy of the
delivered model on the photos that were not drawn. Beside it stand the fixed recipe, the best trial by accuracy, and
the way before, 15 % held out and the best trial of a cross-validation of the others. Labels are permuted, too: then
the truth is chance, and a score above it is the luck of the choice.

The heads are logistic regressions in the span of the drawn photos, all folds at once, since hundreds of whole searches
would take days: the recipe on each network and on all, and others on random networks, taps, normalisations and
strengths of regularisation. Features are centred and standardised by all photos of the part.
With `--part training` only training photographs are read, which is how the method was chosen; `all` reports on
everything.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np

from automl.evaluation.bias_corrected import bias_corrected
from automl.evaluation.intervals import wilson_interval
from automl.images.pixel_rules import rules_of
from automl.ingest.local import ingest_folder
from automl.models.head.logistic import Regression
from automl.models.head.network import cross_entropy
from automl.models.weights.cache import installed
from automl.search.block import Block
from automl.search.frozen import FrozenFeatures
from automl.search.objective import Objective
from automl.search.selection import AskedPhotos, ModelParts, TrialAnswers, chosen_counts
from automl.search.space import LAST_TAP, SEVERAL_TAPS
from automl.settings import Settings, load_settings
from bench.harness import DATA, report

FOLDERS = {
    "beans": {"training": ("train", "validation"), "all": ("train", "validation", "test")},
    "hymenoptera": {"training": ("train",), "all": ("train", "val")},
}
SIZE_PX, N_REPEATS, TEST_SHARE = 224, 3, 0.15
N_FOLDS, MANY_FOLDS, FEW_OF_A_CLASS = 5, 10, 30
"""Below so many of a class there are ten folds: models that learn from four fifths of 10 photos are clearly worse."""

SIZES = (10, 20, 30, 40, 60, 80)
N_OTHER_KERNELS, N_STRENGTHS, RECIPE_C = 6, 3, 100.0
STRENGTHS = (0.1, 1000.0)
"""The other values of C are drawn between these, by their logarithm."""

_SMALLEST_SHARE = 1e-7

MOST_DRAWN = 1 / 3
"""Of the set, where promise and truth are compared: the truth needs photos, too. Larger draws only meet the recipe."""

Kernel = tuple[tuple[str, ...], str, str]
"""Networks, "last" or "several" taps, "unit" or "standardised"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """All photos of a set.

    Attributes:
        labels: int (n_photos,).
        grams: by network, taps and normalisation, float32 (n_photos, n_photos): inner products of features.
        networks: their names.
    """

    labels: np.ndarray
    grams: dict[tuple[str, str, str], np.ndarray]
    networks: tuple[str, ...]

    @property
    def n_classes(self) -> int:
        return int(self.labels.max()) + 1

    def gram(self, kernel: Kernel) -> np.ndarray:
        names, taps, normalisation = kernel
        return np.asarray(sum(self.grams[name, taps, normalisation] for name in names))


@dataclass(frozen=True, slots=True, kw_only=True)
class Draw:
    """Some photos of a set, and those that are left.

    Attributes:
        labels: int (n_photos,), of the whole set, permuted or not.
        rows: int, the drawn photos.
        others: int, the photos that were not drawn.
        kernels: the features of the trials, those of the recipe first.
        strengths: of each kernel, float (n_strengths,).
    """

    labels: np.ndarray
    rows: np.ndarray
    others: np.ndarray
    kernels: tuple[Kernel, ...]
    strengths: np.ndarray


class WholePart(FrozenFeatures):
    """The features of every photo, each block computed once and kept in the usual cache."""

    def taps_of(self, block: Block) -> list[np.ndarray]:
        """float32 (n_photos, width) each, from shallow to last."""
        self.decode([block], _say_nothing)
        self.compute(block, _say_nothing)
        columns = self._columns(block.backbone, SEVERAL_TAPS)
        return [self._blocks[block][:, start:end].astype(np.float32) for start, end in columns]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=45, help="of each size and set")
    parser.add_argument("--permuted", type=int, default=15, help="the same with permuted labels")
    parser.add_argument("--part", choices=("training", "all"), default="training")
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="photos of each class")
    parser.add_argument("--data", nargs="+", default=list(FOLDERS), choices=list(FOLDERS))
    options = parser.parse_args()
    settings = load_settings()
    rows = []
    for name in options.data:
        pool = load_pool(name, FOLDERS[name][options.part], settings)
        rows += [row for n in options.sizes for row in _rows(name, pool, n, options)]
    report("small_sets", part=options.part, rows=rows, together=_together(rows))


def load_pool(name: str, folders: Sequence[str], settings: Settings) -> Pool:
    """The inner products of all photos of some folders of a data set."""
    weights = installed(settings.weights_dir)
    manifests = [ingest_folder(DATA / name / folder, settings) for folder in folders]
    images = [image for manifest in manifests for image in manifest.images]
    features = WholePart(images, weights, settings.features_dir, rules=rules_of(manifests[0].contract))
    grams = {}
    for network in weights:
        taps = features.taps_of(Block(network, SIZE_PX))
        for kind, prepare in NORMALISATIONS.items():
            products = [prepared @ prepared.T for prepared in map(prepare, taps)]
            grams[network, LAST_TAP, kind] = products[-1]
            grams[network, SEVERAL_TAPS, kind] = np.sum(products, axis=0)
    classes = manifests[0].classes
    return Pool(labels=np.array([classes.index(image.label) for image in images]), grams=grams, networks=tuple(weights))


def unit(tap: np.ndarray) -> np.ndarray:
    """Each photo's vector divided by its norm, then centred."""
    scaled = tap / np.maximum(np.linalg.norm(tap, axis=1, keepdims=True), 1e-9)
    return np.asarray(scaled - scaled.mean(axis=0))


def standardised(tap: np.ndarray) -> np.ndarray:
    """Each feature with the deviation 1, all divided by the root of the width."""
    deviations = tap.std(axis=0)
    scales = np.where(deviations > 1e-4, deviations, np.inf) * tap.shape[1] ** 0.5
    return np.asarray((tap - tap.mean(axis=0)) / scales)


NORMALISATIONS = {"unit": unit, "standardised": standardised}


def draw_of(pool: Pool, n: int, seed: int, *, permuted: bool) -> Draw:
    """Draws `n` photos of each class, and the trials of their search."""
    random = np.random.default_rng([n, seed, permuted])
    labels = random.permutation(pool.labels) if permuted else pool.labels
    classes = [np.flatnonzero(labels == label) for label in range(pool.n_classes)]
    rows = np.concatenate([random.choice(own, n, replace=False) for own in classes])
    kernels = recipe_kernels(pool.networks)
    fused = [names for size in (1, 2, 3) for names in combinations(pool.networks, size)]
    others = [(names, taps, kind) for names in fused for taps in (LAST_TAP, SEVERAL_TAPS) for kind in NORMALISATIONS]
    others = [kernel for kernel in others if kernel not in kernels]
    chosen = random.choice(len(others), N_OTHER_KERNELS, replace=False)
    n_kernels = len(kernels) + N_OTHER_KERNELS
    weakest, strongest = np.log10(STRENGTHS)
    strengths = 10 ** random.uniform(weakest, strongest, size=(n_kernels, N_STRENGTHS))
    strengths[:, 0] = RECIPE_C
    return Draw(
        labels=labels,
        rows=rows,
        others=np.setdiff1d(np.arange(len(labels)), rows),
        kernels=(*kernels, *(others[place] for place in chosen)),
        strengths=strengths,
    )


def recipe_kernels(networks: Sequence[str]) -> list[Kernel]:
    """Each network alone, then all of them side by side."""
    alone: list[Kernel] = [((name,), LAST_TAP, "unit") for name in networks]
    return [*alone, (tuple(networks), LAST_TAP, "unit")] if len(networks) > 1 else alone


def tried(pool: Pool, draw: Draw, seed: int, *, n_repeats: int = N_REPEATS) -> tuple[TrialAnswers, np.ndarray]:
    """All trials: their out-of-fold answers, and those of their final models on the other photos.

    Returns:
        The answers, and float32 (n_trials, n_others, n_classes).
    """
    labels = draw.labels[draw.rows]
    folds = folds_of(labels, np.random.default_rng(seed), n_repeats)
    n_folds = int(folds.max()) + 1
    learned = (folds[:, None] != np.arange(n_folds)[:, None]).reshape(-1, len(labels))
    learned = np.concatenate([learned, np.ones((1, len(labels)), bool)])
    held_out, beside = [], []
    for kernel, strengths in zip(draw.kernels, draw.strengths, strict=True):
        own, other = in_span(pool.gram(kernel), draw.rows, draw.others)
        models = regressed(
            own, labels, np.tile(learned, (N_STRENGTHS, 1)), np.repeat(strengths, len(learned)), pool.n_classes
        )
        models = models.reshape(len(models), N_STRENGTHS, len(learned), -1)
        held_out.append(_held_out(own, models, folds))
        final = models[:, :, -1]
        beside.append(np.einsum("rf,fsc->src", other, final[:-1]) + final[-1][:, None])
    n_trials = len(draw.kernels) * N_STRENGTHS
    n_recipes = len(recipe_kernels(pool.networks))
    answers = TrialAnswers(
        numbers=tuple(range(n_trials)),
        logits=np.concatenate(held_out),
        parts=ModelParts(uses=np.ones((n_trials, 1), bool), n_bytes=np.ones(1), latency_s=np.ones(1)),
        recipe=_tiers([N_STRENGTHS * place for place in range(n_recipes)]),
    )
    return answers, np.concatenate(beside)


def _tiers(places: list[int]) -> tuple[tuple[int, ...], ...]:
    """The recipes on one network, then the one on all, as `recipe_kernels` orders them."""
    return (tuple(places[:-1]), (places[-1],)) if len(places) > 1 else (tuple(places),)


def folds_of(labels: np.ndarray, random: np.random.Generator, n_repeats: int) -> np.ndarray:
    """int (n_repeats, n_rows): the fold that holds each photo out, dealt out class by class."""
    folds = np.empty((n_repeats, len(labels)), int)
    n_folds = MANY_FOLDS if np.bincount(labels).min() < FEW_OF_A_CLASS else N_FOLDS
    for repeat in range(n_repeats):
        dealt = np.concatenate([random.permutation(np.flatnonzero(labels == label)) for label in np.unique(labels)])
        folds[repeat, dealt] = np.arange(len(labels)) % n_folds
    return folds


def in_span(gram: np.ndarray, rows: np.ndarray, others: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Coordinates of photos in the span of the centred `rows`: float32 (len(rows), rank), (len(others), rank).

    Args:
        gram: float (n_photos, n_photos), inner products of the features.
        rows: int, the photos that are learned from.
        others: int, further photos.
    """
    inner = gram[np.ix_(rows, rows)].astype(np.float64)
    means = inner.mean(axis=0)
    variances, axes = np.linalg.eigh(inner - means - means[:, None] + inner.mean())
    kept = variances > _SMALLEST_SHARE * variances[-1]
    axes, deviations = axes[:, kept], np.sqrt(variances[kept])
    beside = gram[np.ix_(others, rows)].astype(np.float64)
    centred = beside - beside.mean(axis=1, keepdims=True) - means + inner.mean()
    return (axes * deviations).astype(np.float32), (centred @ (axes / deviations)).astype(np.float32)


def regressed(
    x: np.ndarray, labels: np.ndarray, learned: np.ndarray, strengths: np.ndarray, n_classes: int
) -> np.ndarray:
    """The kernels of many regressions on the same photos, the bias last: float32 (n_features + 1, n_models, n_classes).

    Args:
        x: float32 (n_rows, n_features).
        labels: int (n_rows,).
        learned: bool (n_models, n_rows), the photos that each model learns from.
        strengths: float (n_models,), scikit-learn's C.
        n_classes: the number of classes.
    """
    wanted = np.eye(n_classes, dtype=np.float32)[labels]
    kernels, biases = Regression(x, wanted, learned=learned.T.astype(np.float64), strengths=strengths).solve()
    return np.concatenate([kernels, biases[None]]).astype(np.float32)


def _held_out(x: np.ndarray, models: np.ndarray, folds: np.ndarray) -> np.ndarray:
    """float32 (n_strengths, n_repeats, n_rows, n_classes): each photo's answers by the models that had not seen it."""
    logits = np.einsum("rf,fsmc->smrc", x, models[:-1], optimize=True) + models[-1][:, :, None]
    places = folds + (folds.max() + 1) * np.arange(len(folds))[:, None]
    return np.asarray(logits[:, places, np.arange(len(x))], np.float32)


def _rows(name: str, pool: Pool, n: int, options: argparse.Namespace) -> list[dict[str, Any]]:
    """The figures of one size, with the photos' own labels and with permuted ones."""
    is_promised = n * pool.n_classes <= MOST_DRAWN * len(pool.labels)
    kinds = {"own": options.draws, "permuted": options.permuted if is_promised else 0}
    rows = []
    for labels, n_draws in kinds.items():
        drawn = [
            _outcome(pool, n, seed, is_permuted=labels == "permuted", is_promised=is_promised)
            for seed in range(n_draws)
        ]
        if drawn:
            rows.append({"data": name, "photos_of_each_class": n, "labels": labels, "n_draws": n_draws})
            rows[-1].update(_figures(drawn))
            print(rows[-1], file=sys.stderr, flush=True)
    return rows


def _outcome(pool: Pool, n: int, seed: int, *, is_permuted: bool, is_promised: bool) -> dict[str, float]:
    """What is true of one draw, and what was promised: by the bias-corrected score and by today's way."""
    draw = draw_of(pool, n, seed, permuted=is_permuted)
    answers, beside = tried(pool, draw, seed)
    photos, truth = asked(draw), draw.labels[draw.others]
    (counts,) = chosen_counts(answers, photos, Objective(), np.ones((1, photos.n_groups)))
    delivered = accuracy_of(np.tensordot(counts / counts.sum(), beside, axes=1), truth)
    found = {
        "truth": delivered,
        "recipe": accuracy_of(beside[answers.recipe[-1][0]], truth),
        "best_trial": accuracy_of(beside[_best_by_accuracy(answers, photos.labels)], truth),
    }
    if is_promised:
        score = bias_corrected(answers, photos, Objective(), seed=seed)
        found |= against(score.accuracy, score.accuracy_interval, delivered, len(truth))
    if is_promised and not is_permuted:
        found |= {f"today_{key}": value for key, value in _promise_of_today(pool, draw, seed).items()}
    return found


def _promise_of_today(pool: Pool, draw: Draw, seed: int) -> dict[str, float]:
    """The best of the same trials by a cross-validation of 85 % of the photos, tested on the other 15 %."""
    random = np.random.default_rng(seed)
    labels = draw.labels[draw.rows]
    held: list[int] = []
    for label in range(pool.n_classes):
        own = draw.rows[labels == label]
        held += random.choice(own, max(1, round(TEST_SHARE * len(own))), replace=False).tolist()
    learned = replace(draw, rows=np.setdiff1d(draw.rows, held), others=np.concatenate([held, draw.others]))
    answers, beside = tried(pool, learned, seed)
    best = _best_by_accuracy(answers, learned.labels[learned.rows])
    is_right = beside[best].argmax(axis=-1) == learned.labels[learned.others]
    n_right = float(is_right[: len(held)].sum())
    truth = is_right[len(held) :]
    return against(n_right / len(held), wilson_interval(n_right, len(held)), float(truth.mean()), len(truth))


def _best_by_accuracy(answers: TrialAnswers, labels: np.ndarray) -> int:
    """Place of the trial that is right most often; of equal ones, the one with the lowest log loss."""
    targets = np.broadcast_to(labels, answers.logits.shape[:-1])
    accuracy = (answers.logits.argmax(axis=-1) == targets).mean(axis=(1, 2))
    losses = cross_entropy(answers.logits, targets).mean(axis=(1, 2))
    return int(np.lexsort((losses, -accuracy.round(9)))[0])


def asked(draw: Draw) -> AskedPhotos:
    labels = draw.labels[draw.rows]
    return AskedPhotos(labels=labels, groups=np.arange(len(labels)), n_classes=int(draw.labels.max()) + 1)


def accuracy_of(logits: np.ndarray, labels: np.ndarray) -> float:
    return float((logits.argmax(axis=-1) == labels).mean())


def against(promise: float, interval: tuple[float, float], truth: float, n_others: int) -> dict[str, float]:
    """How a promise compares with the truth, whose own sampling error widens the interval in `holds_within_error`."""
    error = max(truth * (1 - truth), 1 / (4 * n_others)) ** 0.5 / n_others**0.5
    low, high = (promise + np.sign(end - promise) * np.hypot(end - promise, 1.96 * error) for end in interval)
    return {
        "promise": promise,
        "truth": truth,
        "truth_error": error,
        "width": interval[1] - interval[0],
        "holds": float(interval[0] - 1e-9 <= truth <= interval[1] + 1e-9),
        "holds_within_error": float(low - 1e-9 <= truth <= high + 1e-9),
    }


def _figures(drawn: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Means over the draws, and paired differences with their standard errors."""
    values = {key: np.array([one[key] for one in drawn]) for key in drawn[0]}
    found = {key: round(float(column.mean()), 4) for key, column in values.items()}
    found |= paired("gain_over_recipe", values["truth"] - values["recipe"])
    found |= paired("gain_over_best_trial", values["truth"] - values["best_trial"])
    if "promise" in values:
        found |= paired("optimism", values["promise"] - values["truth"])
    if "today_truth" in values:
        found |= paired("gain_over_today", values["truth"] - values["today_truth"])
        found["width_against_today"] = round(found["width"] / found["today_width"], 3)
    return found


def paired(name: str, differences: np.ndarray) -> dict[str, float]:
    return {
        name: round(float(differences.mean()), 4),
        f"{name}_error": round(float(differences.std(ddof=1) / len(differences) ** 0.5), 4),
        f"{name}_5th_percentile": round(float(np.percentile(differences, 5)), 4),
    }


def _together(rows: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, float]]:
    """All sizes of both sets, each draw counted once."""
    found = {}
    for labels in ("own", "permuted"):
        kept = [row for row in rows if row["labels"] == labels and "promise" in row]
        n_draws = [row["n_draws"] for row in kept]
        keys = ("holds", "holds_within_error", "optimism", "gain_over_recipe") if kept else ()
        means = {key: round(float(np.average([row[key] for row in kept], weights=n_draws)), 4) for key in keys}
        found[labels] = {"n_draws": sum(n_draws), **means}
    return found


def _say_nothing(_done: int, _total: int) -> None:
    """Progress is for people."""


if __name__ == "__main__":
    main()
