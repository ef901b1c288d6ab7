"""The table of backbones: light to import, consistent in itself, and documented."""

import subprocess
import sys
from pathlib import Path

import pytest

from automl.backbone_table import BACKBONES, ArchiveSource, Backbone, EfficientNetLite, HubSource, KerasSource
from automl.text.names import BACKBONE_TITLES

REPOSITORY = Path(__file__).resolve().parents[2]
ROWS = list(BACKBONES.values())


@pytest.mark.parametrize(
    "module",
    [
        "automl.backbone_table",
        "automl.models.backbones.building",
        "automl.models.features",
        "automl.models.weights.cache",
    ],
)
def test_the_table_and_its_readers_are_imported_without_tensorflow(module: str) -> None:
    code = f"import sys; import {module}; sys.exit('tensorflow' in sys.modules or 'keras' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("attribute", ["name", "title"])
def test_no_two_backbones_share_a(attribute: str) -> None:
    assert len({getattr(row, attribute) for row in ROWS}) == len(ROWS)


def test_titles_come_from_the_table() -> None:
    assert {row.name: row.title for row in ROWS} == BACKBONE_TITLES


def test_blocks_are_named_stage_by_stage() -> None:
    names = EfficientNetLite(blocks=(1, 2)).block_names
    assert names == ("block1a", "block2a", "block2b")


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_the_guide_to_the_weights_names_every_source(row: Backbone) -> None:
    guide = (REPOSITORY / "docs" / "weights.md").read_text(encoding="utf-8")
    family, _, variant = row.title.partition(" ")
    assert family in guide and variant in guide
    for source in row.sources:
        match source:
            case HubSource():
                assert source.handle.removeprefix("https://tfhub.dev/") in guide
            case KerasSource():
                assert f"`{source.application}`" in guide
            case ArchiveSource():
                assert f"`{source.location}` ({source.licence})" in guide
