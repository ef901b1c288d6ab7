import pytest

from automl.labelling.companions import without_companions
from automl.labelling.named_file import NamedFile


def lost(*names: str) -> list[int]:
    files = without_companions([NamedFile.of(name) for name in names])
    return [number for number, file in enumerate(files) if not file.is_photo]


@pytest.mark.parametrize(
    "folder", ["masks", "Masken", "SegmentationClass", "ground_truth", "lung masks", "маски", "掩码", "annotations"]
)
def test_a_folder_of_masks_beside_photos_of_the_same_names_holds_no_photos(folder: str) -> None:
    assert lost("cat/images/1.jpg", "cat/images/2.jpg", f"cat/{folder}/1.png", f"cat/{folder}/2_mask.png") == [2, 3]


@pytest.mark.parametrize("folder", ["masks", "labels"])
def test_a_folder_of_masks_without_photos_beside_it_is_a_class(folder: str) -> None:
    assert lost("wigs/1.jpg", f"{folder}/1.jpg", "hats/1.jpg") == []


def test_a_word_for_masks_among_others_is_no_mask_unless_the_names_are_those_of_the_photos() -> None:
    assert lost("images/1.jpg", "without_mask/7.jpg", "with_mask/8.jpg") == []


def test_what_is_called_as_the_photo_beside_it_is_its_mask() -> None:
    names = ("b/b (1).png", "b/b (1)_mask.png", "b/b (1)_mask_1.png", "b/b (2).png", "b/b (2)_mask.png")
    assert lost(*names) == [1, 2, 4]
    assert lost("a/cat.png", "a/cat_mask.png") == []
    assert lost("a/cat_mask.png", "a/dog_mask.png") == []
