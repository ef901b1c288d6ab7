"""The tables. What may become of a run is in `automl.store.runs`.

Pages read these rows; the worker and the pipeline write them. Times are UTC.
"""

import enum
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from pydantic import JsonValue
from sqlalchemy import (
    JSON,
    BigInteger,
    Enum,
    ForeignKey,
    Index,
    UniqueConstraint,
    cast,
    func,
)
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    WriteOnlyMapped,
    mapped_column,
    relationship,
    validates,
)

from automl.records import (
    DatasetState,
    DatasetSummary,
    Decision,
    ExportState,
    FileState,
    LinkPurpose,
    Origin,
    PixelFacts,
    Proof,
    RememberedSides,
    Role,
    RunSettings,
    RunState,
    Stage,
    TokenScope,
    TrialInProgress,
    TrialParams,
    TrialRecord,
    TrialState,
)
from automl.records.dataset_summary import read_summary
from automl.records.report import CandidateReport, RunReport, read_report
from automl.store.column_types import JsonRecord, OptionalRecord, UtcDateTime
from automl.text.messages import store as store_messages


def new_id() -> str:
    """An opaque id, 32 hexadecimal digits, that cannot be guessed."""
    return uuid4().hex


def now() -> datetime:
    return datetime.now(UTC)


class Base(DeclarativeBase):
    # Names of states are plain text in every database: PostgreSQL's own enums can hardly be changed later.
    type_annotation_map = {
        dict[str, Any]: JSON,
        datetime: UtcDateTime,
        enum.Enum: Enum(enum.Enum, native_enum=False),
    }


class Account(Base):
    """Somebody who may sign in.

    Attributes:
        id: Opaque id.
        email: The address that he signs in with, in lower case.
        name: What others read.
        role: What he may do.
        password_hash: Of his password, by argon2; empty where he has none and signs in by other means.
        created_at: When it was made.
        disabled_at: Since when he cannot sign in; None where he can.
    """

    __tablename__ = "accounts"
    __table_args__ = (UniqueConstraint("email", name="uq_accounts_email"),)

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    email: Mapped[str]
    name: Mapped[str] = mapped_column(default="")
    role: Mapped[Role] = mapped_column(default=Role.MEMBER)
    password_hash: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime] = mapped_column(default=now)
    disabled_at: Mapped[datetime | None]

    @property
    def is_closed(self) -> bool:
        """Whether it has ended for good: nothing tells any more who it was."""
        return "@" not in self.email

    @property
    def shown_name(self) -> str:
        """What others read; empty where it is closed."""
        return "" if self.is_closed else self.name or self.email


class SignIn(Base):
    """One browser in which somebody has signed in, until he signs out, its time is up or somebody ends it.

    Attributes:
        id: Opaque id, which opens nothing.
        account_id: Whose it is.
        token_hash: SHA-256 of the secret in the browser's cookie, in hexadecimal digits.
        agent: What the browser called itself, cut.
        created_at: When it began.
        seen_at: When it was last used, to the minute.
        expires_at: From when on it opens nothing, however often it is used.
    """

    __tablename__ = "sign_ins"
    __table_args__ = (UniqueConstraint("token_hash", name="uq_sign_ins_token_hash"),)

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.id"), index=True)
    token_hash: Mapped[str]
    agent: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime] = mapped_column(default=now)
    seen_at: Mapped[datetime] = mapped_column(default=now)
    expires_at: Mapped[datetime]

    account: Mapped[Account] = relationship()


class OpenidIdentity(Base):
    """Somebody whom an OpenID provider knows, and the account that he signs in to.

    Attributes:
        issuer: The provider, as its ID tokens call it.
        subject: What they call him; it stays the same when his address changes.
        account_id: The account.
        created_at: When he first signed in so.
    """

    __tablename__ = "openid_identities"

    issuer: Mapped[str] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.id"), index=True)
    created_at: Mapped[datetime] = mapped_column(default=now)


class OneTimeLink(Base):
    """A link that works once: to set the server up, for somebody who is invited, or for a forgotten password.

    Attributes:
        id: Opaque id, which opens nothing.
        purpose: What it is for.
        token_hash: SHA-256 of the secret in its address, in hexadecimal digits.
        role: Of the account that it makes.
        account_id: The account whose password it sets; None for other purposes.
        created_at: When it was made.
        expires_at: From when on it opens nothing.
    """

    __tablename__ = "one_time_links"
    __table_args__ = (UniqueConstraint("token_hash", name="uq_one_time_links_token_hash"),)

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    purpose: Mapped[LinkPurpose]
    token_hash: Mapped[str]
    role: Mapped[Role] = mapped_column(default=Role.MEMBER)
    account_id: Mapped[str | None] = mapped_column(ForeignKey("accounts.id"), index=True)
    created_at: Mapped[datetime] = mapped_column(default=now)
    expires_at: Mapped[datetime]


class ApiToken(Base):
    """A token with which a program acts for somebody.

    Attributes:
        id: Opaque id, which opens nothing.
        account_id: For whom it acts.
        name: What it is for, in the words of its owner.
        token_hash: SHA-256 of the token, in hexadecimal digits.
        scope: What it may do.
        created_at: When it was made.
        used_at: When it was last used, to the minute; None where it never was.
        expires_at: From when on it opens nothing.
    """

    __tablename__ = "api_tokens"
    __table_args__ = (UniqueConstraint("token_hash", name="uq_api_tokens_token_hash"),)

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.id"), index=True)
    name: Mapped[str]
    token_hash: Mapped[str]
    scope: Mapped[TokenScope]
    created_at: Mapped[datetime] = mapped_column(default=now)
    used_at: Mapped[datetime | None]
    expires_at: Mapped[datetime]

    account: Mapped[Account] = relationship()


class AuditEvent(Base):
    """Something that was done, written down for administrators. It outlives the account and the thing it names.

    Attributes:
        id: Grows with time.
        at: When.
        action: What, an `AuditAction`; as text, so that events of other versions can be read.
        account_id: By whom; None where nobody needs an account, and where nobody knows.
        who: The e-mail address of that account then.
        sender: The address on the network that it came from.
        object_kind: What kind of thing it was done to.
        object_id: Its id.
        detail: More of it.
    """

    __tablename__ = "audit_events"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(default=now, index=True)
    action: Mapped[str]
    account_id: Mapped[str | None]
    who: Mapped[str] = mapped_column(default="")
    sender: Mapped[str] = mapped_column(default="")
    object_kind: Mapped[str] = mapped_column(default="")
    object_id: Mapped[str] = mapped_column(default="")
    detail: Mapped[str] = mapped_column(default="")


class Dataset(Base):
    """One data set.

    Attributes:
        id: Opaque id.
        owner_id: Whose it is, and with it its runs; None where it was made while nobody needed an account.
        name: What people call it.
        state: Where its check is.
        message: What is happening to it, or the verdict, in words.
        created_at: When its first file came.
        summary: What the last check found.
        deleted_at: Since when it is in the bin, where only the page of the bin shows it; None where it is not.
        removal_at: When the worker removes it and everything that was made from it; None where it is not in the bin.
        kept_at: When somebody last said that it is to be kept, see `automl.store.retention`.
        warned_at: Since when its page says that it goes into the bin, since nobody uses it; None where it does not.
        lease_owner: The process that checks it, see `lease_owner.LeaseOwner`; empty where none does.
        lease_until: Until when it counts as that process's without a sign of life.
        lease_number: Of that process's lease; it only grows.
        revision: How often people have changed it; pages send the one that they show, see `server.edit_conflicts`.
    """

    __tablename__ = "datasets"

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    owner_id: Mapped[str | None] = mapped_column(ForeignKey("accounts.id"), index=True)
    name: Mapped[str]
    state: Mapped[DatasetState] = mapped_column(default=DatasetState.UPLOADING)
    message: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime] = mapped_column(default=now)
    summary: Mapped[DatasetSummary] = mapped_column(JsonRecord(read_summary), default=DatasetSummary)
    deleted_at: Mapped[datetime | None]
    removal_at: Mapped[datetime | None]
    kept_at: Mapped[datetime | None]
    warned_at: Mapped[datetime | None]
    lease_owner: Mapped[str] = mapped_column(default="")
    lease_until: Mapped[datetime | None]
    lease_number: Mapped[int] = mapped_column(default=0)
    revision: Mapped[int] = mapped_column(default=0)

    files: Mapped[list["DatasetFile"]] = relationship(back_populates="dataset", cascade="all, delete-orphan")
    edits: Mapped[list["DatasetEdit"]] = relationship(
        back_populates="dataset", cascade="all, delete-orphan", order_by="DatasetEdit.id"
    )
    versions: Mapped[list["DatasetVersion"]] = relationship(
        back_populates="dataset", cascade="all, delete-orphan", order_by="DatasetVersion.number"
    )
    runs: Mapped[list["Run"]] = relationship(back_populates="dataset", order_by="Run.created_at.desc()")


class DatasetShare(Base):
    """Somebody else who may see a data set and everything that is made from it.

    Attributes:
        dataset_id: The data set.
        account_id: Who.
        may_change: Whether he may also change it and start runs, unless his role forbids that.
        created_at: Since when.
    """

    __tablename__ = "dataset_shares"

    dataset_id: Mapped[str] = mapped_column(ForeignKey("datasets.id"), primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.id"), primary_key=True, index=True)
    may_change: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(default=now)

    account: Mapped[Account] = relationship()


class DatasetFile(Base):
    """One uploaded file. From `label` on, except `given_label`, the columns are written by the check.

    Attributes:
        id: Number of the file; a later one is larger.
        dataset_id: Its data set.
        name: Path that the user gave.
        key: Where its bytes are in the artifact store; empty where they are not there.
        sha256: Of its bytes.
        n_bytes: Their number.
        state: What became of it.
        reason: Why it is not used.
        label: Its class.
        split: Value of `records.Split`: the part that it is in, None where that is Darkroom's choice.
        width: Pixels, upright; None for a file that does not decode.
        height: Pixels, upright; None for a file that does not decode.
        given_label: The class that it was sent to, whatever its name says.
        origin: How it came into the data set.
        format: Format that it has inside, such as "JPEG"; empty until it has been decoded.
        fingerprint: Small gray copy by which near copies are found, see `automl.images.fingerprint`.
        spread: How much its brightness varies, see there.
        is_gray: Whether it has no colours.
        thumbnail: Where a small JPEG of it is in the artifact store.
        detail: What tells whether another photo is the very same shot, see `automl.images.detail`; None for a file that
            an older version has decoded.
        near: Id of the first of the files that are near copies of each other, its own where there is no other.
        original: Id of the first of those near copies that may have been made from one file.
        shot: Id of the first of those near copies that look the same everywhere.
        taken_at: Seconds since 1970 by the clock of the camera, from its EXIF.
        fault: Why it could not be decoded.
        pixels: What is known of its pixels where they are not ordinary ones, see `records.PixelFacts`.
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
    origin: Mapped[Origin] = mapped_column(default=Origin.UPLOADED)
    format: Mapped[str] = mapped_column(default="")
    fingerprint: Mapped[bytes | None] = mapped_column(deferred=True)
    spread: Mapped[float | None]
    is_gray: Mapped[bool | None]
    thumbnail: Mapped[str] = mapped_column(default="")
    detail: Mapped[bytes | None] = mapped_column(deferred=True)
    near: Mapped[int | None]
    original: Mapped[int | None]
    shot: Mapped[int | None]
    taken_at: Mapped[float | None]
    fault: Mapped[str] = mapped_column(default="")
    pixels: Mapped[PixelFacts | None] = mapped_column(JsonRecord(PixelFacts.model_validate))

    dataset: Mapped[Dataset] = relationship(back_populates="files")


N_FILES_AND_BYTES = (func.count(), cast(func.coalesce(func.sum(DatasetFile.n_bytes), 0), BigInteger))
"""To be selected together. PostgreSQL would add such numbers up to a decimal, which is no `int`."""


class DatasetEdit(Base):
    """Something that a user changed. Nothing is overwritten: edits apply in their order.

    Attributes:
        id: Number of the edit; a later one is larger.
        dataset_id: Its data set.
        kind: Value of `automl.datasets.edits.EditKind`.
        values: The fields of an edit of this kind, see `automl.datasets.edits.edit_values`.
        title: What it did, in words.
        created_at: When it was made.
        account_id: Whose account made it, which may be closed by now; None where nobody needed one.
        revision: Of the data set, since it was made.
        undone_at: When it was undone; None while it counts.
        undone_by: Whose account undid it, as `account_id`.
        undone_revision: Of the data set, since it was undone.
    """

    __tablename__ = "dataset_edits"

    id: Mapped[int] = mapped_column(primary_key=True)
    dataset_id: Mapped[str] = mapped_column(ForeignKey("datasets.id"), index=True)
    kind: Mapped[str]
    values: Mapped[dict[str, JsonValue]] = mapped_column(JSON, default=dict)
    title: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(default=now)
    account_id: Mapped[str | None]
    revision: Mapped[int] = mapped_column(default=0)
    undone_at: Mapped[datetime | None]
    undone_by: Mapped[str | None]
    undone_revision: Mapped[int | None]

    dataset: Mapped[Dataset] = relationship(back_populates="edits")


class DatasetVersion(Base):
    """What a data set was when a run used it.

    A version that no run has used is replaced by the next change; one that was used stays as it is.

    Attributes:
        id: Opaque id.
        dataset_id: Its data set.
        number: Counts from 1.
        fingerprint: SHA-256 over all that the manifest says of its photos.
        key: Where its manifest is in the artifact store.
        n_images: Photos in it.
        n_classes: Classes in it.
        n_confirmed: Photos in it that a model has sorted and a person has looked at.
        n_unseen: Photos in it that a model has sorted and nobody has looked at.
        created_at: When it was made.
    """

    __tablename__ = "dataset_versions"

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    dataset_id: Mapped[str] = mapped_column(ForeignKey("datasets.id"), index=True)
    number: Mapped[int]
    fingerprint: Mapped[str]
    key: Mapped[str]
    n_images: Mapped[int]
    n_classes: Mapped[int]
    n_confirmed: Mapped[int] = mapped_column(default=0)
    n_unseen: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(default=now)

    dataset: Mapped[Dataset] = relationship(back_populates="versions")


class DatasetSides(Base):
    """What the splits of runs have decided about the photos of a version, and of earlier ones.

    Attributes:
        id: Number of the row; a later one is larger.
        dataset_id: The data set.
        version_id: The version that was split.
        seed: From which the split was made.
        sides: What is remembered: of the photos of this version, and of those that earlier ones have had.
    """

    __tablename__ = "dataset_sides"
    __table_args__ = (
        UniqueConstraint("version_id", "seed", name="uq_dataset_sides_version_id_seed"),
        Index("ix_dataset_sides_dataset_id_seed", "dataset_id", "seed"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    dataset_id: Mapped[str] = mapped_column(ForeignKey("datasets.id"))
    version_id: Mapped[str] = mapped_column(ForeignKey("dataset_versions.id"))
    seed: Mapped[int]
    sides: Mapped[RememberedSides] = mapped_column(JsonRecord(RememberedSides.model_validate))


class Run(Base):
    """One search for a model.

    Attributes:
        id: Opaque id.
        dataset_id: The data set that it learns from.
        version_id: The version of the data set; None until its photos are checked.
        parent_id: The run whose result its user had seen before starting this one with a change.
        started_by_id: The account that asked for it, for whom it counts; None where nobody needed an account.
        name: What its user calls it, may be empty.
        state: Where it is.
        activity: What is happening, in words for the page.
        progress: 0-1 within the present activity, None where unknown.
        settings: What was asked for.
        budget_s: Seconds that it may take.
        created_at: When it was asked for.
        started_at: When a worker first began with it.
        finished_at: When it ended, in whatever way.
        used_s: Seconds of the budget that are used up.
        stop_requested: Whether its user wants it to end with the best model so far.
        cancel_requested: Whether its user wants it to end without a model.
        error_code: Code of the error that ended it, see `automl.errors`.
        error_message: What happened, in words for the page.
        notes: Sentences about what happened on the way.
        n_trials: Trials that have ended.
        best_score: 0-1, of the best model on validation photos.
        best_trial: Number of the trial that the best model comes from.
        best_summary: The settings of the best model, in words.
        result: What is known of the winner; None before it is final, a `RunReport` once it has been tested. It is long,
            and read only where it is asked for.
        test_accuracy: 0-1, of the result, for lists.
        sure_threshold: The confidence, 0-1, from which on answers count as sure, where its user has chosen one.
        lease_owner: The worker that has it.
        lease_until: Until when it counts as that worker's without a sign of life.
        lease_number: Of that worker's lease. It only grows, so whoever writes under an older one is recognised.
        attempts: How often a worker has begun with it and was lost.
        device: What it computes on, in words.
        trying: The trial in progress; None between two trials.
        progress_from: 0-1, where its progress was when its budget last changed or its worker was lost, see `run_clock`.
        progress_from_s: Seconds of the budget that were used up then.
        notify_email: Who is to be written to at the end.
        notified_at: When that was done, or the webhook called.
        deleted_at: Since when it is in the bin by itself, without its data set; None where it is not.
        removal_at: When the worker removes it and everything that it made; None where it is not in the bin.
    """

    __tablename__ = "runs"

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    dataset_id: Mapped[str] = mapped_column(ForeignKey("datasets.id"), index=True)
    version_id: Mapped[str | None] = mapped_column(ForeignKey("dataset_versions.id"), index=True)
    parent_id: Mapped[str | None] = mapped_column(ForeignKey("runs.id"))
    started_by_id: Mapped[str | None] = mapped_column(ForeignKey("accounts.id"), index=True)
    name: Mapped[str] = mapped_column(default="")
    state: Mapped[RunState] = mapped_column(default=RunState.QUEUED, index=True)
    activity: Mapped[str] = mapped_column(default=store_messages.WAITING_FOR_WORKER)
    progress: Mapped[float | None]
    settings: Mapped[RunSettings] = mapped_column(JsonRecord(RunSettings.from_json, is_whole=True), default=RunSettings)
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
    result: Mapped[CandidateReport | None] = mapped_column(OptionalRecord(read_report), nullable=False, deferred=True)
    test_accuracy: Mapped[float | None]
    sure_threshold: Mapped[float | None]
    lease_owner: Mapped[str] = mapped_column(default="")
    lease_until: Mapped[datetime | None]
    lease_number: Mapped[int] = mapped_column(default=0)
    attempts: Mapped[int] = mapped_column(default=0)
    device: Mapped[str] = mapped_column(default="")
    trying: Mapped[TrialInProgress | None] = mapped_column(
        OptionalRecord(TrialInProgress.model_validate), nullable=False
    )
    progress_from: Mapped[float] = mapped_column(default=0.0)
    progress_from_s: Mapped[float] = mapped_column(default=0.0)
    notify_email: Mapped[str] = mapped_column(default="")
    notified_at: Mapped[datetime | None]
    deleted_at: Mapped[datetime | None]
    removal_at: Mapped[datetime | None]

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

    @property
    def report(self) -> RunReport | None:
        """The result, where the model has been tested."""
        return self.result if isinstance(self.result, RunReport) else None

    @property
    def sure_from(self) -> float | None:
        """The confidence, 0-1, from which on answers count as sure: that of its user, else the calibrated one."""
        if self.sure_threshold is not None:
            return self.sure_threshold
        return self.report.calibration.threshold if self.report and self.report.calibration else None

    @validates("result")
    def _note_accuracy(self, _name: str, result: CandidateReport | None) -> CandidateReport | None:
        self.test_accuracy = result.score.accuracy if isinstance(result, RunReport) else None
        return result


class LogEntry(Base):
    """Something worth remembering of a run.

    Attributes:
        id: Number of the entry; a later one is larger.
        run_id: Its run.
        at: When it happened.
        kind: "state", "best", "note", "time" or "worker".
        text: What happened, in words, or the name of the state.
        used_s: When it happened on the run's clock, where the kind has that.
        score: 0-1 on validation photos, where the kind has one.
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
    """One finished trial, as the pages show it: the fields of its `records.TrialRecord`.

    Attributes:
        id: Number of the row.
        run_id: Its run.
        number: From 0, in the order in which the trials were started.
        state: Value of `records.TrialState`.
        backbones: Names of the networks that it stands on.
        image_size_px: Size to which photos were brought.
        params: What the tuner chose, by name.
        score: The value of the goal on validation photos, 0-1; None where it failed or was pruned.
        started_s: When it was started, on the run's clock.
        duration_s: Seconds that it took.
        message: Why it failed.
        stage: Value of `records.Stage`.
        n_bytes: Size of the model file, 0 where unknown.
        latency_s: Seconds for one photo on this machine's CPU, 0 where unknown.
        epochs: Epochs that it was given, where the tuner chose their number, else None.
    """

    __tablename__ = "trial_summaries"
    __table_args__ = (UniqueConstraint("run_id", "number", name="uq_trial_summaries_run_id_number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id"), index=True)
    number: Mapped[int]
    state: Mapped[str]
    backbones: Mapped[list[str]] = mapped_column(JSON, default=list)
    image_size_px: Mapped[int]
    params: Mapped[TrialParams] = mapped_column(JSON, default=dict)
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
    """One file that a run made.

    Attributes:
        id: Opaque id.
        run_id: Its run.
        kind: "bundle", "best_so_far" or "plot".
        name: Name of the file for people.
        title: What it is, in words.
        media_type: For a browser.
        key: Where it is in the artifact store.
        n_bytes: Its size.
        created_at: When it was made.
    """

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


class SharedLink(Base):
    """A read-only link: who has it may open one page of one run, and nothing else, until it ends or is taken back.

    Attributes:
        id: Opaque id, which opens nothing.
        run_id: Its run.
        page: Value of `records.LinkedPage`: what it shows.
        token_hash: SHA-256 of the secret in its address, in hexadecimal digits. The secret itself is not kept.
        shows_photos: Whether the page may show photos of the data set.
        created_at: When it was made.
        expires_at: From when on it opens nothing.
    """

    __tablename__ = "shared_links"
    __table_args__ = (UniqueConstraint("token_hash", name="uq_shared_links_token_hash"),)

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id"), index=True)
    page: Mapped[str]
    token_hash: Mapped[str]
    shows_photos: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(default=now)
    expires_at: Mapped[datetime]


class Export(Base):
    """One format of a delivered model, see `automl.formats.FORMATS`; rows are in the order of that table.

    Attributes:
        id: Number of the row.
        run_id: Its run.
        format: Name of the format.
        state: Where it is.
        key: Where its file is in the artifact store, a .zip where the format is a folder; empty while there is none,
            and for what the bundle holds anyway.
        n_bytes: Size of that file.
        proof: How it did when it was loaded again and tested; None until then.
        message: Why it failed, for the user.
        attempts: How often it was begun.
        lease_until: Until when it counts as being made.
        lease_number: Of the lease of whoever makes it; it only grows.
    """

    __tablename__ = "exports"
    __table_args__ = (UniqueConstraint("run_id", "format", name="uq_exports_run_id_format"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id"), index=True)
    format: Mapped[str]
    state: Mapped[ExportState] = mapped_column(default=ExportState.PREPARING)
    key: Mapped[str] = mapped_column(default="")
    n_bytes: Mapped[int] = mapped_column(BigInteger, default=0)
    proof: Mapped[Proof | None] = mapped_column(OptionalRecord(Proof.model_validate), nullable=False)
    message: Mapped[str] = mapped_column(default="")
    attempts: Mapped[int] = mapped_column(default=0)
    lease_until: Mapped[datetime | None]
    lease_number: Mapped[int] = mapped_column(default=0)

    run: Mapped[Run] = relationship(back_populates="exports")


class Sorting(Base):
    """Photos without a class that a model has sorted, for a person to look through.

    Attributes:
        id: Opaque id.
        run_id: The run whose model it is.
        name: What people call it: the name of the folder.
        labels: The classes of the model, in the order of its probabilities.
        created_at: When it was begun.
        changed_at: When a photo was last added to it or decided about; it is kept for a while from then on.
    """

    __tablename__ = "sortings"

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id"), index=True)
    name: Mapped[str]
    labels: Mapped[list[str]] = mapped_column(JSON, default=list)
    created_at: Mapped[datetime] = mapped_column(default=now)
    changed_at: Mapped[datetime] = mapped_column(default=now, index=True)

    run: Mapped[Run] = relationship()


class SortedPhoto(Base):
    """One photo of a sorting, with the model's answer and what a person has said of it.

    Attributes:
        id: Number of the photo; a later one is larger.
        sorting_id: Its sorting.
        name: Path that the user gave.
        sha256: Of its bytes; empty where it is too large to be read.
        n_bytes: Their number.
        key: Where its bytes are in the artifact store; empty of a file that is no readable photo.
        thumbnail: Where a small JPEG of it is in the artifact store.
        reason: Why it is no readable photo.
        answer: The likeliest class; empty of a file that is no readable photo.
        confidence: Probability of `answer`, 0-1.
        probabilities: Of every class of the sorting: float32, little-endian.
        is_foreign: Whether it looks like nothing that the model has learned; None where the model cannot tell.
        decision: What a person has said of it.
        label: Its class by now: the answer until somebody has looked at it; empty where he names none.
        added_at: When it was added to the data set; None where it was not.
    """

    __tablename__ = "sorted_photos"
    # A sorting is shown with the doubtful photos first; an upload asks which of its names are already there.
    __table_args__ = (
        Index("ix_sorted_photos_sorting_id_confidence", "sorting_id", "confidence"),
        Index("ix_sorted_photos_sorting_id_name", "sorting_id", "name"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    sorting_id: Mapped[str] = mapped_column(ForeignKey("sortings.id"))
    name: Mapped[str]
    sha256: Mapped[str] = mapped_column(default="")
    n_bytes: Mapped[int] = mapped_column(BigInteger, default=0)
    key: Mapped[str] = mapped_column(default="")
    thumbnail: Mapped[str] = mapped_column(default="")
    reason: Mapped[str] = mapped_column(default="")
    answer: Mapped[str] = mapped_column(default="")
    confidence: Mapped[float] = mapped_column(default=0.0)
    probabilities: Mapped[bytes] = mapped_column(default=b"", deferred=True)
    is_foreign: Mapped[bool | None]
    decision: Mapped[Decision] = mapped_column(default=Decision.OPEN)
    label: Mapped[str] = mapped_column(default="")
    added_at: Mapped[datetime | None]

    sorting: Mapped[Sorting] = relationship()

    @property
    def is_read(self) -> bool:
        """Whether it is a photo that the model has answered."""
        return bool(self.answer)

    @property
    def is_corrected(self) -> bool:
        """Whether a person has said something else than the model."""
        return self.decision is not Decision.OPEN and self.label != self.answer
