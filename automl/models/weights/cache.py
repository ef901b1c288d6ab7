"""Pretrained weights: fetching them into the cache, and what is in it.

For each backbone the cache holds `<name>.weights.h5` (Keras), `<name>.onnx`, `<name>.head.npz` where the source has its
original classifier, and `<name>.json`. The last one is written last, so a backbone is either wholly there or not at
all. Importing this module, and listing what is installed, needs no TensorFlow.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog

from automl.atomic_files import full_disk_explained
from automl.backbone_table import BACKBONES, Backbone, Source, find_backbone
from automl.errors import BadWeights, NoBackbone, SourceUnavailable
from automl.models.backbones.building import build_backbone
from automl.models.quiet_tensorflow import import_tensorflow
from automl.models.weights.fetching import check_source

if TYPE_CHECKING:
    import keras

FORMAT = 1
"""Of the cache; files of another format are fetched anew."""

_LOCK = ".lock"
_MISSING = "missing.json"
_SCRATCH_PREFIX = ".fetch-"

Report = Callable[[str], None]
"""Takes one line of text for the person who waits."""

_log = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class InstalledWeights:
    """One backbone in the cache.

    origin: "TensorFlow Hub", "Keras" or "package archive". location: the handle, URL or package. sha256: of what was
    downloaded. note: a sentence for the model card, or empty. taps: layer names, shallow to last; tap_widths: their
    numbers of channels.
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
        return self.folder / f"{self.name}.weights.h5"

    @property
    def onnx_path(self) -> Path:
        return self.folder / f"{self.name}.onnx"

    @property
    def head_path(self) -> Path:
        """The original classifier, for checks only; there is none where the source had none."""
        return self.folder / f"{self.name}.head.npz"

    @property
    def files(self) -> tuple[Path, ...]:
        """All of them but the record."""
        needed = (self.weights_path, self.onnx_path)
        return (*needed, self.head_path) if self.head_path.exists() else needed


def installed(weights_dir: Path) -> dict[str, InstalledWeights]:
    """The backbones that are there, in order of preference; files are looked at, not read."""
    found = ((name, _read_record(name, weights_dir)) for name in BACKBONES)
    return {name: record for name, record in found if record is not None}


def missing(weights_dir: Path) -> dict[str, str]:
    """Why each backbone that is not there is not."""
    try:
        reasons: dict[str, str] = json.loads((weights_dir / _MISSING).read_text())
    except (FileNotFoundError, ValueError):
        reasons = {}
    here = installed(weights_dir)
    return {name: reasons.get(name, "not fetched yet") for name in BACKBONES if name not in here}


def load_backbone(weights: InstalledWeights) -> keras.Model:
    """`build_backbone` with the pretrained numbers.

    Raises:
        BadWeights: the file in the cache is damaged.
    """
    model = build_backbone(weights.name)
    try:
        model.load_weights(weights.weights_path)
    except (OSError, ValueError, KeyError) as error:
        raise BadWeights(
            f"{weights.weights_path} is damaged ({error}). Delete it and run `automl weights fetch`."
        ) from error
    return model


def fetch(names: Sequence[str], weights_dir: Path, report: Report) -> list[InstalledWeights]:
    """Fetches what is not there yet; each source is tried in order until the numbers of one fit.

    Returns the backbones among `names` that are there afterwards. `report` gets a line of text for each step.

    Raises:
        BadSetting: a name that no backbone has.
        NoBackbone: not one of them could be had.
        DiskFull: no room; nothing half-written is left behind.
    """
    backbones = [find_backbone(name) for name in names]
    with full_disk_explained(str(weights_dir)):
        weights_dir.mkdir(parents=True, exist_ok=True)
        with _lock(weights_dir, report):
            reasons = missing(weights_dir)
            for backbone in backbones:
                if _read_record(backbone.name, weights_dir) is None:
                    reasons[backbone.name] = _fetch_one(backbone, weights_dir, report)
                    _write_reasons(weights_dir, reasons)
    here = installed(weights_dir)
    if not any(name in here for name in names):
        raise NoBackbone(
            "No pretrained weights could be fetched, so nothing can be trained. "
            "Check the connection to the internet or to your package index, then run `automl weights fetch` again."
        )
    return [here[name] for name in names if name in here]


def _fetch_one(backbone: Backbone, weights_dir: Path, report: Report) -> str:
    """Empty if a source was installed, else why none was."""
    reasons = []
    for source in backbone.sources:
        report(f"{backbone.title}: trying {source.origin} ({source.location})")
        try:
            _install(backbone, source, weights_dir, report)
        except (SourceUnavailable, BadWeights) as error:
            _log.info("weights not taken", backbone=backbone.name, location=source.location, reason=error.message)
            report(f"{backbone.title}: not from {source.origin}: {error.message}")
            reasons.append(f"{source.origin}: {error.message}")
        else:
            report(f"{backbone.title}: installed from {source.origin}; its numbers fit the test photographs")
            return ""
    return "; ".join(reasons)


def _install(backbone: Backbone, source: Source, weights_dir: Path, report: Report) -> None:
    """Fetches, converts, checks and only then moves the files into the cache, the record last."""
    check_source(source)
    import_tensorflow()  # only now: it takes seconds, and a host that is out of reach does not need it
    from automl.models.weights.install import prepare

    with tempfile.TemporaryDirectory(prefix=_SCRATCH_PREFIX, dir=weights_dir) as scratch:
        report(f"{backbone.title}: downloading and converting")
        staged = prepare(backbone, source, Path(scratch))
        values = {**asdict(staged), "format": FORMAT, "files": _sizes(staged)}
        del values["folder"]
        record = staged.folder / _record_name(backbone.name)
        record.write_text(json.dumps(values, indent=2) + "\n")
        (weights_dir / record.name).unlink(missing_ok=True)
        for path in (*staged.files, record):
            _flush(path)
            path.replace(weights_dir / path.name)


def _read_record(name: str, weights_dir: Path) -> InstalledWeights | None:
    """None where the backbone is not wholly there, or its files are of another format or size."""
    try:
        values: dict[str, Any] = json.loads((weights_dir / _record_name(name)).read_text())
        if values.pop("format") != FORMAT:
            return None
        sizes = values.pop("files")
        values |= {key: tuple(values[key]) for key in ("taps", "tap_widths")}
        record = InstalledWeights(folder=weights_dir, **values)
        return record if sizes == _sizes(record) else None
    except (FileNotFoundError, ValueError, KeyError, TypeError) as error:
        _log.debug("not installed", backbone=name, reason=str(error))
        return None


def _record_name(name: str) -> str:
    return f"{name}.json"


def _sizes(record: InstalledWeights) -> dict[str, int]:
    return {path.name: path.stat().st_size for path in record.files}


def _write_reasons(weights_dir: Path, reasons: dict[str, str]) -> None:
    partial = weights_dir / f"{_MISSING}.part"
    partial.write_text(json.dumps({name: reason for name, reason in reasons.items() if reason}, indent=2) + "\n")
    partial.replace(weights_dir / _MISSING)


def _flush(path: Path) -> None:
    """The bytes reach the disk before the name does, so that a power cut leaves no file of zeros."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


@contextmanager
def _lock(weights_dir: Path, report: Report) -> Iterator[None]:
    """One fetch at a time; what an interrupted one left is removed."""
    with (weights_dir / _LOCK).open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            report("Another set-up is fetching weights; waiting for it to end.")
            fcntl.flock(file, fcntl.LOCK_EX)
        for left in weights_dir.glob(f"{_SCRATCH_PREFIX}*"):
            shutil.rmtree(left)
        yield
