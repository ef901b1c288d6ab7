import io

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageEnhance

from automl.images.detail import DETAIL, details_from
from automl.images.near_copies import copy_groups
from automl.images.same_shot import Comparison, ShotComparer
from automl.images.verify import inspect_photo
from tests.automl.images.faults import photo
from tests.automl.images.scenes import Shots, background, fixed_camera, opened, saved, taken

MAX_PIXELS = 10**8
N = 20


def looked_at(contents: list[bytes]) -> tuple[np.ndarray, np.ndarray]:
    traits = [inspect_photo(io.BytesIO(content), MAX_PIXELS)[0] for content in contents]
    prints = np.stack([np.frombuffer(one.fingerprint, np.uint8) for one in traits])
    return prints, details_from([one.detail for one in traits])


def compared(first: list[bytes], second: list[bytes]) -> Comparison:
    comparer = ShotComparer(*looked_at(first + second))
    return comparer.compare(np.stack([np.arange(len(first)), len(first) + np.arange(len(first))], axis=1))


@pytest.fixture(scope="module")
def originals() -> list[bytes]:
    return [saved(photo(np.random.default_rng(number)), 90) for number in range(N)]


@pytest.mark.parametrize("quality", [95, 75, 50, 30])
def test_a_shot_that_is_saved_again_is_the_same_shot(originals: list[bytes], quality: int) -> None:
    found = compared(originals, [saved(opened(content), quality) for content in originals])
    assert found.looks_same.mean() >= 0.95
    assert np.quantile(found.grain, 0.95) <= 1.05


def test_another_scale_is_the_same_shot_and_says_nothing_of_the_grain(originals: list[bytes]) -> None:
    found = compared(originals, [saved(opened(content).resize((200, 150)), 85) for content in originals])
    assert found.looks_same.mean() >= 0.95
    assert np.isnan(found.grain).all()


def test_another_brightness_is_the_same_shot(originals: list[bytes]) -> None:
    darker = [saved(ImageEnhance.Brightness(opened(content)).enhance(0.85), 90) for content in originals]
    assert compared(originals, darker).looks_same.mean() >= 0.9


@pytest.mark.parametrize(("noise", "quality"), [(1, 0), (2, 0), (2, 90), (4, 90), (4, 75), (8, 75)])
def test_another_noise_is_another_shot(noise: float, quality: int) -> None:
    shots = Shots(noise=noise, light=0.2, passers_by=0, quality=quality)
    scenes = [background(number) for number in range(N)]
    first, second = (
        [taken(scene, shots, np.random.default_rng((side, i))) for i, scene in enumerate(scenes)] for side in range(2)
    )
    found = compared(first, second)
    assert np.quantile(found.grain, 0.05) > 1.08


@pytest.mark.parametrize("colour", [(30, 30, 30), (230, 230, 230), (230, 30, 30)])
def test_a_small_thing_in_one_of_them_is_seen(originals: list[bytes], colour: tuple[int, int, int]) -> None:
    changed = []
    for content in originals:
        image = opened(content)
        ImageDraw.Draw(image).rectangle([150, 100, 163, 113], fill=colour)
        changed.append(saved(image, 90))
    assert compared(originals, changed).looks_same.mean() <= 0.2


def test_a_lamp_of_another_colour_is_seen_though_it_is_as_bright() -> None:
    photos = fixed_camera("traffic light", 8, Shots(noise=0, light=0, passers_by=0))
    assert not compared(photos["red"], photos["green"]).looks_same.any()


def test_nothing_is_told_of_a_photo_without_detail(originals: list[bytes]) -> None:
    prints, _ = looked_at(originals[:2])
    found = ShotComparer(prints, details_from([b"", b""])).compare(np.array([(0, 1), (0, 0)]))
    assert np.isnan(found.grain).all()
    assert found.looks_same.tolist() == [False, True]


def test_no_pair_and_no_picture() -> None:
    nothing = np.zeros((0, 1024), np.uint8), np.zeros(0, DETAIL)
    assert len(ShotComparer(*nothing).compare(np.zeros((0, 2), np.int64)).grain) == 0
    assert copy_groups(*nothing).shot.tolist() == []


def test_a_picture_smaller_than_a_patch_has_no_grain() -> None:
    _, details = looked_at([saved(Image.new("RGB", (5, 40), (9, 99, 200)), 0)])
    assert details["size"].tolist() == [[0, 0]]


def test_shots_of_a_still_scene_are_near_copies_of_different_originals() -> None:
    photos = fixed_camera("gate", 12, Shots(passers_by=0))["open"]
    groups = copy_groups(*looked_at([*photos, saved(opened(photos[0]), 60)]))
    assert len(np.unique(groups.near)) == 1
    assert len(np.unique(groups.original)) == 12
    assert groups.original[12] == groups.original[0]


def test_crops_and_mirrored_pictures_stay_with_their_original(originals: list[bytes]) -> None:
    image = opened(originals[0])
    width, height = image.size
    crop = image.crop((3, 3, width - 3, height - 3)).resize((width, height))
    mirrored = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    groups = copy_groups(*looked_at([originals[0], saved(crop, 90), saved(mirrored, 90)]))
    assert groups.original.tolist() == [0, 0, 0]
    assert len(np.unique(groups.shot)) == 3
