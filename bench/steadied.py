"""What the mean of the good heads is worth, against the single best one, on photos that neither has seen.

    python -m bench.steadied [--subsets 8] [--tries 160] [--photos 10 25 60] [--data beans hymenoptera]

Of the training folder of a data set some photos of each class are drawn at random and searched over as a run does; the
other photos of the same folder are the test. Nothing else of the data set is read.
"""

import argparse
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from automl.datasets.split import make_split
from automl.delivery.report.building import labels_of
from automl.ingest.local import ingest_folder
from automl.models.head.settings import Targets
from automl.models.weights.cache import InstalledWeights, installed
from automl.records import DatasetManifest, ImageRecord, RunSettings, Scoring, Split, TrialRecord
from automl.search import best_models
from automl.search.block import Block
from automl.search.budget import Budget
from automl.search.candidate import Candidate
from automl.search.context import SearchContext
from automl.search.frozen import FrozenFeatures
from automl.search.objective import objective_of
from automl.search.observer import Observer
from automl.search.search import Search
from automl.search.space import PLAIN_VIEW, STANDARDISED, UNIT
from automl.search.trials import BestModelPacker
from automl.settings import load_settings
from bench.harness import DATA, report


class Whole(FrozenFeatures):
    """The features of every photo of the folder, each block computed once."""

    def rows_of(self, block: Block, rows: np.ndarray) -> np.ndarray:
        if block not in self.available():
            self.decode([block], _ignore)
            self.compute(block, _ignore)
        return np.ascontiguousarray(self._blocks[block][rows])


class Some(FrozenFeatures):
    """Those of some of its photos."""

    def __init__(
        self,
        images: Sequence[ImageRecord],
        weights: Mapping[str, InstalledWeights],
        folder: Path,
        whole: Whole,
        rows: np.ndarray,
    ) -> None:
        super().__init__(images, weights, folder)
        self._whole, self._rows = whole, rows

    def decode(self, blocks: Sequence[Block], on_progress: Callable[[int, int], None]) -> None:
        """The whole has done it."""

    def compute(self, block: Block, on_progress: Callable[[int, int], None]) -> None:  # noqa: ARG002
        self._blocks[block] = self._whole.rows_of(block, self._rows)


class Remembering(Observer):
    """The best single candidate: what the search tells of each trial, before it takes means."""

    best: Candidate | None = None

    def trial(self, record: TrialRecord, best: Candidate | None) -> None:  # noqa: ARG002
        self.best = best


class Nothing(BestModelPacker):
    """Packs nothing."""

    def after_trial(self, best: Candidate) -> None: ...

    def expect_fine_tuned(self) -> None: ...

    def expect_branches(self, n: int) -> None: ...


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--subsets", type=int, default=8)
    parser.add_argument("--tries", type=int, default=160, help="in each search, at most")
    parser.add_argument("--photos", type=int, nargs="+", default=[10, 25, 60], help="of each class")
    parser.add_argument("--data", nargs="+", default=["beans", "hymenoptera"])
    options = parser.parse_args()
    settings = load_settings()
    weights = installed(settings.weights_dir)
    best_models.MOST_AVERAGED_PHOTOS = max(options.photos) * 1000  # the limit is what is measured here
    for name in options.data:
        with tempfile.TemporaryDirectory(prefix="darkroom-bench-") as folder:
            manifest = ingest_folder(DATA / name / "train", settings)
            whole = Whole(name=manifest.images, _=weights, low=Path(folder))
            for n in options.photos:
                pairs = [
                    _search(manifest, whole, weights, Path(folder), n, subset, options.tries)
                    for subset in range(options.subsets)
                ]
                single, mean = np.array(pairs).T
                gain = mean - single
                report(
                    "steadied",
                    data=name,
                    photos_of_each_class=n,
                    n_subsets=len(pairs),
                    tries=options.tries,
                    single_best=round(single.mean(), 4),
                    mean_of_the_good=round(mean.mean(), 4),
                    gain=round(gain.mean(), 4),
                    standard_error=round(gain.std(ddof=1) / len(pairs) ** 0.5, 4),
                )


def _search(
    manifest: DatasetManifest,
    whole: Whole,
    weights: Mapping[str, InstalledWeights],
    folder: Path,
    n: int,
    subset: int,
    tries: int,
) -> tuple[float, float]:
    """Accuracy on the other photos, of the best single head and of what a run would deliver."""
    random = np.random.default_rng([n, subset])
    labels = np.array([manifest.classes.index(image.label) for image in manifest.images])
    drawn = {
        int(row)
        for label in range(len(manifest.classes))
        for row in random.choice(np.flatnonzero(labels == label), n, replace=False)
    }
    images = tuple(
        replace(image, split=None if row in drawn else Split.TEST) for row, image in enumerate(manifest.images)
    )
    split = make_split(replace(manifest, images=images), seed=subset, scoring=Scoring.HELD_OUT)
    rows, test = np.array(split.pool), np.array(split.test)
    features = Some([images[row] for row in rows], weights, folder, whole, rows)
    targets = Targets(
        labels=labels_of(manifest, split),
        folds=np.array(split.folds),
        n_folds=split.n_folds,
        n_classes=len(manifest.classes),
    )
    asked, told = RunSettings(budget_s=None, max_trials=tries, fine_tuning=False, seed=subset), Remembering()
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        context = SearchContext(
            targets=targets,
            objective=objective_of(asked, targets.labels),
            settings=asked,
            budget=Budget(None),
            observer=told,
        )
        search = Search(context, features=features, weights=weights, packer=Nothing(), scratch=Path(scratch))
        delivered = search.run(search.prepare(), lambda: None)
    assert told.best is not None
    single, mean = (_accuracy(one, whole, test, labels[test]) for one in (told.best, delivered))
    return single, mean


def _accuracy(candidate: Candidate, whole: Whole, rows: np.ndarray, labels: np.ndarray) -> float:
    total = np.zeros((len(rows), 1), np.float32)
    for head in candidate.heads:
        for branch in head.branches:
            whole.rows_of(Block(branch.backbone, branch.image_size_px), rows[:1])
        names = "+".join(branch.backbone for branch in head.branches)
        size = head.branches[0].image_size_px
        normalisation = UNIT if head.is_unit else STANDARDISED
        params = {"backbones": names, "taps": head.taps, "image_size_px": size, "views": PLAIN_VIEW}
        joined = whole.joined({**params, "normalisation": normalisation})
        # The layers act on features before mean and scale; a constant column has the scale 0.
        how = joined.normalisation
        x = joined.take(rows) / np.where(how.scale == 0, 1, how.scale) + how.mean
        *hidden, (kernel, bias) = head.layers
        for before, offset in hidden:
            x = np.maximum(x @ before + offset, 0)
        total = total + x @ kernel + bias
    return float((total.argmax(axis=1) == labels).mean())


def _ignore(_done: int, _total: int) -> None:
    """Nobody watches."""


if __name__ == "__main__":
    main()
