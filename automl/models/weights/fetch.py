"""Fetches pretrained weights into the cache: from the first source whose numbers fit."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import structlog

from automl.atomic_files import full_disk_explained
from automl.backbone_table import Backbone, Source, find_backbone
from automl.errors import BadWeights, NoBackbone, SourceUnavailable
from automl.models.quiet_tensorflow import import_tensorflow
from automl.models.weights.cache import InstalledWeights, installed, missing, read_record, write_reasons
from automl.models.weights.downloads import check_source
from automl.text.messages import weights as weights_messages

_LOCK = ".lock"
_SCRATCH_PREFIX = ".fetch-"

Report = Callable[[str], None]
"""Takes one line of text for the person who waits."""

_log = structlog.stdlib.get_logger(__name__)


def fetch(names: Sequence[str], weights_dir: Path, report: Report) -> list[InstalledWeights]:
    """Fetches the backbones that are not in the cache yet; sources are tried in order until the numbers of one fit.

    Args:
        names: the backbones.
        weights_dir: the cache; made where it is missing.
        report: is called with a line of text at each step.

    Returns:
        The backbones among `names` that are in the cache afterwards.

    Raises:
        BadSetting: no backbone has one of the names.
        NoBackbone: none of them could be fetched.
        DiskFull: there is no room; nothing half-written is left behind.
    """
    backbones = [find_backbone(name) for name in names]
    with full_disk_explained(str(weights_dir)):
        weights_dir.mkdir(parents=True, exist_ok=True)
        with _lock(weights_dir, report):
            reasons = missing(weights_dir)
            for backbone in backbones:
                if read_record(backbone.name, weights_dir) is None:
                    reasons[backbone.name] = _fetch_one(backbone, weights_dir, report)
                    write_reasons(weights_dir, reasons)
    here = installed(weights_dir)
    if not any(name in here for name in names):
        raise NoBackbone(weights_messages.NOTHING_FETCHED)
    return [here[name] for name in names if name in here]


def _fetch_one(backbone: Backbone, weights_dir: Path, report: Report) -> str:
    """Fetches from the first source whose numbers fit. Returns why there was none; empty where there was one."""
    reasons = []
    for source in backbone.sources:
        report(weights_messages.TRYING.format(title=backbone.title, origin=source.origin, location=source.location))
        try:
            _install(backbone, source, weights_dir=weights_dir, report=report)
        except (SourceUnavailable, BadWeights) as error:
            _log.info("weights not taken", backbone=backbone.name, location=source.location, reason=error.message)
            report(weights_messages.NOT_TAKEN.format(title=backbone.title, origin=source.origin, reason=error.message))
            reasons.append(weights_messages.REASON.format(origin=source.origin, reason=error.message))
        else:
            report(weights_messages.INSTALLED.format(title=backbone.title, origin=source.origin))
            return ""
    return "; ".join(reasons)


def _install(backbone: Backbone, source: Source, *, weights_dir: Path, report: Report) -> None:
    """Fetches, converts and checks one source, and only then moves the files into the cache, the record last."""
    check_source(source)
    import_tensorflow()  # only now: it takes seconds, and a host that is out of reach does not need it
    from automl.models.weights.preparation import prepare

    with tempfile.TemporaryDirectory(prefix=_SCRATCH_PREFIX, dir=weights_dir) as scratch:
        report(weights_messages.DOWNLOADING.format(title=backbone.title))
        staged = prepare(backbone, source, Path(scratch))
        staged.write_record()
        (weights_dir / staged.record_path.name).unlink(missing_ok=True)
        for path in (*staged.files, staged.record_path):
            _flush(path)
            path.replace(weights_dir / path.name)


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
            report(weights_messages.WAITING)
            fcntl.flock(file, fcntl.LOCK_EX)
        for left in weights_dir.glob(f"{_SCRATCH_PREFIX}*"):
            shutil.rmtree(left)
        yield
