from itertools import permutations
from pathlib import Path

import pytest

from automl.datasets.manifest import dataset_fingerprint, manifest_of
from automl.datasets.summary import class_summaries
from automl.records import ImageRecord, Split
from tests.automl.datasets.test_verdict import GOOD, Pic


def test_the_fingerprint_does_not_depend_on_the_order() -> None:
    assert len({dataset_fingerprint(order) for order in permutations(GOOD[1:5])}) == 1


@pytest.mark.parametrize("changed", [Pic("cat", "other"), Pic("cow", "cat0"), Pic("cat", "cat0", Split.TEST)])
def test_the_fingerprint_depends_on_content_label_and_split(changed: Pic) -> None:
    assert dataset_fingerprint([changed, *GOOD[1:]]) != dataset_fingerprint(GOOD)


def test_classes_that_are_numbers_come_by_their_value_in_the_model_and_on_the_page() -> None:
    labels = ("0", "1", "2", "9", "10", "class 2", "class 10")
    images = [
        ImageRecord(path=Path(), name=f"{label}.jpg", label=label, sha256=label, width=9, height=9)
        for label in sorted(labels)
    ]
    assert manifest_of("digits", images).classes == labels
    assert tuple(row.label for row in class_summaries(images)) == labels
