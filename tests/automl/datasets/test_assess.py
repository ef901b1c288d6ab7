from dataclasses import replace
from typing import Any

import pytest

from automl.datasets.assess import assess
from automl.datasets.data_file import DataFile
from automl.datasets.edits import Edit, ExcludeFiles, read_edit
from automl.datasets.findings.finding import Finding, Fix
from automl.datasets.manifest import image_records
from automl.datasets.summary import N_SAMPLES
from automl.labelling.label_tables import LabelTable
from automl.labelling.places import Place
from automl.labelling.reading import read_layout
from automl.records import (
    ClassSummary,
    FileState,
    GrayFacts,
    GrayRange,
    PixelFacts,
    RefusedFile,
    ServingContract,
    Severity,
    SizesSummary,
    Split,
    TransparencyFacts,
)
from automl.text.messages import datasets as dataset_messages
from tests.automl.datasets.clip_sets import print_of


def photo(number: int, name: str, sha256: str = "", **values: Any) -> DataFile:
    seen = DataFile(id=number, name=name, key=f"key{number}", sha256=sha256 or f"sha{number}", near=number)
    return replace(seen, **{"width": 640, "height": 480, "format": "JPEG", "spread": 50.0, **values})


def undecoded(number: int, name: str, **values: Any) -> DataFile:
    return DataFile(id=number, name=name, key="k", sha256="s", **values)


PETS = [photo(n, f"{'cat' if n % 2 else 'dog'}/{n}.jpg") for n in range(1, 31)]


def by_id(files: Any) -> dict[int, DataFile]:
    return {file.id: file for file in files}


def finding(kind: str, findings: Any) -> Finding:
    return next(one for one in findings if one.kind == kind)


def test_good_photos_are_accepted_and_the_summary_says_where_they_go() -> None:
    verdict = assess(PETS)
    assert verdict.problem == ""
    assert verdict.message == "30 photos, 2 classes, balanced, ready"
    assert {file.state for file in verdict.files} == {FileState.ACCEPTED}
    split = verdict.summary.split
    assert split is not None
    assert (split.n_learn, split.n_test, split.n_left_out, split.tests_every_photo) == (30, 0, 0, True)
    assert verdict.summary.findings == ()


def test_the_same_picture_under_two_labels_is_refused_in_both_and_told_once() -> None:
    files = [*PETS, photo(40, "cat/x.jpg", "same"), photo(41, "dog/x.jpg", "same")]
    verdict = assess(files)
    assert "also in 'dog'" in by_id(verdict.files)[40].reason
    assert "also in 'cat'" in by_id(verdict.files)[41].reason
    found = [one for one in verdict.findings if one.severity is Severity.ERROR]
    assert [sorted(one.groups[0]) for one in found] == [[40, 41]]


def test_photos_that_are_not_used_count_as_nothing_else() -> None:
    """Neither those that contradict each other nor those that the user has left out are called gray."""
    contradicted = [photo(40, "cat/x.jpg", "same", is_gray=True), photo(41, "dog/x.jpg", "same", is_gray=True)]
    files = [*PETS, *contradicted, photo(42, "cat/y.jpg", is_gray=True), photo(43, "dog/y.jpg", is_gray=True)]
    verdict = assess(files, [read_edit("exclude", {"files": [43]})])
    assert finding("gray", verdict.findings).title == "1 photo is gray, 30 in colour"


def test_moving_one_of_them_fixes_it() -> None:
    files = [*PETS, photo(40, "cat/x.jpg", "same"), photo(41, "dog/x.jpg", "same")]
    verdict = assess(files, [read_edit("move", {"files": [41], "to": "cat"})])
    assert {by_id(verdict.files)[number].state for number in (40, 41)} == {FileState.ACCEPTED}


def test_a_class_that_is_only_in_the_test_folder_is_refused() -> None:
    files = [photo(n, f"train/{'cat' if n % 2 else 'dog'}/{n}.jpg") for n in range(1, 31)]
    files += [photo(50, "test/bird/1.jpg"), photo(51, "test/cat/2.jpg")]
    verdict = by_id(assess(files).files)
    assert "'bird' has photos only in the test folder" in verdict[50].reason
    assert (verdict[51].state, verdict[51].split) == (FileState.ACCEPTED, Split.TEST)


def test_a_damaged_photo_says_so_wherever_it_lies_and_is_a_finding() -> None:
    damaged = replace(photo(40, "cat/x.jpg"), format="", fault="The picture is damaged.")
    verdict = assess([*PETS, damaged])
    assert by_id(verdict.files)[40].reason == "The picture is damaged."
    assert verdict.summary.refused == (RefusedFile("cat/x.jpg", "The picture is damaged."),)
    assert any((40,) in one.groups for one in verdict.findings)


def test_a_file_that_was_sent_to_a_class_is_of_that_class_whatever_its_name() -> None:
    verdict = assess([*PETS, photo(40, "IMG_1.jpg", given_label=" cat ")])
    assert by_id(verdict.files)[40].label == "cat"


def test_a_table_among_the_files_names_the_classes() -> None:
    files = [photo(n, f"images/{n}.jpg") for n in range(1, 21)]
    table = undecoded(99, "labels.csv")
    text = "file,label\n" + "".join(f"{n}.jpg,{'cat' if n % 2 else 'dog'}\n" for n in range(1, 21))
    verdict = assess([*files, table], tables=[LabelTable(name="labels.csv", text=text)])
    assert verdict.summary.layout is not None and verdict.summary.layout.reading == "table"
    assert verdict.message == "20 photos, 2 classes, balanced, ready"
    assert verdict.summary.refused == ()


def test_a_fix_does_what_it_says_and_the_finding_is_gone() -> None:
    files = [*PETS, photo(40, "cat/x.jpg", "same"), photo(41, "cat/y.jpg", "same", near=40)]
    before = assess(files)
    found = next(one for one in before.findings if one.fix and {40, 41} & {i for g in one.groups for i in g})
    assert found.fix is not None
    after = assess(files, [found.fix.edit])
    assert all(one.kind != found.kind for one in after.findings)
    assert after.summary.n_excluded == 1
    assert len(after.accepted) == len(before.accepted) - 1


def test_the_summary_of_a_fix_has_its_words_only() -> None:
    stored = assess([*PETS, photo(41, "cat/y.jpg", "sha1", near=1)]).summary.findings
    assert stored and all(one.fix is None or one.fix.values == {} for one in stored)


def test_what_runs_have_found_stands_among_the_findings() -> None:
    fix = Fix(title="Leave them out", edit=ExcludeFiles(files=(1,), title="Left out 1 photo"))
    doubt = Finding(
        kind="doubted-labels",
        title="1 photo",
        consequence="Look at it.",
        severity=Severity.WARNING,
        groups=((1,),),
        fix=fix,
    )
    assert finding("doubted-labels", assess(PETS, find_more=lambda _files: [doubt]).findings) is doubt


def test_nothing_usable_is_explained() -> None:
    verdict = assess([undecoded(1, "cat/a.txt", fault="This is not a picture.")])
    assert "no photo here that can be used" in verdict.problem
    assert "cat/a.txt: This is not a picture." in verdict.message
    assert verdict.summary.split is None


def test_near_copies_share_a_group_that_their_contents_name() -> None:
    files = [replace(one, label="cat", state=FileState.ACCEPTED) for one in PETS[:4]]
    files[2] = replace(files[2], near=files[0].near)
    groups = [image.group for image in sorted(image_records(files), key=lambda image: int(image.sha256[3:]))]
    assert groups == ["sha1", "", "sha1", ""]


@pytest.mark.parametrize("n", [0, 1, 3])
def test_edits_of_all_kinds_leave_every_file_judged(n: int) -> None:
    edits: list[Edit] = [
        read_edit("rename", {"from": "dog", "to": "wolf"}),
        read_edit("exclude", {"files": [1, 2]}),
        read_edit("part", {"files": [3], "to": "test"}),
    ][:n]
    verdict = assess(PETS, edits)
    assert all(file.state in (FileState.ACCEPTED, FileState.EXCLUDED) for file in verdict.files)
    assert verdict.summary.n_images + verdict.summary.n_excluded == 30


@pytest.mark.parametrize("name", ["notes.csv", "Thumbs.db", "IMG_1.jpg"])
def test_nothing_that_was_not_decoded_is_ever_used(name: str) -> None:
    verdict = assess([*PETS, undecoded(40, name, given_label="cat")])
    assert by_id(verdict.files)[40].state is FileState.REFUSED
    assert verdict.summary.n_images == 30


def test_a_table_that_cannot_be_read_as_one_is_no_photo_either() -> None:
    verdict = assess([*PETS, undecoded(40, "cat/huge.csv")], tables=[])
    assert by_id(verdict.files)[40].state is FileState.REFUSED


def test_the_sizes_of_the_photos_are_told() -> None:
    sizes = assess([*PETS, replace(photo(40, "cat/x.jpg"), width=4000, height=3000)]).summary.sizes
    assert sizes == SizesSummary(smallest=(640, 480), median=(640, 480), largest=(4000, 3000))
    assert assess([]).summary.sizes is None


def test_the_photos_that_stand_for_a_class_are_spread_over_it() -> None:
    pets = [*PETS, photo(40, "fish/b.jpg"), photo(41, "fish/a.jpg")]
    samples = assess(pets).summary.samples
    assert sorted(samples) == ["cat", "dog", "fish"]
    of_cat = sorted((f"cat/{n}.jpg", n) for n in range(1, 31, 2))  # as names are sorted: 1, 11, 13, ...
    assert samples["cat"] == tuple(of_cat[i][1] for i in (0, 2, 4, 6, 8, 10, 12, 14))
    assert samples["fish"] == (41, 40)


def test_only_photos_that_are_used_stand_for_a_class() -> None:
    samples = assess(PETS, [read_edit("exclude", {"files": [1, 3]})]).summary.samples
    assert len(samples["cat"]) == N_SAMPLES
    assert not {1, 3} & set(samples["cat"])


def test_of_very_many_classes_no_page_shows_photos() -> None:
    files = [photo(n, f"class{n % 60}/{n}.jpg") for n in range(600)]
    assert assess(files).summary.samples == {}


def test_the_summary_counts_every_part() -> None:
    folders = ("train", "validation", "test")
    parted = [photo(50 + n, f"{part}/cat/{n}.jpg") for n, part in enumerate(folders)]
    parted += [photo(60 + n, f"train/dog/{n}.jpg") for n in range(3)]
    edited = assess(parted, [read_edit("part", {"files": [60], "to": ""})]).summary
    assert edited.classes == (
        ClassSummary(label="cat", n_images=3, train=1, validation=1, test=1, unassigned=0),
        ClassSummary(label="dog", n_images=3, train=2, validation=0, test=0, unassigned=1),
    )


def test_only_the_first_hundred_refused_files_are_listed() -> None:
    summary = assess([*PETS, *(undecoded(100 + n, f"cat/{n}.jpg", fault="Why.") for n in range(250))]).summary
    assert (summary.n_refused, len(summary.refused)) == (250, 100)


def test_too_few_photos_to_compare_models_are_told() -> None:
    names = [f"{part}/{label}/x.jpg" for part in ("train", "test") for label in ("cat", "dog")]
    files = [photo(number, name) for number, name in enumerate(names)]
    assert dataset_messages.TOO_FEW_TO_COMPARE in assess(files).summary.notes
    assert dataset_messages.TOO_FEW_TO_COMPARE not in assess(PETS).summary.notes


def deep(highest: float) -> PixelFacts:
    facts = GrayFacts(is_float=False, lowest=0, highest=highest, dark=10, bright=highest, deviation=highest / 4)
    return PixelFacts(gray=facts)


def test_one_rule_for_deep_gray_comes_from_all_photos_in_use_and_is_said() -> None:
    files = [replace(file, pixels=deep(1000 + file.id), spread=0.1) for file in PETS]
    verdict = assess(files)
    assert verdict.contract.gray.integers == GrayRange(black=0, white=4095)
    assert any("the value 0 counts as black and 4095 as white" in note for note in verdict.summary.notes)
    assert verdict.findings == ()  # none is blank, though each is dark as it is stored


def test_photos_that_come_later_change_the_rule_and_photos_that_are_left_out_do_not_count() -> None:
    files = [*PETS, replace(photo(40, "cat/x.tif"), pixels=deep(60_000))]
    assert assess(files).contract.gray.integers == GrayRange(black=0, white=65535)
    assert assess(files, [read_edit("exclude", {"files": [40]})]).contract == ServingContract()


def test_the_spread_of_a_transparent_photo_is_that_before_the_background_of_all() -> None:
    white_drawing = PixelFacts(transparency=TransparencyFacts(on_white=0, on_gray=40, on_black=90))
    black_drawing = PixelFacts(transparency=TransparencyFacts(on_white=90, on_gray=40, on_black=0))
    shown = assess([replace(file, pixels=white_drawing, spread=0.0) for file in PETS])
    assert (shown.contract.background, shown.findings) == ("black", ())
    hidden = assess([replace(file, pixels=white_drawing if file.id == 1 else black_drawing) for file in PETS])
    assert hidden.contract.background == "gray"


def clip_shots(n_clips: int, labels: str, n_frames: int = 10) -> tuple[list[DataFile], dict[int, bytes]]:
    """Frames of clips, which take turns in being of one class and the other, and their fingerprints."""
    files, prints = [], {}
    for clip in range(n_clips):
        for frame in range(n_frames):
            number = len(files) + 1
            files.append(photo(number, f"{labels[clip % len(labels)]}/VID_{clip:02d}_{frame:04d}.jpg"))
            prints[number] = print_of(clip, frame)
    return files, prints


def test_clips_are_found_said_and_dealt_out_as_a_whole() -> None:
    files, prints = clip_shots(6, "ab")
    verdict = assess(files, fingerprints=prints)
    found = finding("clips", verdict.findings)
    assert found.title == "6 clips of about 10 frames each; each is learned from or tested as a whole"
    assert found.severity is Severity.INFO and found.n_photos == 60
    split = verdict.summary.split
    assert split is not None and any("6 clips or groups are asked about as a whole" in note for note in split.notes)


def test_the_user_may_say_that_there_are_no_clips_and_take_it_back() -> None:
    files, prints = clip_shots(6, "ab")
    fix = finding("clips", assess(files, fingerprints=prints).findings).fix
    assert fix is not None
    verdict = assess(files, [fix.edit], fingerprints=prints)
    assert not any(one.kind == "clips" for one in verdict.findings)
    assert not any(image.clip for image in verdict.images)
    again = assess(files, [fix.edit, read_edit("clips", {"keep": True})], fingerprints=prints)
    assert finding("clips", again.findings)


def test_a_class_of_one_clip_is_cut_and_the_page_says_what_its_score_is_worth() -> None:
    files, prints = clip_shots(2, "ab", n_frames=30)
    verdict = assess(files, fingerprints=prints)
    found = finding("one-clip", verdict.findings)
    assert found.title == "Nearly all photos of 'a' and 'b' are frames of one clip"
    assert "The score holds for this scene only" in found.consequence
    split = verdict.summary.split
    assert split is not None and all(row.learn >= 20 and row.left_out >= 4 for row in split.classes)
    assert any("blocks of time" in note for note in split.notes)


def test_what_the_users_table_keeps_together_is_kept_together() -> None:
    read = read_layout([file.name for file in PETS])
    places = [Place(label=file.name[:3], group=f"site {file.id % 5}") for file in PETS]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("automl.datasets.assess.read_layout", lambda *_, **__: replace(read, places=places))
        verdict = assess(PETS)
    assert {image.clip for image in verdict.images} == {f"site {n}" for n in range(5)}
    found = finding("groups", verdict.findings)
    assert found.title.startswith("Your folders or table put the photos into 5 groups: 'site 0', 'site 1'")
    assert found.fix is not None and found.fix.edit.kind == "clips"
