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
    names = EfficientNetLite(width=1.0, depth=1.0).block_names
    assert names[:4] == ("block1a", "block2a", "block2b", "block3a") and len(names) == 16


@pytest.mark.parametrize(
    ("depth", "blocks"),
    [(1.0, (1, 2, 2, 3, 3, 4, 1)), (1.2, (1, 3, 3, 4, 4, 5, 1)), (1.8, (1, 4, 4, 6, 6, 8, 1))],
)
def test_depth_multiplies_the_inner_stages_alone(depth: float, blocks: tuple[int, ...]) -> None:
    assert EfficientNetLite(width=1.0, depth=depth).blocks == blocks


def test_a_deeper_lite_is_cut_where_the_same_stages_end() -> None:
    assert BACKBONES["efficientnet_lite0"].cuts == ("block3b_add", "block4c_add", "block5c_add", "block6d_add")
    assert BACKBONES["efficientnet_lite2"].cuts == ("block3c_add", "block4d_add", "block5d_add", "block6e_add")


def test_all_sizes_of_lite_have_the_same_taps() -> None:
    assert len({row.taps for row in ROWS if isinstance(row.architecture, EfficientNetLite)}) == 1


def test_what_is_fetched_unasked_can_come_from_a_package_index_or_from_keras() -> None:
    for row in ROWS:
        assert row.is_fetched == any(isinstance(source, KerasSource | ArchiveSource) for source in row.sources)


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


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_the_guide_to_the_weights_has_the_figures_of_every_network(row: Backbone) -> None:
    guide, figures = (REPOSITORY / "docs" / "weights.md").read_text(encoding="utf-8"), row.figures
    told = f"{figures.n_parameters / 1e6:.1f} million | {figures.megabytes:.1f} MB"
    costs = f"{told} | {figures.n_multiply_adds / 1e6:,.0f} million |"
    assert f"| {row.title} | {figures.top_1_percent} % | {figures.drawn_px} px | {costs}" in guide
    assert figures.source in guide
