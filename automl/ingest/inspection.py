"""The check of a data set: each photo is decoded once, then all files are judged together.

The command line and the web service share what is here. They differ in where the bytes of the files are and in what
becomes of the results, so each hands in a `FileSource` and an `InspectionRecorder` of its own.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, closing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import IO, Protocol

from automl.datasets.assess import Assessment, assess, is_table
from automl.datasets.data_file import DataFile
from automl.datasets.edits import Edit
from automl.datasets.findings.finding import Finding
from automl.errors import BadImage, BadUpload, StoreDamaged
from automl.images.decoding.limits import DecodingLimits
from automl.images.decoding.orders import Answer, Inspect, Inspected
from automl.images.decoding.pool import Decoders
from automl.images.decoding.turns import SharedTurns
from automl.labelling.label_tables import LabelTable, read_tables
from automl.records import RememberedSides
from automl.text.upload_names import is_junk

_FEWEST_TO_TIME = 20
"""Fewer photos say nothing about the speed of this machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InspectedFile:
    """What the inspection has found out about one file.

    Attributes:
        file: The file with its traits, or with the reason why it cannot be decoded.
        fingerprint: That of the photo, see `automl.images.fingerprint`; empty where it cannot be decoded.
        detail: What tells whether another photo is the very same shot, see `automl.images.detail`; empty where it
            cannot be decoded.
    """

    file: DataFile
    fingerprint: bytes = b""
    detail: bytes = b""


class FileSource(Protocol):
    """Where the bytes of the files of a data set are."""

    def open(self, file: DataFile) -> AbstractContextManager[IO[bytes]]:
        """The bytes of a file, seekable. Called from several threads at once."""

    def path(self, file: DataFile) -> AbstractContextManager[Path]:
        """A file of this machine that has them, inside the block. Called from several threads at once."""

    def fault_of(self, error: Exception) -> str | None:
        """The reason, for people, why a file could not be read.

        None where the error is not the fault of the one file: then the inspection ends with it.
        """


class InspectionRecorder(Protocol):
    """What becomes of the results of an inspection."""

    def keep_thumbnail(self, thumbnail: bytes, /) -> str:
        """Where the thumbnail, a JPEG, is kept; empty if nowhere. Called from several threads at once."""

    def record(self, inspected: InspectedFile, *, n_done: int, n_total: int) -> None:
        """Takes the results one by one, in the order of the files. It may raise to end the inspection."""

    def wait(self) -> None:
        """Called at least twice a second while there is no result to take. It may raise to end the inspection."""


def inspect_files(
    files: Sequence[DataFile],
    *,
    source: FileSource,
    recorder: InspectionRecorder,
    max_image_bytes: int,
    shared: SharedTurns | None = None,
) -> float | None:
    """Decodes every photo that no inspection has decoded before, on all processors, and has the results recorded.

    Args:
        files: All files. Leftovers, tables and files without bytes are passed over.
        source: Where their bytes are.
        recorder: What becomes of the results.
        max_image_bytes: The most bytes that a photo may have when it is decoded.
        shared: The turns at decoding of all checks on this machine.

    Returns:
        The seconds that one photo took, None where there were too few to tell.
    """
    todo = [file for file in files if file.key and not file.is_seen and is_for_inspection(file.name)]
    if not todo:
        return None
    start = time.monotonic()
    decoders = Decoders(DecodingLimits(max_image_bytes=max_image_bytes), shared=shared)
    work = partial(_inspect, source=source, recorder=recorder, decoders=decoders)
    with closing(decoders.map(work, todo, on_wait=recorder.wait)) as results:
        for n_done, inspected in enumerate(results, start=1):
            recorder.record(inspected, n_done=n_done, n_total=len(todo))
    return (time.monotonic() - start) / len(todo) if len(todo) >= _FEWEST_TO_TIME else None


def is_for_inspection(name: str) -> bool:
    """Whether a file of this name is decoded: all are that are neither leftovers of programs nor tables."""
    return not is_junk(name) and not is_table(name)


def judge_files(
    files: Sequence[DataFile],
    *,
    source: FileSource,
    edits: Sequence[Edit] = (),
    fingerprints: Mapping[int, bytes] | None = None,
    find_more: Callable[[Sequence[DataFile]], Sequence[Finding]] = lambda _files: (),
    remembered: RememberedSides | None = None,
) -> Assessment:
    """The verdict on files that have been inspected, with the tables of labels among them.

    Args:
        files: All files.
        source: Where their bytes are.
        edits: What users have changed about the data set, in their order.
        fingerprints: Those that the inspection has made, by id; clips are found by them.
        find_more: Findings of earlier runs, of the judged files.
        remembered: The sides of the split that photos had in earlier runs with the usual seed.
    """
    tables = _tables(files, source)
    return assess(files, edits, tables, fingerprints=fingerprints, find_more=find_more, remembered=remembered)


def _inspect(
    files: Sequence[DataFile], *, source: FileSource, recorder: InspectionRecorder, decoders: Decoders
) -> list[InspectedFile]:
    orders: list[Inspect] = []
    faults: dict[int, str] = {}
    with ExitStack() as opened:
        for file in files:
            try:
                orders.append(Inspect(path=opened.enter_context(source.path(file)), sha256=file.sha256))
            except Exception as error:  # noqa: BLE001 - raised again unless it is the fault of the one file
                faults[file.id] = _fault_of(source, error)
        answers = iter(decoders.answers(orders))
        return [
            InspectedFile(file=replace(file, fault=faults[file.id]))
            if file.id in faults
            else _inspected(file, next(answers), source=source, recorder=recorder)
            for file in files
        ]


def _inspected(file: DataFile, answer: Answer, *, source: FileSource, recorder: InspectionRecorder) -> InspectedFile:
    if isinstance(answer, BadImage):
        return InspectedFile(file=replace(file, fault=answer.message))
    if isinstance(answer, StoreDamaged | OSError):
        return InspectedFile(file=replace(file, fault=_fault_of(source, answer)))
    assert isinstance(answer, Inspected)
    traits, thumbnail = answer.traits, recorder.keep_thumbnail(answer.thumbnail)
    seen = replace(file, sha256=file.sha256 or answer.sha256).seen(traits, thumbnail)
    return InspectedFile(file=seen, fingerprint=traits.fingerprint, detail=traits.detail)


def _fault_of(source: FileSource, error: Exception) -> str:
    """Raises the error where it is not the fault of the one file."""
    fault = source.fault_of(error)
    if fault is None:
        raise error
    return fault


def _tables(files: Sequence[DataFile], source: FileSource) -> list[LabelTable]:
    """The files that may say which photo is of which class."""
    # Of tables with one name the one that came last counts, since it is the one that was corrected.
    newest = {file.name: file for file in files if file.key and is_table(file.name)}
    readers = {name: partial(_beginning, source, file) for name, file in newest.items()}
    return read_tables(readers, [file.name for file in files])


def _beginning(source: FileSource, file: DataFile, n_bytes: int) -> bytes:
    """Raises BadUpload where the file cannot be read, which is no reason to end the check of all others."""
    try:
        with source.open(file) as stream:
            return stream.read(n_bytes)
    except Exception as error:
        if (fault := source.fault_of(error)) is None:
            raise
        raise BadUpload(fault) from error
