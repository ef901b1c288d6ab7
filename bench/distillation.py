"""What a small model gains by learning from the answers of larger ones, out of fold on training photographs.

    python -m bench.distillation [--data beans hymenoptera] [--features FOLDER] [--sizes 96 160 224] [--repeats 3]

Logistic regressions on frozen features, as the search trains them: five folds, several times. Every student is trained
twice, by the classes alone (direct) and by the answers of a teacher that is fitted inside the photos which
each model of the student learns from. Differences are paired by photo, with their 95 % interval; losses are of
calibrated answers, in nats, with the standard error of their difference. The features are those of `bench.backbones`.

"single" sets the best single network beside the best of all fusions of three or five, both chosen by the same answers.
"""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np

from automl.backbone_table import BACKBONES
from automl.evaluation.intervals import difference_interval
from automl.models.head.logistic import fit_logistic
from automl.models.head.network import cross_entropy
from automl.models.head.settings import HeadSettings, Targets
from automl.models.weights.cache import installed
from automl.search.confidence import best_temperature
from automl.search.joined import Joined, Normalisation, View, unit_mean
from automl.search.soft_answers import SoftAnswers, held_out_answers, nested_answers
from automl.search.space import LAST_TAP, SEVERAL_TAPS
from automl.search.stages.distillation import SOFT_SHARE, TEMPERATURE
from automl.settings import load_settings
from bench.backbones import DATA_SETS, Part, extract
from bench.harness import DATA, report

N_FOLDS, TEACHER_PX, MOST_MB = 5, 224, 22.0
TEACHERS = ("mobilenet_v2", "mobilenet_v1", "efficientnet_lite2")
STUDENTS = ("mobilenet_v2", "mobilenet_v1", "efficientnet_lite0", "efficientnet_lite1", "efficientnet_lite2")
SMALL = ("mobilenet_v2", "mobilenet_v1")
"""What is taught at sizes below the teacher's; at its own size, every single network is."""
RECIPE = HeadSettings(
    dropout=0.0, learning_rate=0.1, weight_decay=0.0, label_smoothing=0.0, lr_schedule="constant", patience=None
)


@dataclass(frozen=True, slots=True)
class Answers:
    """Held-out answers of one model.

    Attributes:
        name: of the model.
        right: float (n_photos,), the share of the repeats in which it was right.
        losses: float (n_photos,), the mean log loss of its calibrated answers.
    """

    name: str
    right: np.ndarray
    losses: np.ndarray

    @classmethod
    def of(cls, name: str, logits: np.ndarray, labels: np.ndarray) -> "Answers":
        """logits: float (n_repeats, n_photos, n_classes)."""
        told = np.broadcast_to(labels, logits.shape[:2])
        flat = logits.reshape(-1, logits.shape[2]).astype(np.float64)
        temperature = best_temperature(flat, told.ravel(), n_photos=len(labels))
        losses = cross_entropy(logits.astype(np.float64) / temperature, told)
        return cls(name, (logits.argmax(axis=2) == labels).mean(axis=0), losses.mean(axis=0))

    def figures(self) -> dict[str, float]:
        return {"accuracy": round(100 * float(self.right.mean()), 2), "loss": round(float(self.losses.mean()), 4)}

    def beyond(self, other: "Answers") -> dict[str, object]:
        """The difference in points, and how much lower the loss is."""
        gains = self.right - other.right
        low, high = difference_interval(gains, np.arange(len(gains)))
        lower = other.losses - self.losses
        return {
            "points": round(100 * float(gains.mean()), 2),
            "interval_95": [round(100 * low, 2), round(100 * high, 2)],
            "loss_lower_by": round(float(lower.mean()), 4),
            "standard_error": round(float(lower.std(ddof=1)) / len(lower) ** 0.5, 4),
        }


class Probes:
    """Regressions on the training photographs of one data set."""

    def __init__(self, name: str, features: Path, repeats: int) -> None:
        self._name, self._features = name, features
        part = self._part(TEACHER_PX)
        self.labels = np.unique(part.labels(), return_inverse=True)[1]
        n_classes = int(self.labels.max()) + 1
        folds = np.stack([_folds(self.labels, seed) for seed in range(repeats)], axis=1)
        self.targets = Targets(labels=self.labels, folds=folds, n_folds=N_FOLDS, n_classes=n_classes)

    def direct(self, names: Sequence[str], layers: str, size_px: int) -> np.ndarray:
        return held_out_answers(self.joined(names, layers, size_px), self.targets, RECIPE)

    def teacher(self, layers: str) -> SoftAnswers:
        held_out = self.direct(TEACHERS, layers, TEACHER_PX)
        return nested_answers(self.joined(TEACHERS, layers, TEACHER_PX), self.targets, RECIPE, held_out=held_out)

    def taught(self, name: str, layers: str, size_px: int, teacher: SoftAnswers) -> np.ndarray:
        soft = teacher.targets(self.labels, share=SOFT_SHARE, temperature=TEMPERATURE)
        return fit_logistic(self.joined([name], layers, size_px), self.targets, RECIPE, soft=soft).held_out_logits

    def joined(self, names: Sequence[str], layers: str, size_px: int) -> Joined:
        """Features side by side, each layer divided by its norm."""
        parts = [layer for name in names for layer in self._layers(name, layers, size_px)]
        return Joined(View(parts, Normalisation.of_units([unit_mean(part) for part in parts]), in_memory=True))

    def _layers(self, name: str, layers: str, size_px: int) -> list[np.ndarray]:
        weights = installed(load_settings().weights_dir)[name]
        part = self._part(size_px)
        extract(part, {name: weights}, size_px)
        values = np.load(part.kept / f"{name}.taps.npy")
        ends = np.cumsum(weights.tap_widths).tolist()
        found = [values[:, end - width : end] for end, width in zip(ends, weights.tap_widths, strict=True)]
        return found[-1:] if layers == LAST_TAP else found

    def _part(self, size_px: int) -> Part:
        return Part(DATA / self._name / "train", self._features / f"{self._name}-{size_px}" / "train")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", nargs="+", choices=DATA_SETS, default=DATA_SETS)
    parser.add_argument("--features", type=Path, default=Path("var") / "bench-features")
    parser.add_argument("--sizes", type=int, nargs="+", default=[96, 160, 224])
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    for name in options.data:
        probes = Probes(name, options.features, options.repeats)
        layers = SEVERAL_TAPS if len(probes.labels) >= 300 else LAST_TAP  # as the search chooses them
        teacher = probes.teacher(layers)
        pairs = list(_pairs(probes, layers, teacher, options.sizes))
        report(
            "distillation",
            data=name,
            n_photos=len(probes.labels),
            layers=layers,
            repeats=options.repeats,
            share=SOFT_SHARE,
            temperature=TEMPERATURE,
            teacher=Answers.of(
                " + ".join(TEACHERS), probes.direct(TEACHERS, layers, TEACHER_PX), probes.labels
            ).figures(),
            students=[
                {
                    "student": taught.name,
                    "direct": direct.figures(),
                    "taught": taught.figures(),
                    "gain": taught.beyond(direct),
                }
                for direct, taught in pairs
            ],
            single=_single(probes, layers, [one for pair in pairs for one in pair]),
        )


def _pairs(
    probes: Probes, layers: str, teacher: SoftAnswers, sizes: Sequence[int]
) -> Iterator[tuple[Answers, Answers]]:
    """Each student, direct and taught."""
    for size in sizes:
        for name in STUDENTS if size == TEACHER_PX else SMALL:
            title = f"{BACKBONES[name].title} at {size} px"
            direct, taught = probes.direct([name], layers, size), probes.taught(name, layers, size, teacher)
            yield (
                Answers.of(f"{title}, direct", direct, probes.labels),
                Answers.of(f"{title}, taught", taught, probes.labels),
            )


def _single(probes: Probes, layers: str, singles: Sequence[Answers]) -> dict[str, object]:
    """The best single network of at most 22 MB beside the best fusion of three or five."""
    fused = [names for n in (len(TEACHERS), len(STUDENTS)) for names in combinations(STUDENTS, n)]
    ensembles = [
        Answers.of(" + ".join(names), probes.direct(names, layers, TEACHER_PX), probes.labels) for names in fused
    ]
    assert all(BACKBONES[name].figures.megabytes <= MOST_MB for name in STUDENTS)
    best, single = (max(some, key=lambda one: one.right.mean()) for some in (ensembles, singles))
    return {
        "ensemble": best.name,
        "ensemble_figures": best.figures(),
        "single": single.name,
        "single_figures": single.figures(),
        "single_beyond_ensemble": single.beyond(best),
    }


def _folds(labels: np.ndarray, seed: int) -> np.ndarray:
    """int (n_photos,): a fold for each, class by class, in an order that is drawn."""
    random, folds = np.random.default_rng(seed), np.empty(len(labels), int)
    for label in np.unique(labels):
        rows = random.permutation(np.flatnonzero(labels == label))
        folds[rows] = np.arange(len(rows)) % N_FOLDS
    return folds


if __name__ == "__main__":
    main()
