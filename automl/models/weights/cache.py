"""The cache of pretrained weights: which backbones are in it, and loading them.

For each backbone the cache holds `<name>.weights.h5` (Keras), `<name>.onnx`, `<name>.head.npz` where the source has its
original classifier, and `<name>.json`. The last one is written last, so a backbone is either wholly there or not at
all. Importing this module, and listing what is installed, needs no TensorFlow.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog

from automl.atomic_files import no_half_files
from automl.backbone_table import BACKBONES, Backbone
from automl.checked_files import sha256_of
from automl.errors import BadWeights
from automl.models.backbones.building import build_backbone
from automl.text.messages import weights as weights_messages

if TYPE_CHECKING:
    import keras

FORMAT = 1
"""The version of the files in the cache; files of another version are fetched anew."""

_MISSING = "missing.json"
_SUMS = "sums"

_log = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class InstalledWeights:
    """The pretrained weights of one backbone in the cache.

    Attributes:
        name: the name of the backbone.
        title: its name for people.
        folder: the cache.
        origin: "TensorFlow Hub", "Keras" or "package archive".
        location: the handle, the URL or the package.
        sha256: the checksum of what was downloaded.
        licence: of the weights, as an SPDX identifier.
        note: a sentence for the model card, or empty.
        taps: the names of the layers whose activations are features, from shallow to last.
        tap_widths: the number of channels of each tap.
    """

    name: str
    title: str
    folder: Path
    origin: str
    location: str
    sha256: str
    licence: str
    note: str
    taps: tuple[str, ...]
    tap_widths: tuple[int, ...]

    @property
    def weights_path(self) -> Path:
        """The weights for Keras."""
        return self.folder / f"{self.name}.weights.h5"

    @property
    def onnx_path(self) -> Path:
        """The network as an ONNX graph."""
        return self.folder / f"{self.name}.onnx"

    @property
    def head_path(self) -> Path:
        """The original classifier, for checks only; there is none where the source had none."""
        return self.folder / f"{self.name}.head.npz"

    @property
    def record_path(self) -> Path:
        """The file that holds this record."""
        return _record_path(self.name, self.folder)

    @property
    def files(self) -> tuple[Path, ...]:
        """All of its files but the record."""
        needed = (self.weights_path, self.onnx_path)
        return (*needed, self.head_path) if self.head_path.exists() else needed

    def write_record(self) -> None:
        """Writes the record, with the sizes and checksums of the files that are there."""
        sums = {path.name: sha256_of(path) for path in self.files}
        values = {**asdict(self), "format": FORMAT, "files": _sizes(self), _SUMS: sums}
        del values["folder"]
        with no_half_files([self.record_path]) as (part,):
            part.write_text(json.dumps(values, indent=2) + "\n")


def installed(weights_dir: Path) -> dict[str, InstalledWeights]:
    """The backbones that are in the cache, in order of preference. The sizes of files are checked, not their bytes."""
    found = ((name, read_record(name, weights_dir)) for name in BACKBONES)
    return {name: record for name, record in found if record is not None}


def missing(weights_dir: Path) -> dict[str, str]:
    """Every backbone that is not in the cache, with the reason."""
    try:
        reasons: dict[str, str] = json.loads((weights_dir / _MISSING).read_text())
    except (FileNotFoundError, ValueError):
        reasons = {}
    here = installed(weights_dir)
    return {name: reasons.get(name) or _not_fetched(row) for name, row in BACKBONES.items() if name not in here}


def _not_fetched(row: Backbone) -> str:
    return (
        weights_messages.NOT_FETCHED_YET if row.is_fetched else weights_messages.FETCHED_BY_NAME.format(name=row.name)
    )


def drop_damaged(weights_dir: Path) -> list[str]:
    """Reads the files of all backbones, removes the records of those that have changed, and returns their names.

    A damaged backbone is fetched anew by the next `automl weights fetch`. Records of earlier versions have no checksums
    of these files: they get those of what is there.
    """
    damaged = []
    for name, record in installed(weights_dir).items():
        sums = json.loads(record.record_path.read_text()).get(_SUMS)
        if sums is None:
            with suppress(PermissionError):  # a cache that is shared, and not ours
                record.write_record()
        elif sums != {path.name: sha256_of(path) for path in record.files}:
            _log.warning("damaged weights are not used; fetch them again", backbone=name)
            record.record_path.unlink(missing_ok=True)
            damaged.append(name)
    return damaged


def sound(weights_dir: Path) -> dict[str, InstalledWeights]:
    """As `installed`, after `drop_damaged`: for a run, which would be wrong in silence with other numbers."""
    drop_damaged(weights_dir)
    return installed(weights_dir)


def write_reasons(weights_dir: Path, reasons: Mapping[str, str]) -> None:
    """Keeps why backbones are not in the cache, for `missing`; one with an empty reason is left out."""
    partial = weights_dir / f"{_MISSING}.part"
    partial.write_text(json.dumps({name: reason for name, reason in reasons.items() if reason}, indent=2) + "\n")
    partial.replace(weights_dir / _MISSING)


def load_backbone(weights: InstalledWeights) -> keras.Model:
    """The network as `build_backbone` makes it, with its pretrained weights.

    Raises:
        BadWeights: the file in the cache is damaged.
    """
    model = build_backbone(weights.name)
    try:
        model.load_weights(weights.weights_path)
    except (OSError, ValueError, KeyError) as error:
        raise BadWeights(weights_messages.CACHE_DAMAGED.format(path=weights.weights_path, error=error)) from error
    return model


def read_record(name: str, weights_dir: Path) -> InstalledWeights | None:
    """The record of a backbone; None where it is not wholly there, or its files are of another format or size."""
    try:
        values: dict[str, Any] = json.loads(_record_path(name, weights_dir).read_text())
        if values.pop("format") != FORMAT:
            return None
        sizes = values.pop("files")
        values.pop(_SUMS, None)
        values |= {key: tuple(values[key]) for key in ("taps", "tap_widths")}
        record = InstalledWeights(folder=weights_dir, **values)
        return record if sizes == _sizes(record) else None
    except (FileNotFoundError, ValueError, KeyError, TypeError) as error:
        _log.debug(weights_messages.NOT_INSTALLED, backbone=name, reason=str(error))
        return None


def _record_path(name: str, folder: Path) -> Path:
    return folder / f"{name}.json"


def _sizes(record: InstalledWeights) -> dict[str, int]:
    return {path.name: path.stat().st_size for path in record.files}
