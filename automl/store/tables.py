"""The tables. What may become of a run is in `automl.store.runs`.

Pages read these rows; the worker and the pipeline write them. Times are UTC.
"""

import enum
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import (
    JSON,
    BigInteger,
    DateTime,
    Enum,
    ForeignKey,
    Index,
    TypeDecorator,
    UniqueConstraint,
    cast,
    func,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    WriteOnlyMapped,
    mapped_column,
    relationship,
    validates,
)

from automl.records import DatasetState, ExportState, FileState, RunState, Stage, TrialRecord, TrialState


def new_id() -> str:
    """An opaque id, 32 hexadecimal digits, that nobody can guess."""
    return uuid4().hex


def now() -> datetime:
    return datetime.now(UTC)


class UtcDateTime(TypeDecorator[datetime]):
    """Stored as UTC, and comes back as that: SQLite forgets time zones, and PostgreSQL answers in its own."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - SQLAlchemy's
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - SQLAlchemy's
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    # Names of states are plain text in every database: PostgreSQL's own enums can hardly be changed later.
    type_annotation_map = {
        dict[str, Any]: JSON,
        datetime: UtcDateTime,
        enum.Enum: Enum(enum.Enum, native_enum=False),
    }


class Dataset(Base):
    """One data set. `summary`: written by the check: classes, counts, verdict, findings, refused files, and ids of some
    photos of each class, to be shown.

    `deleted_at`: nobody sees it any more; the worker removes it and everything that was made from it.
    """

    __tablename__ = "datasets"

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    name: Mapped[str]
    state: Mapped[DatasetState] = mapped_column(default=DatasetState.UPLOADING)
    message: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime] = mapped_column(default=now)
    summary: Mapped[dict[str, Any]] = mapped_column(default=dict)
    deleted_at: Mapped[datetime | None]

    files: Mapped[list["DatasetFile"]] = relationship(back_populates="dataset", cascade="all, delete-orphan")
    edits: Mapped[list["DatasetEdit"]] = relationship(
        back_populates="dataset", cascade="all, delete-orphan", order_by="DatasetEdit.id"
    )
    versions: Mapped[list["DatasetVersion"]] = relationship(
        back_populates="dataset", cascade="all, delete-orphan", order_by="DatasetVersion.number"
    )
    runs: Mapped[list["Run"]] = relationship(back_populates="dataset", order_by="Run.created_at.desc()")


class DatasetFile(Base):
    """One uploaded file. `name`: the path that the user gave; `key`: where its bytes are in the artifact store.

    `given_label`: the class that it was sent to, whatever its name says. `reason`: why it is not used. All below is
    set by the check: `label`, `split`; of a file that decodes `width` and `height` (pixels, upright), `format`, `look`,
    `spread` and `is_gray` (see `automl.images.fingerprint`), `thumbnail` (the key of a small JPEG) and `near`: the id
    of the first of the files that are near copies of each other, its own where there is none; of one that does not,
    `fault` says why.
    """

    __tablename__ = "dataset_files"
    # For what is asked often: an upload asks which of its names are already there, a result for its photos, and a page
    # for some of those of a class.
    __table_args__ = (
        Index("ix_dataset_files_dataset_id_name", "dataset_id", "name"),
        Index("ix_dataset_files_sha256_dataset_id", "sha256", "dataset_id"),
        Index("ix_dataset_files_dataset_id_state_label_name", "dataset_id", "state", "label", "name"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    dataset_id: Mapped[str] = mapped_column(ForeignKey("datasets.id"), index=True)
    name: Mapped[str]
    key: Mapped[str] = mapped_column(default="")
    sha256: Mapped[str] = mapped_column(default="")
    n_bytes: Mapped[int] = mapped_column(BigInteger, default=0)
    state: Mapped[FileState] = mapped_column(default=FileState.RECEIVED)
    reason: Mapped[str] = mapped_column(default="")
    label: Mapped[str | None]
    split: Mapped[str | None]
    width: Mapped[int | None]
    height: Mapped[int | None]
    given_label: Mapped[str | None]
    format: Mapped[str] = mapped_column(default="")
    look: Mapped[bytes | None] = mapped_column(deferred=True)
    spread: Mapped[float | None]
    is_gray: Mapped[bool | None]
    thumbnail: Mapped[str] = mapped_column(default="")
    near: Mapped[int | None]
    fault: Mapped[str] = mapped_column(default="")

    dataset: Mapped[Dataset] = relationship(back_populates="files")


N_FILES_AND_BYTES = (func.count(), cast(func.coalesce(func.sum(DatasetFile.n_bytes), 0), BigInteger))
"""To be selected together. PostgreSQL would add such numbers up to a decimal, which is no `int`."""


class DatasetEdit(Base):
    """Something that a user changed, see `automl.datasets.edits`. Nothing is overwritten: edits apply in their order.

    `title`: what it did, in words. `undone_at`: None while it counts.
    """

    __tablename__ = "dataset_edits"

    id: Mapped[int] = mapped_column(primary_key=True)
    dataset_id: Mapped[str] = mapped_column(ForeignKey("datasets.id"), index=True)
    kind: Mapped[str]
    values: Mapped[dict[str, Any]] = mapped_column(default=dict)
    title: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(default=now)
    undone_at: Mapped[datetime | None]

    dataset: Mapped[Dataset] = relationship(back_populates="edits")


class DatasetVersion(Base):
    """What a data set was when a run used it. `key`: its manifest in the artifact store. `number` counts from 1.

    `fingerprint`: a SHA-256 over all that the manifest says of its photos.

    A version that no run has used is replaced by the next change; one that was used stays as it is.
    """

    __tablename__ = "dataset_versions"

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    dataset_id: Mapped[str] = mapped_column(ForeignKey("datasets.id"), index=True)
    number: Mapped[int]
    fingerprint: Mapped[str]
    key: Mapped[str]
    n_images: Mapped[int]
    n_classes: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(default=now)

    dataset: Mapped[Dataset] = relationship(back_populates="versions")


class Run(Base):
    """One search. `name`: what its user calls it, may be empty. `settings`: `RunSettings.to_json()`. `activity`: what
    is happening, in words for the page.

    `progress`: 0-1 within the present activity, None where unknown. `used_s`: seconds of the budget that earlier
    attempts used up. `best_score`: of the best model on validation; `best_trial`: the number of its trial.
    `version_id`: the version of the data set; None until its photos are checked. `result`:
    the delivered `metrics.json`, which is long and read only where it is asked for; `test_accuracy`: 0-1, of it, for
    lists. `lease_owner`, `lease_until`: the worker that has it, and until when it need not be
    asked again. `parent_id`: the run whose result its user had seen when he started this one with a change.
    `device`: what it computes on, in words. `trying`: the trial in progress: the fields of its record, and `epochs`,
    rows of epoch, score and loss on held-out photos; {} between two trials. `progress_from`, `progress_from_s`: where
    its progress was, 0-1, when its budget last changed or its worker was lost, and the seconds used by then; see
    `run_clock`. `notify_email`: who wants a letter at the end; `notified_at`: when that, or the webhook, was seen to.
    """

    __tablename__ = "runs"

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    dataset_id: Mapped[str] = mapped_column(ForeignKey("datasets.id"), index=True)
    version_id: Mapped[str | None] = mapped_column(ForeignKey("dataset_versions.id"), index=True)
    parent_id: Mapped[str | None] = mapped_column(ForeignKey("runs.id"))
    name: Mapped[str] = mapped_column(default="")
    state: Mapped[RunState] = mapped_column(default=RunState.QUEUED, index=True)
    activity: Mapped[str] = mapped_column(default="Waiting for the worker")
    progress: Mapped[float | None]
    settings: Mapped[dict[str, Any]] = mapped_column(default=dict)
    budget_s: Mapped[float]
    created_at: Mapped[datetime] = mapped_column(default=now, index=True)
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    used_s: Mapped[float] = mapped_column(default=0.0)
    stop_requested: Mapped[bool] = mapped_column(default=False)
    cancel_requested: Mapped[bool] = mapped_column(default=False)
    error_code: Mapped[str] = mapped_column(default="")
    error_message: Mapped[str] = mapped_column(default="")
    notes: Mapped[list[str]] = mapped_column(JSON, default=list)
    n_trials: Mapped[int] = mapped_column(default=0)
    best_score: Mapped[float | None]
    best_trial: Mapped[int | None]
    best_summary: Mapped[str] = mapped_column(default="")
    result: Mapped[dict[str, Any]] = mapped_column(default=dict, deferred=True)
    test_accuracy: Mapped[float | None]
    lease_owner: Mapped[str] = mapped_column(default="")
    lease_until: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0)
    device: Mapped[str] = mapped_column(default="")
    trying: Mapped[dict[str, Any]] = mapped_column(default=dict)
    progress_from: Mapped[float] = mapped_column(default=0.0)
    progress_from_s: Mapped[float] = mapped_column(default=0.0)
    notify_email: Mapped[str] = mapped_column(default="")
    notified_at: Mapped[datetime | None]

    dataset: Mapped[Dataset] = relationship(back_populates="runs")
    version: Mapped[DatasetVersion | None] = relationship()
    trials: Mapped[list["TrialSummary"]] = relationship(
        back_populates="run", cascade="all, delete-orphan", order_by="TrialSummary.number"
    )
    artifacts: Mapped[list["Artifact"]] = relationship(
        back_populates="run", cascade="all, delete-orphan", order_by="Artifact.created_at"
    )
    exports: Mapped[list["Export"]] = relationship(
        back_populates="run", cascade="all, delete-orphan", order_by="Export.id"
    )
    log: WriteOnlyMapped["LogEntry"] = relationship(
        cascade="all, delete-orphan", passive_deletes=True, order_by="LogEntry.id"
    )

    @validates("result")
    def _note_accuracy(self, _name: str, result: dict[str, Any]) -> dict[str, Any]:
        self.test_accuracy = (result.get("test") or {}).get("accuracy")
        return result


class LogEntry(Base):
    """Something worth remembering of a run. `kind`: "state", "best", "note", "time" or "worker".

    `used_s`: on the run's clock, and `score`: 0-1 on validation photos, both where the kind has one.
    """

    __tablename__ = "run_log"

    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), index=True)
    at: Mapped[datetime] = mapped_column(default=now)
    kind: Mapped[str]
    text: Mapped[str]
    used_s: Mapped[float | None]
    score: Mapped[float | None]


class TrialSummary(Base):
    """One finished trial, as the pages show it: the fields of `records.TrialRecord`."""

    __tablename__ = "trial_summaries"

    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id"), index=True)
    number: Mapped[int]
    state: Mapped[str]
    backbones: Mapped[list[str]] = mapped_column(JSON, default=list)
    image_size_px: Mapped[int]
    params: Mapped[dict[str, Any]] = mapped_column(default=dict)
    score: Mapped[float | None]
    started_s: Mapped[float]
    duration_s: Mapped[float]
    message: Mapped[str] = mapped_column(default="")
    stage: Mapped[str] = mapped_column(default=Stage.HEADS.value)
    n_bytes: Mapped[int] = mapped_column(default=0)
    latency_s: Mapped[float] = mapped_column(default=0.0)
    epochs: Mapped[int | None]
    parts: Mapped[list[int]] = mapped_column(JSON, default=list)

    run: Mapped[Run] = relationship(back_populates="trials")

    @classmethod
    def of(cls, run_id: str, record: TrialRecord) -> "TrialSummary":
        """The row of a finished trial."""
        same = {name: getattr(record, name) for name in _TRIAL_FIELDS}
        return cls(
            run_id=run_id,
            state=record.state.value,
            stage=record.stage.value,
            backbones=list(record.backbones),
            parts=list(record.parts),
            **same,
        )

    def to_json(self) -> dict[str, Any]:
        """For an event."""
        fields = ("state", "stage", "backbones", "parts", *_TRIAL_FIELDS)
        return {name: getattr(self, name) for name in fields}

    def to_record(self) -> TrialRecord:
        return TrialRecord(
            state=TrialState(self.state),
            stage=Stage(self.stage),
            backbones=tuple(self.backbones),
            parts=tuple(self.parts),
            **{name: getattr(self, name) for name in _TRIAL_FIELDS},
        )


_TRIAL_FIELDS = (
    "number",
    "image_size_px",
    "params",
    "score",
    "started_s",
    "duration_s",
    "message",
    "n_bytes",
    "latency_s",
    "epochs",
)


class Artifact(Base):
    """One file that a run made. `kind`: "bundle", "best_so_far" or "plot"; `key`: its place in the artifact store."""

    __tablename__ = "artifacts"

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id"), index=True)
    kind: Mapped[str]
    name: Mapped[str]
    title: Mapped[str] = mapped_column(default="")
    media_type: Mapped[str]
    key: Mapped[str]
    n_bytes: Mapped[int] = mapped_column(BigInteger)
    created_at: Mapped[datetime] = mapped_column(default=now)

    run: Mapped[Run] = relationship(back_populates="artifacts")


class Export(Base):
    """One format of a delivered model, see `automl.formats.FORMATS`; rows are in the order of that table.

    `key`: its file in the artifact store, a .zip where the format is a folder; empty while there is none, and for what
    the bundle holds anyway. `n_bytes`: of the file. `proof`: `proof.Proof.to_json()`, {} until it is proven. `message`:
    why it failed, for the user. `attempts`: how often it was begun; `lease_until`: until when somebody works on it.
    """

    __tablename__ = "exports"
    __table_args__ = (UniqueConstraint("run_id", "format", name="uq_exports_run_id_format"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id"), index=True)
    format: Mapped[str]
    state: Mapped[ExportState] = mapped_column(default=ExportState.PREPARING)
    key: Mapped[str] = mapped_column(default="")
    n_bytes: Mapped[int] = mapped_column(BigInteger, default=0)
    proof: Mapped[dict[str, Any]] = mapped_column(default=dict)
    message: Mapped[str] = mapped_column(default="")
    attempts: Mapped[int] = mapped_column(default=0)
    lease_until: Mapped[datetime | None]

    run: Mapped[Run] = relationship(back_populates="exports")
