"""How many photos of nothing that a model has learned are recognised, and how many true photos are taken for such.

    python -m bench.novelty [--backbones mobilenet_v2 ...] [--per-class 130] [--features FOLDER]

A model learns from the training photos of one set, with a logistic regression on the last layers of frozen networks.
The distance and its threshold come from `automl.evaluation.novelty`, on those photos alone. The peer of the same run is
the maximum softmax probability (Hendrycks and Gimpel, 2017, arXiv:1610.02136), whose threshold is found in the same
way, by what is held out. True photos are those of the official test. Far subjects: the other sets, scikit-learn's
digits, scikit-image's and scikit-learn's pictures. Near ones, without a target: a disease of leaves that was left out.
No threshold has seen any of the pictures that the rates are about.

With `none of these`, the model of ants and bees has a class of anything else beside its kinds: of the pictures of
scikit-image and scikit-learn, or of so many leaves, which are the training photos of beans. What it says of the leaves
of the test, and what that costs its kinds, is counted.
"""

import argparse
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression

from automl.evaluation.intervals import wilson_interval
from automl.evaluation.novelty import AIM, learn_distance, threshold_of
from automl.evaluation.other_pictures import N_DIGITS as N_SHIPPED_DIGITS
from automl.evaluation.other_pictures import other_pictures
from automl.models.features import OnnxExtractor, features_of
from automl.models.weights.cache import installed
from automl.search.joined import unit
from automl.serving.predict import load_image, resize_square
from automl.settings import load_settings
from bench.harness import DATA, report

SIZE_PX, N_FOLDS, RECIPE_C, N_DIGITS, N_LEARNED_DIGITS = 224, 5, 100.0, 500, 300
N_LEAVES = (10, 30, 100)


@dataclass(frozen=True, slots=True)
class Part:
    """Photos as all networks see them.

    Attributes:
        taps: float32 (n, n_features), the last layers side by side.
        labels: int (n,), their classes.
        widths: the number of features of each network.
    """

    taps: np.ndarray
    labels: np.ndarray
    widths: tuple[int, ...]

    @property
    def units(self) -> np.ndarray:
        """The same, each last layer divided by its norm."""
        parts = np.split(self.taps, np.cumsum(self.widths)[:-1], axis=1)
        return np.concatenate([unit(part) for part in parts], axis=1)

    def of(self, chosen: np.ndarray) -> "Part":
        return Part(self.taps[chosen], self.labels[chosen], self.widths)


Score = Callable[[Part], np.ndarray]
"""float (n,), above 1 for what the model is said not to have learned."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--backbones", nargs="+", help="networks side by side; all that are installed by default")
    parser.add_argument("--per-class", type=int, default=130, help="most training photos of a class of beans")
    parser.add_argument("--features", type=Path, help="a folder that keeps the features for the next time")
    options = parser.parse_args()
    weights = installed(load_settings().weights_dir)
    chosen = [weights[name] for name in options.backbones or weights]
    pixels = parts_as_pixels(options.per_class)
    taps: dict[str, list[np.ndarray]] = {name: [] for name in pixels}
    for one in chosen:
        extractor = OnnxExtractor(one)
        for name, (images, _) in pixels.items():
            key = hashlib.sha256(one.sha256.encode() + images.tobytes()).hexdigest()
            taps[name].append(_kept(options.features, key, partial(_last_layer, images, extractor)))
    widths = tuple(one.tap_widths[-1] for one in chosen)
    parts = {name: Part(np.concatenate(taps[name], axis=1), labels, widths) for name, (_, labels) in pixels.items()}
    sets = ("beans", "hymenoptera", "digits")
    report(
        "novelty",
        backbones=[one.name for one in chosen],
        aim_of_true_photos=AIM,
        target_of_far_subjects=0.9,
        far={
            name: _rates(
                parts[f"{name} learned"],
                parts[f"{name} test"],
                {other: parts[f"{other} test"] for other in sets if other != name} | {"shipped": parts["shipped"]},
            )
            for name in sets
        },
        near=_near(parts["beans learned"], parts["beans test"]),
        none_of_these=_with_class_of_anything_else(parts),
    )


def _with_class_of_anything_else(parts: dict[str, Part]) -> dict[str, Any]:
    learned, tested, leaves = (parts[name] for name in ("hymenoptera learned", "hymenoptera test", "beans test"))
    drawn = np.random.default_rng(0).permutation(len(parts["beans learned"].taps))
    others = {"no class": parts["shipped"].of(np.arange(0)), "the shipped pictures": parts["shipped"]}
    others |= {f"{n} leaves": parts["beans learned"].of(drawn[:n]) for n in N_LEAVES}
    return {name: _answers_with(learned, other, tested=tested, leaves=leaves) for name, other in others.items()}


def _answers_with(learned: Part, other: Part, *, tested: Part, leaves: Part) -> dict[str, Any]:
    """Of a recipe head that learns `other` as one class more: right answers to the kinds, and how both are mixed up."""
    units = np.concatenate([learned.units, other.units])
    labels = np.concatenate([learned.labels, np.full(len(other.taps), -1)])
    answers = [_recipe_head(units, labels)(part.units) for part in (tested, leaves)]
    said_of_kinds, said_of_leaves = (answer.argmax(axis=1) for answer in answers)
    classes = np.unique(labels)
    n_right = int((classes[said_of_kinds] == tested.labels).sum())
    return {
        "kinds_right": f"{n_right} of {len(tested.taps)}",
        "kinds_taken_for_else": int((classes[said_of_kinds] == -1).sum()),
        "leaves_known": share(2.0 * (classes[said_of_leaves] == -1)),
    }


def _recipe_head(units: np.ndarray, labels: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """Fitted; its probabilities of photos, float (n, n_classes)."""
    mean = units.mean(axis=0)
    # The kernel lies in the span of the photos, which has fewer dimensions than there are features.
    span = np.linalg.qr((units - mean).T)[0]
    head = LogisticRegression(C=RECIPE_C, max_iter=1_000).fit((units - mean) @ span, labels)
    return lambda asked: head.predict_proba((asked - mean) @ span)


def _last_layer(images: np.ndarray, extractor: OnnxExtractor) -> np.ndarray:
    """float32 (n, n_features)."""
    return features_of(images, extractor)[:, -extractor.tap_widths[-1] :]


def _kept(folder: Path | None, key: str, compute: Callable[[], np.ndarray]) -> np.ndarray:
    """What was computed before, from the folder; else it is computed now and kept."""
    if folder is None:
        return compute()
    path = folder / f"{key}.npy"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        np.save(path, compute())
    values: np.ndarray = np.load(path)
    return values


def _near(learned: Part, tested: Part) -> dict[str, Any]:
    """Leaves of beans, without one of the three kinds each time."""
    return {
        f"beans without class {left_out}": _rates(
            learned.of(learned.labels != left_out),
            tested.of(tested.labels != left_out),
            {"the class left out": tested.of(tested.labels == left_out)},
        )
        for left_out in range(3)
    }


def _rates(learned: Part, tested: Part, others: dict[str, Part]) -> dict[str, Any]:
    """For the distance and its peer: the share of true photos flagged, and the share of each other part recognised."""
    folds = np.random.default_rng(0).permutation(len(learned.taps)) % N_FOLDS
    scores = {"distance": _distance(learned, folds), "maximum softmax probability": _peer(learned, folds)}
    return {
        name: {"true photos flagged": share(score(tested)), **{other: share(score(p)) for other, p in others.items()}}
        for name, score in scores.items()
    }


def _distance(learned: Part, folds: np.ndarray) -> Score:
    names = [f"network {number}" for number in range(len(learned.widths))]
    found = learn_distance(learned.units, taps=names, widths=learned.widths, folds=folds)
    assert found is not None
    return lambda part: found.distance.of(part.taps)


def _peer(learned: Part, folds: np.ndarray) -> Score:
    """Doubt, 1 less the probability of the answer, by the threshold that is found for it in the same way."""
    units, labels = learned.units, learned.labels

    def doubt(rows: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
        answers = _recipe_head(units[rows], labels[rows])
        return lambda asked: 1 - answers(asked).max(axis=1)

    held_out = np.empty(len(units))
    for fold in range(N_FOLDS):
        held_out[folds == fold] = doubt(np.flatnonzero(folds != fold))(units[folds == fold])
    threshold, by_all = threshold_of(held_out), doubt(np.arange(len(units)))
    return lambda part: by_all(part.units) / threshold


def share(scores: np.ndarray) -> dict[str, Any]:
    n = int((scores > 1).sum())
    return {"n": n, "of": len(scores), "interval_95": [round(end, 3) for end in wilson_interval(n, len(scores))]}


def parts_as_pixels(per_class: int) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """uint8 (n, side, side, 3) and the classes, int (n,), of each part."""
    digits, random = load_digits(), np.random.default_rng(0)
    beans = _photos(DATA / "beans" / "train", random, per_class)
    drawn = random.permutation(len(digits.images))[:N_DIGITS]
    images = [Image.fromarray((values * (255 / 16)).astype(np.uint8)).convert("RGB") for values in digits.images[drawn]]
    pictures, labels = _squares(images), digits.target[drawn]
    shipped = _squares(other_pictures()[:-N_SHIPPED_DIGITS])
    return {
        "beans learned": beans,
        "beans test": _photos(DATA / "beans" / "test", random),
        "hymenoptera learned": _photos(DATA / "hymenoptera" / "train", random),
        "hymenoptera test": _photos(DATA / "hymenoptera" / "val", random),
        "digits learned": (pictures[:N_LEARNED_DIGITS], labels[:N_LEARNED_DIGITS]),
        "digits test": (pictures[N_LEARNED_DIGITS:], labels[N_LEARNED_DIGITS:]),
        "shipped": (shipped, np.zeros(len(shipped), int)),
    }


def _squares(images: Sequence[Image.Image]) -> np.ndarray:
    return np.stack([resize_square(image, SIZE_PX) for image in images])


def _photos(folder: Path, random: np.random.Generator, per_class: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """per_class: the most of each class, drawn at random; all by default."""
    paths, labels = [], []
    for label, of_class in enumerate(sorted(path for path in folder.iterdir() if path.is_dir())):
        found = sorted(of_class.iterdir())
        chosen = range(len(found)) if per_class is None else sorted(random.permutation(len(found))[:per_class])
        paths += [found[place] for place in chosen]
        labels += [label] * len(chosen)
    return np.stack([load_image(path, SIZE_PX) for path in paths]), np.array(labels)


if __name__ == "__main__":
    main()
