"""From a source to the verified files of one backbone, in a scratch folder."""

from pathlib import Path

from automl.models.backbones import Backbone, Source, build_backbone
from automl.models.checks import check_weights, photographs
from automl.models.convert import assign
from automl.models.onnx_export import check_onnx, export_onnx
from automl.models.sources import load
from automl.models.weights import InstalledWeights


def prepare(backbone: Backbone, source: Source, scratch: Path) -> InstalledWeights:
    """Writes the two files of a backbone into `scratch`; the record's folder is `scratch`.

    Raises:
        SourceUnavailable: the source cannot be reached.
        BadWeights: its numbers do not fit.
        OSError: no room.
    """
    loaded = load(source, scratch)
    model = build_backbone(backbone.name)
    assign(model, loaded.pretrained.numbers)
    check_weights(model, loaded.pretrained.head)
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
    export_onnx(model, record.onnx_path)
    check_onnx(model, record.onnx_path, photographs())
    return record
