"""What a model learned from, in numbers: the part of `metrics.json` that the report and the card tell of the photos."""

from collections import Counter
from typing import Any

from automl.records import DatasetManifest, SplitPlan


def describe_data(manifest: DatasetManifest, plan: SplitPlan, version: int | None = None) -> dict[str, Any]:
    """Counts for all photos and for each class.

    `version`: the number that the user knows this state of the data set by, if it has one.
    """
    parts = {"n_learned": plan.pool, "n_test": plan.test, "n_left_out": plan.left_out}
    counts = {key: Counter(manifest.images[i].label for i in rows) for key, rows in parts.items()}
    return {
        "version": version,
        "n_images": len(manifest.images),
        **{key: len(rows) for key, rows in parts.items()},
        "n_refused": len(manifest.refused),
        "n_folds": plan.n_folds,
        "split_seed": plan.seed,
        "classes": [
            {"label": label, **{key: counted[label] for key, counted in counts.items()}} for label in manifest.classes
        ],
    }
