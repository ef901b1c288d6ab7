from itertools import permutations

import pytest

from automl.datasets.manifest import dataset_fingerprint
from automl.records import Split
from tests.automl.datasets.test_verdict import GOOD, Pic


def test_the_fingerprint_does_not_depend_on_the_order() -> None:
    assert len({dataset_fingerprint(order) for order in permutations(GOOD[1:5])}) == 1


@pytest.mark.parametrize("changed", [Pic("cat", "other"), Pic("cow", "cat0"), Pic("cat", "cat0", Split.TEST)])
def test_the_fingerprint_depends_on_content_label_and_split(changed: Pic) -> None:
    assert dataset_fingerprint([changed, *GOOD[1:]]) != dataset_fingerprint(GOOD)
