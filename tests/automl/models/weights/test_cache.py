"""The cache of pretrained weights: what counts as installed, and loading it."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from automl.errors import BadWeights
from automl.models.weights.cache import InstalledWeights, drop_damaged, installed, load_backbone, missing, sound

NAME = "mobilenet_v1"


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"format": 99}'])
def test_a_record_that_is_damaged_or_of_another_format_counts_as_missing(tmp_path: Path, content: str) -> None:
    (tmp_path / f"{NAME}.json").write_text(content)
    assert installed(tmp_path) == {}
    assert missing(tmp_path)[NAME] == "not fetched yet"


def test_a_damaged_file_in_the_cache_is_told_when_it_is_loaded(
    weights: dict[str, InstalledWeights], tmp_path: Path
) -> None:
    damaged = replace(weights[NAME], folder=tmp_path)
    damaged.weights_path.write_bytes(weights[NAME].weights_path.read_bytes()[:1_000_000])
    with pytest.raises(BadWeights, match="automl weights fetch"):
        load_backbone(damaged)


def test_weights_that_have_changed_are_not_used(weights: dict[str, InstalledWeights], tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(weights[NAME].folder, copy, ignore=shutil.ignore_patterns(".*"))
    assert drop_damaged(copy) == []  # gives records of earlier versions their checksums
    with (copy / f"{NAME}.onnx").open("r+b") as file:
        file.seek(100_000)
        file.write(b"damage")
    assert NAME in installed(copy)
    assert NAME not in sound(copy)
    assert set(installed(copy)) == set(weights) - {NAME}


def test_the_cache_may_be_copied_to_another_machine(weights: dict[str, InstalledWeights], tmp_path: Path) -> None:
    shutil.copytree(weights[NAME].folder, tmp_path / "copy", ignore=shutil.ignore_patterns(".*"))
    assert set(installed(tmp_path / "copy")) == set(weights)
