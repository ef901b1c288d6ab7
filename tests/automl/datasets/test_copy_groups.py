"""Which photos count as copies, given their classes; the pictures are generated."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from automl.datasets.assess import assess
from automl.datasets.copy_groups import CopyGroups, copy_groups
from automl.datasets.data_file import DataFile
from automl.datasets.edits import TrustLabels
from automl.errors import BadDataset
from automl.ingest.local import ingest_folder
from automl.records import DatasetManifest, FileState, Split, SplitPlan
from automl.settings import load_settings
from tests.automl.datasets.held_out import held_out_split
from tests.automl.images.faults import CHANGES, as_jpeg
from tests.automl.images.faults import photo as any_photo
from tests.automl.images.scenes import GLYPHS, SCENES, Shots, fixed_camera, glyphs, opened, random_of

N = 20
"""Photos of each class."""


def file(number: int, label: str = "a", **likeness: int | None) -> DataFile:
    return DataFile(
        id=number,
        name=f"{label}/{number}.jpg",
        key=str(number),
        sha256=f"sha{number}",
        state=FileState.ACCEPTED,
        label=label,
        format="JPEG",
        width=99,
        height=99,
        **{"near": number, "original": number, "shot": number} | likeness,  # type: ignore[arg-type]
    )


def others(first: int, n: int, label: str = "a") -> list[DataFile]:
    return [file(number, label) for number in range(first, first + n)]


def sizes(groups: CopyGroups, photos: list[DataFile]) -> list[int]:
    return sorted(Counter(groups.group_of[photo.id] for photo in photos).values(), reverse=True)


def test_near_copies_of_one_class_belong_together() -> None:
    photos = [*others(100, 20), *(file(number, near=1, original=1) for number in (1, 2, 3))]
    groups = copy_groups(photos)
    assert sizes(groups, photos)[:2] == [3, 1]
    assert groups.one_view == ()


def test_near_copies_of_another_class_do_not() -> None:
    photos = [*others(100, 20), file(1, near=1), file(2, "b", near=1), *others(200, 20, "b")]
    assert copy_groups(photos).group_of[2] == 2


def test_one_shot_in_two_classes_belongs_together() -> None:
    photos = [*others(100, 200), file(1, near=1, shot=1), file(2, "b", near=1, shot=1), *others(400, 20, "b")]
    groups = copy_groups(photos)
    assert groups.group_of[1] == groups.group_of[2] == 1
    assert not groups.in_doubt


def test_many_shots_in_two_classes_are_a_question() -> None:
    pairs = [file(number, "ab"[number % 2], near=1, shot=number // 2) for number in range(2, 12)]
    groups = copy_groups([*others(100, 50), *others(400, 50, "b"), *pairs])
    assert groups.in_doubt
    assert len({groups.group_of[photo.id] for photo in pairs}) == 2
    assert not copy_groups(pairs, trust_labels=True).in_doubt


def test_shots_of_a_still_camera_that_fill_a_class_are_told_apart() -> None:
    photos = [*others(100, 5), *(file(number, near=1) for number in range(1, 21))]
    groups = copy_groups(photos)
    assert sizes(groups, photos) == [1] * 25
    assert groups.one_view == ("a",)


def test_a_burst_in_a_large_class_stays_together() -> None:
    photos = [*others(100, 100), *(file(number, near=1) for number in range(1, 11))]
    assert sizes(copy_groups(photos), photos)[0] == 10


def test_copies_of_one_photo_that_fill_a_class_stay_together() -> None:
    photos = [file(number, near=1, original=1, shot=1) for number in range(1, 9)]
    assert sizes(copy_groups(photos), photos) == [8]


def test_what_was_never_compared_stands_alone() -> None:
    photos = [replace(one, near=None, original=None, shot=None) for one in others(1, 4)]
    assert sizes(copy_groups(photos), photos) == [1] * 4


def written(folder: Path, photos: dict[str, list[bytes]]) -> Path:
    for label, contents in photos.items():
        (folder / label).mkdir(parents=True)
        for number, content in enumerate(contents):
            (folder / label / f"{number:03d}.img").write_bytes(content)
    return folder


def checked(folder: Path, photos: dict[str, list[bytes]]) -> tuple[DatasetManifest, SplitPlan]:
    manifest = ingest_folder(written(folder, photos), load_settings())
    return manifest, held_out_split(manifest, 0)


SETS = [
    *((scene, shots) for scene in SCENES for shots in (Shots(), Shots(noise=2, quality=75, passers_by=0.4))),
    *((name, shots) for name in GLYPHS for shots in (Shots(), Shots(noise=2, quality=0))),
]


@pytest.mark.parametrize(("name", "shots"), SETS, ids=lambda value: str(value)[:60])
def test_classes_that_differ_by_little_have_an_honest_test_and_lose_no_photo(
    tmp_path: Path, name: str, shots: Shots
) -> None:
    photos = fixed_camera(name, N, shots) if name in SCENES else glyphs(name, N, shots)
    manifest, plan = checked(tmp_path, photos)
    assert len(manifest.images) == N * len(photos)
    assert not plan.left_out and not manifest.refused
    assert {manifest.images[row].label for row in plan.test} == set(photos)
    assert len(plan.test) >= 0.06 * len(manifest.images)
    assert len(plan.pool) >= 0.6 * len(manifest.images)


@pytest.mark.parametrize("n", [4, 6])
def test_few_photos_of_a_still_camera_are_enough(tmp_path: Path, n: int) -> None:
    _, plan = checked(tmp_path, fixed_camera("gate", n, Shots(passers_by=0)))
    assert len(plan.test) == 2


def test_a_test_folder_of_the_same_camera_costs_no_training_photo(tmp_path: Path) -> None:
    photos = fixed_camera("gate", N, Shots())
    parts = {f"train/{label}": contents[:15] for label, contents in photos.items()}
    parts |= {f"test/{label}": contents[15:] for label, contents in photos.items()}
    _, plan = checked(tmp_path, parts)
    assert (len(plan.pool), len(plan.test), len(plan.left_out)) == (30, 10, 0)


def copies_of_one(number: int) -> list[bytes]:
    original = as_jpeg(any_photo(random_of(number)), 90)
    return [original, *(as_jpeg(change(opened(original), random_of(number))) for change in CHANGES.values())]


@pytest.mark.parametrize("n_copies", [2, 3, 5, 7])
def test_a_class_of_one_photo_and_its_copies_is_refused(tmp_path: Path, n_copies: int) -> None:
    with pytest.raises(BadDataset, match="copies count as one photo"):
        checked(tmp_path, {label: copies_of_one(number)[:n_copies] for number, label in enumerate("ab")})


def versions_of(number: int, n: int) -> list[bytes]:
    """A photo and altered copies of it, as a tool makes them that augments a data set."""
    original = any_photo(random_of(number))
    random = random_of(1000 + number)
    changed = [original]
    for _ in range(n - 1):
        image = CHANGES["brightened"](CHANGES["cropped"](original, random).resize(original.size), random)
        changed.append(CHANGES["mirrored"](image, random) if random.random() < 0.5 else image)
    return [as_jpeg(image, 90) for image in changed]


@pytest.mark.parametrize(("n_photos", "n_versions"), [(2, 12), (4, 4), (5, 5)])
def test_all_versions_of_a_photo_are_on_one_side(tmp_path: Path, n_photos: int, n_versions: int) -> None:
    photos = {
        label: [content for number in range(n_photos) for content in versions_of(10 * place + number, n_versions)]
        for place, label in enumerate("ab")
    }
    manifest, plan = checked(tmp_path, photos)
    original = [(image.label, int(Path(image.name).stem) // n_versions) for image in manifest.images]
    assert {original[row] for row in plan.test}.isdisjoint({original[row] for row in plan.pool})
    assert not any("this view" in note for note in manifest.notes)


def test_one_photo_in_twenty_qualities_is_one_photo(tmp_path: Path) -> None:
    photos = {
        label: [as_jpeg(any_photo(random_of(number)), quality) for quality in range(50, 90, 2)]
        for number, label in enumerate("ab")
    }
    with pytest.raises(BadDataset, match="copies count as one photo"):
        checked(tmp_path, photos)


def test_a_photo_that_was_saved_again_into_another_class_is_a_contradiction(tmp_path: Path) -> None:
    photos = {
        label: [as_jpeg(any_photo(random_of(100 * kind + number), (160, 120)), 90) for number in range(60)]
        for kind, label in enumerate("ab")
    }
    photos["b"].append(as_jpeg(opened(photos["a"][7]).resize((120, 90)), 70))
    manifest, plan = checked(tmp_path, photos)
    spanning = [row for row, image in enumerate(manifest.images) if image.group]
    assert {manifest.images[row].label for row in spanning} == {"a", "b"}
    assert len(spanning) == 2 and set(spanning) <= set(plan.pool)
    assert any("near copies in another class" in note for note in manifest.notes)


def with_many_contradictions() -> list[DataFile]:
    pairs = [file(number, "ab"[number % 2], near=number // 2, shot=number // 2) for number in range(200, 220)]
    return [*others(1, 30), *others(40, 30, "b"), *pairs]


def test_many_contradictions_are_asked_about_and_nothing_is_left_out() -> None:
    verdict = assess(with_many_contradictions())
    finding = next(one for one in verdict.findings if one.kind == "same-across-classes")
    assert len(verdict.images) == 80 and verdict.summary.split is not None
    assert verdict.summary.split.n_left_out == 0
    assert finding.title == "20 photos look the same as photos of another class"
    assert finding.fix is not None and finding.keep is not None
    assert len(assess(with_many_contradictions(), [finding.fix.edit]).images) == 60
    kept = assess(with_many_contradictions(), [finding.keep.edit])
    assert len(kept.images) == 80 and not any(one.kind == finding.kind for one in kept.findings)


def test_the_answer_can_be_taken_back() -> None:
    edits = [TrustLabels(trust=True), TrustLabels(trust=False)]
    assert any(one.kind == "same-across-classes" for one in assess(with_many_contradictions(), edits).findings)


def test_a_test_of_nothing_but_copies_is_refused(tmp_path: Path) -> None:
    photos = {}
    for number, label in enumerate("ab"):
        original, *copies = copies_of_one(number)
        photos |= {f"train/{label}": copies[:2], f"test/{label}": [original]}
    with pytest.raises(BadDataset, match="All test photos are near copies of training photos"):
        checked(tmp_path, photos)


def test_splits_of_files_do_not_matter_for_their_groups() -> None:
    photos = [file(number, near=1, original=1) for number in (1, 2)]
    tested = [replace(photos[0], split=Split.TEST), photos[1]]
    assert copy_groups(photos).group_of == copy_groups(tested).group_of
