"""From how many photos on a part should be held out as a test: what that costs, and what it gives.

    python -m bench.limit_of_cv [--draws 12] [--sizes 250 500 750 1000 2000] [--resume FILE] [--at-most 9m]

So many photos are drawn from the training photographs of each set, in equal numbers of each class, and searched over
as in `bench.small_sets`. Out of fold: every photo teaches and is tested, and the score is bias-corrected. Held out:
15 % are put aside, the same selection chooses by the answers to the others, and they alone teach. Of both: the
accuracy on the photos that were not drawn, the promise and its 95 % interval, and the processor's seconds for trials
and score.
A size is left out where a set has too few photos beside it to tell the truth by.
"""

import argparse
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache, partial
from typing import Any

import numpy as np

from automl.datasets.split import TEST_SHARE
from automl.datasets.validation_folds import MAX_REPEATED_IMAGES, N_REPEATS
from automl.evaluation.bias_corrected import bias_corrected
from automl.evaluation.intervals import wilson_interval
from automl.search.objective import Objective
from automl.search.selection import chosen_counts
from automl.settings import load_settings
from bench.harness import report
from bench.series import Key, Series, add_options
from bench.small_sets import FOLDERS, Draw, Pool, accuracy_of, against, asked, draw_of, load_pool, paired, tried

SIZES = (250, 500, 750, 1_000, 2_000)
FEWEST_OTHERS = 150
"""Photos that were not drawn, at least: their own sampling error is then two to three points, shared by both ways."""

_TAKES_S_PER_PHOTO = 0.2  # a guess for a busy machine, which only decides whether one draw more is begun


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=12, help="of each size and set")
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="photos of all classes together")
    parser.add_argument("--data", nargs="+", default=list(FOLDERS), choices=list(FOLDERS))
    add_options(parser)
    options = parser.parse_args()
    series = Series.of_options(options)
    rows = []
    for name in options.data:
        for n in options.sizes:
            keys = [{"data": name, "n_photos": n, "seed": seed} for seed in range(options.draws)]
            runs = series.runs(keys, _compared, takes_s=lambda key: _TAKES_S_PER_PHOTO * key["n_photos"])
            rows += _figures(name, n, [run for run in runs if not run["is_too_large"]])
    report("limit_of_cv", rows=rows, n_missing=series.n_missing)


@cache
def _pool(name: str) -> Pool:
    return load_pool(name, FOLDERS[name]["training"], load_settings())


def _compared(key: Key) -> dict[str, Any]:
    """Both ways on one draw; a size that leaves too few other photos is only said to be too large."""
    pool, seed = _pool(key["data"]), key["seed"]
    n_of_each = key["n_photos"] // pool.n_classes
    n_drawn = n_of_each * pool.n_classes
    smallest = int(np.bincount(pool.labels).min())
    if n_of_each > smallest or len(pool.labels) - n_drawn < FEWEST_OTHERS:
        return {"is_too_large": True, "n_all": len(pool.labels)}
    draw = draw_of(pool, n_of_each, seed, permuted=False)
    n_repeats = N_REPEATS if n_drawn <= MAX_REPEATED_IMAGES else 1
    ways = {"out_of_fold": _out_of_fold, "held_out": _held_out}
    found = {name: _timed(partial(way, pool, draw, seed, n_repeats)) for name, way in ways.items()}
    return {"is_too_large": False, "n_all": len(pool.labels), **found}


def _timed(way: Any) -> dict[str, float]:
    began_s = time.process_time()
    return {**way(), "cpu_s": round(time.process_time() - began_s, 1)}


def _out_of_fold(pool: Pool, draw: Draw, seed: int, n_repeats: int) -> dict[str, float]:
    answers, beside = tried(pool, draw, seed, n_repeats=n_repeats)
    photos, truth = asked(draw), draw.labels[draw.others]
    (counts,) = chosen_counts(answers, photos, Objective(), np.ones((1, photos.n_groups)))
    delivered = accuracy_of(np.tensordot(counts / counts.sum(), beside, axes=1), truth)
    score = bias_corrected(answers, photos, Objective(), seed=seed)
    return against(score.accuracy, score.accuracy_interval, delivered, len(truth))


def _held_out(pool: Pool, draw: Draw, seed: int, n_repeats: int) -> dict[str, float]:
    random = np.random.default_rng(seed)
    labels = draw.labels[draw.rows]
    held = np.concatenate(
        [
            random.choice(own, max(1, round(TEST_SHARE * len(own))), replace=False)
            for own in (draw.rows[labels == label] for label in range(pool.n_classes))
        ]
    )
    learned = replace(draw, rows=np.setdiff1d(draw.rows, held), others=np.concatenate([held, draw.others]))
    answers, beside = tried(pool, learned, seed, n_repeats=n_repeats)
    photos = asked(learned)
    (counts,) = chosen_counts(answers, photos, Objective(), np.ones((1, photos.n_groups)))
    logits = np.tensordot(counts / counts.sum(), beside, axes=1)
    is_right = logits.argmax(axis=-1) == learned.labels[learned.others]
    n_right, truth = float(is_right[: len(held)].sum()), is_right[len(held) :]
    return against(n_right / len(held), wilson_interval(n_right, len(held)), float(truth.mean()), len(truth))


def _figures(name: str, n: int, runs: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The means of one size, and paired differences with their standard errors."""
    if len(runs) < 2:
        return []
    row: dict[str, Any] = {"data": name, "n_photos": n, "n_draws": len(runs)}
    for way in ("out_of_fold", "held_out"):
        for figure in ("promise", "truth", "width", "holds", "holds_within_error", "cpu_s"):
            row[f"{way}_{figure}"] = round(float(np.mean([run[way][figure] for run in runs])), 4)
        row |= paired(f"{way}_optimism", np.array([run[way]["promise"] - run[way]["truth"] for run in runs]))
    row |= paired("gain", np.array([run["out_of_fold"]["truth"] - run["held_out"]["truth"] for run in runs]))
    row["width_against_held_out"] = round(row["out_of_fold_width"] / row["held_out_width"], 3)
    return [row]


if __name__ == "__main__":
    main()
