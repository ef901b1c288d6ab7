"""What a model learned from, in numbers: the part of the report that is about the photos."""

from collections import Counter

from automl.records import DatasetManifest, SplitPlan
from automl.records.report import ClassCounts, DataReport


def describe_data(manifest: DatasetManifest, plan: SplitPlan, version: int | None = None) -> DataReport:
    """Counts for all photos and for each class.

    version: the number by which users know this state of the data set, if it has one.
    """
    learned, tested, left_out = (
        Counter(manifest.images[i].label for i in rows) for rows in (plan.pool, plan.test, plan.left_out)
    )
    return DataReport(
        version=version,
        n_images=len(manifest.images),
        n_learned=len(plan.pool),
        n_test=len(plan.test),
        n_left_out=len(plan.left_out),
        n_refused=len(manifest.refused),
        n_folds=plan.n_folds,
        split_seed=plan.seed,
        classes=tuple(
            ClassCounts(label=label, n_learned=learned[label], n_test=tested[label], n_left_out=left_out[label])
            for label in manifest.classes
        ),
    )
