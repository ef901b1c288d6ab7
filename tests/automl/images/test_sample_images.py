from pathlib import Path

import pytest

from automl.datasets.split import make_split
from automl.images.sample_images import IMAGE_SIZE_PX, IMAGES_PER_CLASS, write_sample_images
from automl.ingest.local import ingest_folder
from automl.settings import load_settings


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("digits")
    write_sample_images(folder)
    return folder


def test_the_samples_are_a_data_set_that_can_be_trained_from(digits: Path) -> None:
    manifest = ingest_folder(digits, load_settings({}))
    assert manifest.classes == tuple("0123456789")
    assert len(manifest.images) == 10 * IMAGES_PER_CLASS
    assert not manifest.refused
    assert {(image.width, image.height) for image in manifest.images} == {(IMAGE_SIZE_PX, IMAGE_SIZE_PX)}
    assert make_split(manifest, seed=0).n_folds == 5


def test_the_samples_are_the_same_every_time(digits: Path, tmp_path: Path) -> None:
    write_sample_images(tmp_path)
    assert (tmp_path / "7" / "003.png").read_bytes() == (digits / "7" / "003.png").read_bytes()
