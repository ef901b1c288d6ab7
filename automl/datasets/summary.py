"""The parts of the summary of a data set that are counted from its photos."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from automl.datasets.data_file import DataFile
from automl.datasets.manifest import manifest_of
from automl.datasets.split import make_split
from automl.errors import BadDataset
from automl.labelling.reading import Layout
from automl.records import (
    ClassSplit,
    ClassSummary,
    ImageRecord,
    LayoutSummary,
    ReadingSummary,
    RememberedSides,
    SizesSummary,
    Split,
    SplitSummary,
)
from automl.text.natural_order import in_natural_order

N_SAMPLES = 8
MAX_CLASSES_WITH_SAMPLES = 50


def class_summaries(images: Sequence[ImageRecord]) -> tuple[ClassSummary, ...]:
    """How many photos each class has, and in which of the user's parts; the classes by name."""
    counts = Counter((image.label, image.split) for image in images)
    n_of_class = Counter(image.label for image in images)
    return tuple(
        ClassSummary(
            label=label,
            n_images=n_of_class[label],
            train=counts[label, Split.TRAIN],
            validation=counts[label, Split.VALIDATION],
            test=counts[label, Split.TEST],
            unassigned=counts[label, None],
        )
        for label in in_natural_order(n_of_class)
    )


def layout_summary(layout: Layout) -> LayoutSummary:
    """How the classes were read, and how else they could have been."""
    return LayoutSummary(
        reading=layout.reading.value,
        words=layout.description,
        others=tuple(
            ReadingSummary(reading=other.reading.value, words=other.description, column=other.column)
            for other in layout.others
        ),
        joined=layout.joined,
    )


def sizes_of(images: Sequence[ImageRecord]) -> SizesSummary | None:
    """The sizes of the smallest, the middle and the largest photo; None where there is no photo."""
    known = sorted((image.width * image.height, image.width, image.height) for image in images)
    if not known:
        return None
    sizes = [(width, height) for _, width, height in known]
    return SizesSummary(smallest=sizes[0], median=sizes[len(sizes) // 2], largest=sizes[-1])


def samples_of(accepted: Sequence[DataFile]) -> Mapping[str, tuple[int, ...]]:
    """Ids of some photos of each class, for its row on the page; none of so many classes that no page shows them.

    They are evenly spread over the names of the class, since neighbours by name are often alike.
    """
    of_class: defaultdict[str, list[DataFile]] = defaultdict(list)
    for file in accepted:
        of_class[file.label].append(file)
    if len(of_class) > MAX_CLASSES_WITH_SAMPLES:
        return {}
    return {label: _spread([file.id for file in sorted(files, key=_by_name)]) for label, files in of_class.items()}


def _by_name(file: DataFile) -> tuple[str, int]:
    return file.name, file.id


def _spread(ids: Sequence[int]) -> tuple[int, ...]:
    """At most `N_SAMPLES`, the first among them."""
    n = min(N_SAMPLES, len(ids))
    return tuple(ids[-(-i * len(ids) // n)] for i in range(n))


def split_summary(images: Sequence[ImageRecord], remembered: RememberedSides | None = None) -> SplitSummary:
    """How many photos of each class go where, with the usual seed; another one picks others, but as many.

    Args:
        images: The photos in use.
        remembered: The sides that they had in earlier runs with the usual seed.
    """
    manifest = manifest_of("", images)
    try:
        plan = make_split(manifest, seed=0, remembered=remembered)
    except BadDataset as error:
        return SplitSummary(notes=(error.message,))
    parts = {"learn": plan.pool, "test": plan.test, "left_out": plan.left_out}
    counts = {part: Counter(manifest.images[row].label for row in rows) for part, rows in parts.items()}
    return SplitSummary(
        classes=tuple(
            ClassSplit(
                label=label,
                learn=counts["learn"][label],
                test=counts["test"][label],
                left_out=counts["left_out"][label],
            )
            for label in manifest.classes
        ),
        n_learn=len(plan.pool),
        n_test=len(plan.test),
        n_left_out=len(plan.left_out),
        n_folds=plan.n_folds,
        tests_every_photo=plan.tests_every_photo,
        notes=plan.notes,
    )
