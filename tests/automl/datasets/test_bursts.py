"""Photos that were taken while the camera page's button was held are one clip, and on one side of every split."""

from collections import defaultdict
from dataclasses import replace

import pytest

from automl.datasets.assess import assess
from automl.datasets.data_file import DataFile
from automl.datasets.edits import Edit, MoveFiles
from automl.datasets.manifest import manifest_of
from automl.datasets.split import make_split
from automl.datasets.split_groups import cut_clips, together
from automl.labelling.bursts import burst_of
from automl.records import ImageRecord, Scoring
from tests.automl.datasets.clip_sets import frames, print_of, shot
from tests.automl.datasets.test_split import of_counts

N_BURSTS, N_FRAMES = 4, 6


def burst_name(burst: int, frame: int) -> str:
    return f"camera-20261201-0945{burst:02d}-0f3a9c{burst:02x}-{frame:04d}.jpg"


def taken(label: str, first: int, *, sent_to_class: bool = False) -> list[DataFile]:
    """Bursts of pictures that look nothing like each other, so that nothing but their names can say what they are."""
    files = [
        shot(first + burst * N_FRAMES + frame, f"{label}/{burst_name(first + burst, frame)}", label)
        for burst in range(N_BURSTS)
        for frame in range(N_FRAMES)
    ]
    return (
        [replace(file, name=file.name.partition("/")[2], given_label=label) for file in files]
        if sent_to_class
        else files
    )


def images_of(files: list[DataFile], edits: tuple[Edit, ...] = ()) -> tuple[ImageRecord, ...]:
    return assess(files, edits, fingerprints={file.id: print_of(file.id) for file in files}).images


def sides_of_bursts(images: tuple[ImageRecord, ...], scoring: Scoring, seed: int) -> list[set[object]]:
    """For each burst the sides of its photos: the test, or the folds that hold them out."""
    plan = make_split(manifest_of("x", images), seed, scoring=scoring)
    assert plan.left_out == ()
    sides: defaultdict[str, set[object]] = defaultdict(set)
    for i, side in [*((i, "test") for i in plan.test), *zip(plan.pool, plan.folds, strict=True)]:
        sides[burst_of(images[i].name)].add(side)
    return list(sides.values())


@pytest.mark.parametrize(
    ("name", "burst"),
    [
        ("camera-20261201-094500-0f3a9c1e-0001.jpg", "20261201-094500-0f3a9c1e"),
        ("my photos/rose/Camera-20261201-094500-0F3A9C1E-12.JPG", "20261201-094500-0f3a9c1e"),
        ("rose\\camera-20261201-094500-0f3a9c1e-0001 (2).jpg", "20261201-094500-0f3a9c1e"),
        ("camera-20261201-094500-0f3a9c1e-0001_1.jpg", "20261201-094500-0f3a9c1e"),
        ("camera-20261201-094500.jpg", ""),
        ("my camera-20261201-094500-0f3a9c1e-0001.jpg", ""),
        ("camera-20261201-094500-0f3a9c1e-0001/rose.jpg", ""),
        ("IMG_0001.jpg", ""),
    ],
)
def test_the_name_of_a_photo_says_its_burst(name, burst):
    assert burst_of(name) == burst


@pytest.mark.parametrize("sent_to_class", [False, True])
@pytest.mark.parametrize("scoring", [Scoring.CROSS_VALIDATED, Scoring.HELD_OUT])
def test_a_burst_is_on_one_side_of_the_split_whatever_its_photos_show(scoring, sent_to_class):
    files = taken("rose", 1, sent_to_class=sent_to_class) + taken("tulip", 51, sent_to_class=sent_to_class)
    images = images_of(files)
    for seed in range(10):
        sides = sides_of_bursts(images, scoring, seed)
        assert len(sides) == 2 * N_BURSTS and all(len(of_burst) == 1 for of_burst in sides)


def test_a_burst_of_which_a_part_was_moved_to_another_class_stays_together():
    files = taken("rose", 1) + taken("tulip", 51)
    images = images_of(files, (MoveFiles(files=tuple(range(1, 1 + N_FRAMES // 2)), to="tulip"),))
    assert [image.label for image in images if image.name.endswith(burst_name(1, 0))] == ["tulip"]
    for seed in range(10):
        assert all(len(sides) == 1 for sides in sides_of_bursts(images, Scoring.HELD_OUT, seed))


def test_what_intervals_resample_are_bursts():
    images = images_of(taken("rose", 1) + taken("tulip", 51))
    groups = defaultdict(set)
    for image, group in zip(images, together(images).tolist(), strict=True):
        groups[burst_of(image.name)].add(group)
    assert sorted(len(found) for found in groups.values()) == [1] * 2 * N_BURSTS
    assert len(set.union(*groups.values())) == 2 * N_BURSTS


def in_one_clip(n_bursts: int) -> list[ImageRecord]:
    """All photos of a class as one clip, since likeness sees no end between the bursts."""
    found = frames("rose", "all", n_bursts * N_FRAMES)
    return [replace(one, name=f"rose/{burst_name(i // N_FRAMES, i % N_FRAMES)}") for i, one in enumerate(found)]


def test_a_class_whose_bursts_all_look_alike_is_cut_between_them():
    images = in_one_clip(3) + of_counts(b=60)
    cut = cut_clips(images)
    blocks = [cut.blocks[i] for i in range(3 * N_FRAMES)]
    assert cut.gaps == frozenset()
    assert len(set(blocks)) == 3
    assert all(len(set(blocks[k : k + N_FRAMES])) == 1 for k in range(0, len(blocks), N_FRAMES))


def test_bursts_with_copies_of_one_picture_are_not_parted():
    images = in_one_clip(3)
    for i in (N_FRAMES - 1, N_FRAMES):  # the last frame of the first burst and the first one of the second
        images[i] = replace(images[i], group="copies")
    cut = cut_clips(images + of_counts(b=60))
    assert len({cut.blocks[i] for i in range(2 * N_FRAMES)}) == 1
    assert len(set(cut.blocks.values())) == 2


def test_a_class_of_one_burst_is_cut_into_blocks_of_time():
    cut = cut_clips(in_one_clip(1) + of_counts(b=60))
    assert len(set(cut.blocks.values())) == 2 and len(cut.gaps) > 0
