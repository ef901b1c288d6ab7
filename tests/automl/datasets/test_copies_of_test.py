"""What the finding says of copies of test photos is what the split does with them."""

import re
from collections.abc import Sequence
from dataclasses import replace

import pytest

from automl.datasets.copies_of_test import copies_of_test
from automl.datasets.findings.doctor import examine
from automl.datasets.findings.examined_dataset import ExaminedDataset
from automl.datasets.split import make_split
from automl.datasets.verdict import picture_of, problem_of
from automl.records import ImageRecord, Split
from tests.automl.datasets.test_any_manifest import any_images
from tests.automl.datasets.test_findings import photo
from tests.automl.datasets.test_split import bursts, manifest_of, near


def n_in_findings(images: Sequence[ImageRecord]) -> int:
    """How many training photos the findings say are skipped."""
    numbers = {picture: number for number, picture in enumerate(sorted({picture_of(image) for image in images}))}
    photos = [
        photo(row, image.label, split=image.split, sha256=image.sha256, near=numbers[picture_of(image)])
        for row, image in enumerate(images)
    ]
    found = [one for one in examine(ExaminedDataset(photos)) if one.kind in ("test-copies", "test-near-copies")]
    assert len({one.kind for one in found}) == len(found)  # those of one kind stand together
    return sum(
        int(partly[1]) if (partly := re.search(r"skips (\d+) of them", one.consequence)) else int(one.title.split()[0])
        for one in found
        if "Training skips" in one.consequence
    )


def in_one_class_each(images: Sequence[ImageRecord]) -> list[ImageRecord]:
    """A picture in two classes is refused before, or its copies are no copies."""
    return [replace(one, group=one.group and f"{one.label} {one.group}") for one in images]


@pytest.mark.parametrize("seed", range(60))
def test_finding_and_split_count_the_same_photos(seed: int) -> None:
    learnable = {one.label for one in any_images(seed) if one.split is not Split.TEST}
    images = in_one_class_each([one for one in any_images(seed) if one.label in learnable])
    if problem_of(images):
        return
    plan = make_split(manifest_of(images), seed)
    assert len(plan.left_out) == n_in_findings(images)
    assert any("left out of training" in note for note in plan.notes) == bool(plan.left_out)


def test_the_other_frames_of_a_clip_stay_where_one_is_a_copy_of_a_test_photo() -> None:
    clip = [replace(one, group="", clip="c", frame=frame) for frame, one in enumerate(near("a", "c", 6))]
    clip[0] = replace(clip[0], group="x")
    tested = replace(clip[0], sha256="t", name="t", clip="", frame=0, split=Split.TEST)
    images = [*clip, tested, *bursts("a", 6, 1), *bursts("b", 6, 1)]
    manifest = manifest_of(images)
    plan = make_split(manifest, 0)
    assert [manifest.images[i].sha256 for i in plan.left_out] == [clip[0].sha256]
    assert n_in_findings(images) == 1


def test_exact_copies_are_never_spared_and_near_ones_only_where_there_is_nothing_else() -> None:
    tested = [replace(one, split=Split.TEST) for one in near("a", "x", 1)]
    exact, *copies = near("a", "x", 3)
    images = [*tested, replace(exact, sha256=tested[0].sha256), *copies]
    found = copies_of_test(images, picture_of)
    assert (found.left_out, found.spared) == ({1}, {2, 3})
    assert copies_of_test([*images, *bursts("a", 1, 1)], picture_of).left_out == {1, 2, 3}


def test_copies_that_are_learned_all_the_same_are_said_to_be() -> None:
    photos = [
        photo(1, "a", split=Split.TEST, near=1),
        photo(2, "a", split=Split.TRAIN, near=1),
        *(photo(10 + n, "b", split=Split.TRAIN) for n in range(5)),
    ]
    (finding,) = (one for one in examine(ExaminedDataset(photos)) if one.kind == "test-near-copies")
    assert "learned from all the same" in finding.consequence and finding.fix is None
