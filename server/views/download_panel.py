"""What the download panel of a finished run shows: a row for each format, and how large the choice is."""

import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar
from zlib import crc32

from automl.delivery.contents import words_of
from automl.errors import NotFound
from automl.formats import FORMATS, Format
from automl.records import ExportState
from automl.serving.sound_zip import sound_zip
from automl.store.tables import Artifact, Export, Run, now
from automl.text.numbers import latency_in_words
from server.downloads.composing import may_be_chosen
from server.services import Services


@dataclass(frozen=True, slots=True)
class BundleMember:
    """One file in a .zip, with a few words about it where there are any. `n_packed_bytes`: in the .zip."""

    name: str
    n_bytes: int
    n_packed_bytes: int
    words: str


@dataclass(frozen=True, slots=True)
class FormatRow:
    """One tick box. `words`: what is known of it; `warning`: why it may not be the same model, empty if it is.

    `is_ticked`: to begin with. `n_bytes`: in the download, None where unknown.
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
        """What a page that shows this row remembers of it: whether its box is open, and all that stands beside it."""
        beside = (self.state, self.n_bytes, self.words, self.warning)
        return f"{self.may_be_chosen:d}{crc32(repr(beside).encode()):08x}"


@dataclass(frozen=True, slots=True)
class DownloadPanel:
    """`rows`: empty for a run of an older version. `n_other_bytes`: of everything in the .zip that is no model."""

    bundle: Artifact
    members: tuple[BundleMember, ...]
    rows: tuple[FormatRow, ...]
    n_other_bytes: int

    poll_s: ClassVar[int] = 4
    """How often a page asks for changes."""

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

    @property
    def can_choose(self) -> bool:
        return self.n_open > 0

    @property
    def n_ticked_bytes(self) -> int:
        """Size of the download with what is ticked to begin with."""
        return self.n_other_bytes + sum(row.n_bytes or 0 for row in self.rows if row.is_ticked)


@dataclass(frozen=True, slots=True)
class ChangedRow:
    """`with_box`: it opens or closes; else it stays, and with it the tick and the focus."""

    row: FormatRow
    with_box: bool


def download_panel(services: Services, run: Run, bundle: Artifact) -> DownloadPanel:
    """`bundle`: the finished download of `run`."""
    members = bundle_members(services, bundle)
    inside = {member.name: member for member in members}
    exports = {export.format: export for export in run.exports}
    shown = [(one, exports[one.name]) for one in FORMATS if one.name in exports]
    rows = tuple(_row(one, export, inside.get(one.file_name), run.result.get("test") or {}) for one, export in shown)
    models = {one.file_name for one in FORMATS}
    n_other_bytes = sum(member.n_packed_bytes for member in members if member.name not in models)
    return DownloadPanel(bundle, members, rows, n_other_bytes)


def bundle_members(services: Services, artifact: Artifact) -> tuple[BundleMember, ...]:
    """What the .zip holds, read from the file itself; empty if the file is gone or damaged."""
    try:
        with services.store.open(artifact.key) as handle, sound_zip(handle) as archive:
            members = [info for info in archive.infolist() if not info.is_dir()]
    except (NotFound, zipfile.BadZipFile):
        return ()
    return tuple(
        BundleMember(info.filename, info.file_size, info.compress_size, words_of(info.filename)) for info in members
    )


def _row(one: Format, export: Export, member: BundleMember | None, test: Mapping[str, Any]) -> FormatRow:
    choosable = may_be_chosen(export)
    # That of the row is of the .zip where the format is a folder, whose files go into the download as they are.
    n_bytes = export.proof.get("n_bytes") or export.n_bytes or (member.n_bytes if member else None)
    return FormatRow(
        format=one,
        state=export.state,
        may_be_chosen=choosable,
        is_ticked=choosable and one.is_made_at_once,
        n_bytes=n_bytes,
        words=_words(export, one, test),
        warning=_warning(export.proof, test),
    )


def _words(export: Export, one: Format, test: Mapping[str, Any]) -> str:
    if export.state is ExportState.FAILED:
        return export.message or "It could not be made."
    if export.state is ExportState.PREPARING:
        return _when(export, one)
    told = [_right(export.proof, test)] if export.proof.get("is_true") else []
    if latency_s := export.proof.get("latency_s"):
        told.append(f"{latency_in_words(latency_s)} a photo")
    return ", ".join(part for part in told if part)


def _when(export: Export, one: Format) -> str:
    is_on = export.lease_until is not None and export.lease_until > now()
    if one.is_made_at_once:
        return (
            "ready to download; being tested once more, in a clean process"
            if is_on
            else ("ready to download; it will be tested once more, in a clean process")
        )
    return "being made and tested now" if is_on else "waits for its turn; all are ready some minutes after the run"


def _right(proof: Mapping[str, Any], test: Mapping[str, Any]) -> str:
    n, n_expected, accuracy = test.get("n_images"), test.get("n_correct"), proof.get("accuracy")
    if not n or accuracy is None:
        return ""
    n_correct = round(accuracy * n)
    beside = "like the model itself" if n_correct == n_expected else f"the model itself on {n_expected:,}"
    return f"right on {n_correct:,} of {n:,} test photos, {beside}"


def _warning(proof: Mapping[str, Any], test: Mapping[str, Any]) -> str:
    if not proof or proof["is_true"]:
        return ""
    right = _right(proof, test)
    return f"Not quite the same model: {right}." if right else str(proof["words"])
