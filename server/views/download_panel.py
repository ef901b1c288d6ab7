"""What the download panel of a finished run shows: a row for each format, and how large the choice is."""

import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar
from zlib import crc32

from automl.delivery.contents import words_of
from automl.errors import NotFound
from automl.formats import FORMATS, ONNX_RUNTIME, Format
from automl.records import ExportState
from automl.records.report import FormatReport, ScoreReport
from automl.serving.sound_zip import sound_zip
from automl.store.exports import export_row
from automl.store.results import report_of
from automl.store.tables import Artifact, Export, Run, now
from automl.text.messages import pages as page_messages
from automl.text.numbers import latency_in_words, percent
from server.downloads.composing import may_be_chosen
from server.services import Services
from server.views.uses import FORMATS_FOR, ModelUse

_SEEN = 0.0005
"""The smallest difference of a probability that its percentage shows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleMember:
    """One file in a .zip.

    Attributes:
        name: Its path in the .zip.
        n_bytes: Its size once it is unpacked.
        n_packed_bytes: Its size in the .zip.
        words: A few words about it; may be empty.
    """

    name: str
    n_bytes: int
    n_packed_bytes: int
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FormatRow:
    """One tick box.

    Attributes:
        format: The format that it stands for.
        state: Whether the format is made.
        may_be_chosen: Whether the box is open.
        is_ticked: Whether the box is ticked to begin with.
        n_bytes: What the format adds to the download; None where that is not known.
        words: What is known of it.
        warning: Why it may not be the same model; empty if it is.
    """

    format: Format
    state: ExportState
    may_be_chosen: bool
    is_ticked: bool
    n_bytes: int | None
    words: str
    warning: str

    @property
    def sign(self) -> str:
        """What a page remembers of this row: whether its box is open, and a checksum of all that stands beside it."""
        beside = (self.state, self.n_bytes, self.words, self.warning)
        return f"{self.may_be_chosen:d}{crc32(repr(beside).encode()):08x}"


@dataclass(frozen=True, slots=True, kw_only=True)
class DownloadPanel:
    """What a finished run offers for download.

    Attributes:
        bundle: Its .zip.
        members: The files in the .zip; empty where it is gone or damaged.
        rows: The formats; empty for a run whose formats were never asked for.
        n_other_bytes: Size of everything in the .zip that is no model.
        has_test_photos: Whether formats are tested on photos that no model has learned from.
    """

    bundle: Artifact
    members: tuple[BundleMember, ...]
    rows: tuple[FormatRow, ...]
    n_other_bytes: int
    has_test_photos: bool

    poll_s: ClassVar[int] = 4
    """How often a page asks for changes."""

    commands: ClassVar[Sequence[tuple[str, str]]] = ONNX_RUNTIME.commands()
    """What to type to ask the model about a photo, by the words for the system."""

    @property
    def seen(self) -> str:
        return ".".join(row.sign for row in self.rows)

    def changed(self, seen: str) -> tuple["ChangedRow", ...]:
        """What is not as a page with the signs `seen` shows it."""
        before = seen.split(".")
        known = before if len(before) == len(self.rows) else [""] * len(self.rows)
        pairs = [(row, sign) for row, sign in zip(self.rows, known, strict=True) if row.sign != sign]
        return tuple(ChangedRow(row, row.sign[:1] != sign[:1]) for row, sign in pairs)

    @property
    def n_preparing(self) -> int:
        """Also those that can be had already, and are only tested once more."""
        return sum(row.state is ExportState.PREPARING for row in self.rows)

    @property
    def n_open(self) -> int:
        return sum(row.may_be_chosen for row in self.rows)

    @property
    def n_coming(self) -> int:
        """Being made, and not to be had before that."""
        return sum(row.state is ExportState.PREPARING and not row.may_be_chosen for row in self.rows)

    @property
    def n_failed(self) -> int:
        return sum(row.state is ExportState.FAILED for row in self.rows)

    def n_coming_for(self, use: ModelUse) -> int:
        """Of the formats that this place needs."""
        wanted = FORMATS_FOR[use]
        return sum(
            row.state is ExportState.PREPARING and not row.may_be_chosen and row.format.name in wanted
            for row in self.rows
        )

    @property
    def can_choose(self) -> bool:
        return self.n_open > 0

    @property
    def n_ticked_bytes(self) -> int:
        """Size of the download with what is ticked to begin with."""
        return self.n_other_bytes + sum(row.n_bytes or 0 for row in self.rows if row.is_ticked)


@dataclass(frozen=True, slots=True)
class ChangedRow:
    """A row that is not as a page shows it.

    Attributes:
        row: As it is now.
        with_box: Whether its box opens or closes; else the box stays, and with it the tick and the focus.
    """

    row: FormatRow
    with_box: bool


def download_panel(services: Services, run: Run, bundle: Artifact, use: ModelUse | None = None) -> DownloadPanel:
    """bundle: the finished download of `run`. use: where the model will be used, which decides what is ticked.

    Raises:
        NotFound: the run has no result.
    """
    score, members = report_of(run).score, bundle_members(services, bundle)
    inside = {member.name: member for member in members}
    exports = {export.format: export for export in run.exports}
    shown = [(one, exports[one.name]) for one in FORMATS if one.name in exports]
    models = {one.file_name for one in FORMATS}
    rows = [_row(one, export=export, member=inside.get(one.file_name), score=score) for one, export in shown]
    return DownloadPanel(
        bundle=bundle,
        members=members,
        rows=_ticked_for(rows, use),
        n_other_bytes=sum(member.n_packed_bytes for member in members if member.name not in models),
        has_test_photos=score.is_held_out,
    )


def _ticked_for(rows: Sequence[FormatRow], use: ModelUse | None) -> tuple[FormatRow, ...]:
    """With the formats ticked that a place needs; as they are where it needs none, or where none can be had yet."""
    wanted = FORMATS_FOR[use] if use else ()
    if not any(row.may_be_chosen for row in rows if row.format.name in wanted):
        return tuple(rows)
    return tuple(replace(row, is_ticked=row.may_be_chosen and row.format.name in wanted) for row in rows)


def bundle_members(services: Services, artifact: Artifact) -> tuple[BundleMember, ...]:
    """What the .zip holds, read from the file itself; empty if the file is gone or damaged."""
    try:
        with services.store.open(artifact.key) as handle, sound_zip(handle) as archive:
            members = [info for info in archive.infolist() if not info.is_dir()]
    except (NotFound, zipfile.BadZipFile):
        return ()
    return tuple(
        BundleMember(
            name=info.filename,
            n_bytes=info.file_size,
            n_packed_bytes=info.compress_size,
            words=words_of(info.filename),
        )
        for info in members
    )


def _row(one: Format, *, export: Export, member: BundleMember | None, score: ScoreReport) -> FormatRow:
    choosable, found = may_be_chosen(export), export_row(export.format, export)
    return FormatRow(
        format=one,
        state=export.state,
        may_be_chosen=choosable,
        is_ticked=choosable and one.is_made_at_once,
        # The size in the row is that of a .zip where the format is a folder, whose files go into the download as they
        # are; what was measured is the size of the files.
        n_bytes=found.n_bytes or export.n_bytes or (member.n_bytes if member else None),
        words=_words(export, one=one, found=found, score=score),
        warning=_warning(found, score) if export.state is ExportState.READY else "",
    )


def _words(export: Export, *, one: Format, found: FormatReport, score: ScoreReport) -> str:
    if export.state is ExportState.FAILED:
        return export.message or page_messages.FORMAT_NOT_MADE
    if export.state is ExportState.PREPARING:
        return _when(export, one)
    known = [_right(found, score)] if found.is_true else []
    if found.largest_difference is not None and found.largest_difference >= _SEEN:
        known.append(page_messages.LARGEST_DIFFERENCE.format(points=100 * found.largest_difference))
    if found.latency_s:
        known.append(page_messages.TIME_A_PHOTO.format(time=latency_in_words(found.latency_s)))
    return ", ".join(part for part in known if part)


def _when(export: Export, one: Format) -> str:
    is_on = export.lease_until is not None and export.lease_until > now()
    if one.is_made_at_once and is_on:
        return page_messages.READY_BEING_TESTED
    if one.is_made_at_once:
        return page_messages.READY_NOT_TESTED
    return page_messages.BEING_MADE if is_on else page_messages.WAITS_FOR_TURN


def _right(found: FormatReport, score: ScoreReport) -> str:
    """On how many test photos the format was right; without any, how often it answered as the model.

    Empty where neither was measured.
    """
    if not score.is_held_out:
        return _agreement(found)
    if found.accuracy is None:
        return ""
    n_correct = round(found.accuracy * score.n_images)
    is_same = n_correct == score.n_correct
    message = page_messages.RIGHT_LIKE_MODEL if is_same else page_messages.RIGHT_UNLIKE_MODEL
    return message.format(n_right=n_correct, n=score.n_images, n_model=score.n_correct)


def _agreement(found: FormatReport) -> str:
    if found.agreement is None:
        return ""
    message = page_messages.SAME_ANSWERS if found.agreement == 1 else page_messages.NEARLY_SAME_ANSWERS
    return message.format(share=percent(found.agreement))


def _warning(found: FormatReport, score: ScoreReport) -> str:
    if found.is_true:
        return ""
    right = _right(found, score)
    return page_messages.NOT_QUITE_THE_MODEL.format(right=right) if right else found.words
