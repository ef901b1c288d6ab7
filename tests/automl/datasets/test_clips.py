"""Names and times only order photos; likeness finds the clips, and what the user names is taken as it is."""

import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

import pytest

from automl.datasets.clips import ClipPlaces, frame_key, place_in_clips
from automl.datasets.data_file import DataFile
from automl.records import Split
from tests.automl.datasets.clip_sets import print_of, shot

Shots = list[tuple[DataFile, bytes]]

NAMES = {
    "a prefix for each clip": lambda clip, frame, n: f"VID_{clip:02d}_{frame:04d}.jpg",
    "one counter through all clips": lambda clip, frame, n: f"IMG_{n}.jpg",
    "a folder for each clip": lambda clip, frame, n: f"clip{clip}/{frame}.png",
    "time stamps": lambda clip, frame, n: f"20230415_10{clip:02d}{frame:02d}.jpg",
    "angles of a turntable": lambda clip, frame, n: f"obj{clip + 1}__{5 * frame}.png",
}


def shots_of(name_of, n_clips: int = 6, n_frames: int = 12, labels: Sequence[str] = ("left", "right")) -> Shots:
    """Clips of several classes by turns."""
    found = []
    for clip in range(n_clips):
        for frame in range(n_frames):
            number = len(found) + 1
            label = labels[clip % len(labels)]
            found.append((shot(number, f"{label}/{name_of(clip, frame, number)}", label), print_of(clip, frame)))
    return found


def clips_in(shots: Shots, groups: dict[int, str] | None = None) -> ClipPlaces:
    return place_in_clips([file for file, _ in shots], {file.id: seen for file, seen in shots}, groups or {})


def ids_by_clip(places: ClipPlaces) -> list[list[int]]:
    """The files of each clip in the order of their frames."""
    found: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
    for number, place in places.items():
        found[place.clip].append((place.frame, number))
    return sorted([number for _, number in sorted(frames)] for frames in found.values())


@pytest.mark.parametrize("naming", NAMES)
def test_clips_are_found_exactly_however_their_frames_are_named(naming):
    places = clips_in(shots_of(NAMES[naming]))
    assert ids_by_clip(places) == [list(range(12 * clip + 1, 12 * clip + 13)) for clip in range(6)]


def test_different_things_with_counter_names_are_no_clip():
    things = [(shot(i, f"cat/IMG_{i:04d}.jpg", "cat"), print_of(100 + i)) for i in range(1, 61)]
    assert clips_in(things) == {}


def test_names_in_no_order_make_no_clip():
    shots = random.Random(3).sample(shots_of(NAMES["time stamps"], 8), 96)
    shuffled = [(shot(file.id, f"{number}.jpg", file.label), seen) for number, (file, seen) in enumerate(shots)]
    assert len(clips_in(shuffled)) < 0.2 * len(shots)  # some are neighbours by chance


def test_the_clock_of_the_camera_orders_what_names_do_not():
    order = random.Random(5).sample(range(1, 97), 96)
    shots = [
        (shot(file.id, f"{name:03d}.jpg", file.label, taken_at=1e9 + file.id), seen)
        for name, (file, seen) in zip(order, shots_of(NAMES["time stamps"], 8), strict=True)
    ]
    assert ids_by_clip(clips_in(shots)) == [list(range(12 * clip + 1, 12 * clip + 13)) for clip in range(8)]


def test_frames_of_classes_that_take_turns_are_never_one_clip():
    shots = shots_of(NAMES["one counter through all clips"], labels=("a",))
    mixed = [(shot(file.id, file.name, "ab"[file.id % 2]), seen) for file, seen in shots]
    for ids in ids_by_clip(clips_in(mixed)):
        assert len({number % 2 for number in ids}) == 1


def test_the_order_of_the_files_does_not_matter():
    shots = shots_of(NAMES["a prefix for each clip"])
    assert clips_in(random.Random(1).sample(shots, len(shots))) == clips_in(shots)


def test_three_copies_of_a_photo_are_no_clip():
    things = [(shot(i, f"{i}.jpg", "cat"), print_of(100 + i)) for i in range(1, 20)]
    file, seen = things[5]
    copies = [(replace(file, id=50 + i, name=f"6-{i}.jpg"), seen) for i in range(3)]
    assert clips_in([*things, *copies]) == {}


def test_groups_of_the_user_are_taken_as_they_are_and_span_classes():
    things = [(shot(i, f"{i}.jpg", "ab"[i % 2]), print_of(100 + i)) for i in range(1, 13)]
    groups = {i: f"site {i % 3}" for i in range(1, 13)}
    places = clips_in(things, groups)
    assert {number: place.clip for number, place in places.items()} == groups
    assert not any(place.is_found for place in places.values())


def test_one_group_for_all_tells_nothing():
    shots = shots_of(NAMES["a prefix for each clip"])
    assert clips_in(shots, {file.id: "all" for file, _ in shots}) == clips_in(shots)


def test_names_are_sorted_as_people_count():
    names = ["f10.jpg", "f2.jpg", "F1.jpg", "f2_b.jpg", "10.jpg", "9.jpg", "g²1.jpg"]
    assert sorted(names, key=frame_key) == ["9.jpg", "10.jpg", "F1.jpg", "f2.jpg", "f2_b.jpg", "f10.jpg", "g²1.jpg"]


@pytest.mark.parametrize("parts", [(Split.TRAIN, Split.VALIDATION), (Split.TRAIN, Split.TEST)])
def test_frames_that_were_dealt_out_to_folders_of_a_split_are_one_clip(parts):
    chance = random.Random(2)
    shots = []
    for file, seen in shots_of(NAMES["a prefix for each clip"]):
        part = chance.choices(parts, (4, 1))[0]
        shots.append((replace(file, name=f"{part.value}/{file.name}", split=part), seen))
    assert ids_by_clip(clips_in(shots)) == [list(range(12 * clip + 1, 12 * clip + 13)) for clip in range(6)]


def test_copies_of_frames_that_lie_elsewhere_have_the_places_of_the_frames():
    shots = [(shot(i, f"v_{i:03d}.jpg", "a"), print_of(1, i)) for i in range(1, 31)]
    twins = {31 + k: frame for k, frame in enumerate((4, 9, 13, 18))}
    shots += [(shot(i, f"zz_{7 * i % 10}.jpg", "a"), print_of(1, frame)) for i, frame in twins.items()]
    copies = {file.id: twins.get(file.id, file.id) for file, _ in shots}
    places = place_in_clips([file for file, _ in shots], {file.id: seen for file, seen in shots}, {}, copies=copies)
    assert len(places) == 34
    assert all(places[twin] == places[frame] for twin, frame in twins.items())


def test_a_class_of_one_still_burst_is_one_clip_beside_other_things_and_none_beside_other_views():
    shots = [(shot(i, f"a/{i}.jpg", "a"), print_of(1, i % 3)) for i in range(1, 31)]
    shots += [(shot(100 + i, f"b/{i}.jpg", "b"), print_of(200 + i)) for i in range(30)]
    files, prints = [file for file, _ in shots], {file.id: seen for file, seen in shots}
    assert ids_by_clip(place_in_clips(files, prints, {})) == [list(range(1, 31))]
    assert place_in_clips(files, prints, {}, one_view=("a", "b")) == {}
