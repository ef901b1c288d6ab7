"""Makes the verified files of one backbone from a source, in a scratch folder."""

from pathlib import Path
from typing import Any

import numpy as np

from automl.backbone_table import Backbone, Source
from automl.models.backbones.building import build_backbone
from automl.models.weights.cache import InstalledWeights
from automl.models.weights.convert import Dense, assign
from automl.models.weights.onnx_export import check_onnx, export_onnx
from automl.models.weights.sources import load
from automl.models.weights.verification import check_weights, photographs


def prepare(backbone: Backbone, source: Source, scratch: Path) -> InstalledWeights:
    """Fetches, converts and checks the weights of a backbone, and writes its files.

    Args:
        backbone: its row in the table.
        source: where its weights are.
        scratch: the folder for all files.

    Returns:
        The record of the weights; its folder is `scratch`.

    Raises:
        SourceUnavailable: the source cannot be reached.
        BadWeights: its numbers do not fit.
        OSError: there is no room.
    """
    loaded = load(source, scratch, backbone.block_names)
    model = build_backbone(backbone.name)
    assign(model, loaded.pretrained.numbers)
    check_weights(model, loaded.pretrained.head, statistics=backbone.has_known_statistics)
    record = InstalledWeights(
        name=backbone.name,
        title=backbone.title,
        folder=scratch,
        origin=source.origin,
        location=source.location,
        sha256=loaded.sha256,
        licence=source.licence,
        note=source.note,
        taps=backbone.taps,
        tap_widths=tuple(int(output.shape[-1]) for output in model.outputs),
    )
    model.save_weights(record.weights_path)
    if loaded.pretrained.head:
        save_head(loaded.pretrained.head, record.head_path)
    export_onnx(model, record.onnx_path)
    check_onnx(model, record.onnx_path, photographs())
    return record


def save_head(head: tuple[Dense, ...], path: Path) -> None:
    """Writes an original classifier to an .npz file."""
    arrays: dict[str, Any] = {}
    for i, layer in enumerate(head):
        arrays |= {f"kernel_{i}": layer.kernel, f"bias_{i}": layer.bias}
    np.savez(path, **arrays)
