"""`python -m automl.pipeline.exporting RUN_ID FORMAT NUMBER`: one format of a finished run, made and proven.

It is a process of its own, which the worker starts under a lease of the format's row that has this number. Its standard
input is a pipe from the worker: the end of the pipe means that the worker has died, and ends this process at once.
"""

import faulthandler
import shutil
import sys
import threading
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO

import structlog

from automl.delivery.conversion import Conversion
from automl.delivery.redocument import redocument
from automl.errors import AttemptOver, BadBundle, DarkroomError, NotFound
from automl.formats import Format, find_format
from automl.logs import configure_logging
from automl.pipeline.attempt import end_process
from automl.records import DatasetManifest, ExportState
from automl.records.report import FormatReport
from automl.settings import Settings, load_settings
from automl.store.artifacts import ArtifactStore, StoredFile
from automl.store.checks import load_manifest
from automl.store.database import Database, find_run
from automl.store.exports import (
    MAX_ATTEMPTS,
    ExportClaim,
    ExportOutcome,
    export_row,
    export_rows,
    find_claim,
    settle_export,
    was_settled,
)
from automl.store.patience import patiently
from automl.store.results import report_of
from automl.store.tables import Artifact
from automl.text.messages import pipeline as pipeline_messages
from automl.text.messages import store as store_messages

_log = structlog.stdlib.get_logger(__name__)

_DATE = (1980, 1, 1, 0, 0, 0)  # the earliest that a .zip knows

OpenModel = Callable[[Path, DatasetManifest, Path], Conversion]
"""Takes the bundle, the photos that the model was trained and tested with, and a folder for its files."""


class Exporting:
    """Makes formats of finished runs.

    Args:
        workspace: a folder for scratch files; it is made, and never removed here.
        open_model: opens a bundle to write and prove formats of its model.
    """

    def __init__(
        self, database: Database, store: ArtifactStore, workspace: Path, *, open_model: OpenModel = Conversion
    ) -> None:
        self._database, self._store, self._workspace = database, store, workspace
        self._open = open_model
        self._unwanted: list[str] = []  # keys in the store that no row refers to

    def make(self, claim: ExportClaim) -> None:
        """Makes and proves the claimed format and writes the outcome; the last format renews the run's documents.

        Whatever goes wrong with a format is written into its row and keeps nothing else from being made. A run whose
        data set is deleted in the meantime is left as it is.
        """
        one = find_format(claim.format)
        try:
            outcome = self._made(claim, one)
            self._settle(claim, outcome, self._documented(claim, outcome))
        except Exception as error:  # noqa: BLE001 - the row says so, and the other formats are made all the same
            if self._is_gone(claim):
                _log.info("the data set was deleted meanwhile")
            else:
                _log.exception("a format could not be made")
                self._fail(claim, _message(one, claim, error))
        finally:
            for key in self._unwanted:
                self._store.delete(key)
            self._unwanted.clear()

    def _made(self, claim: ExportClaim, one: Format) -> ExportOutcome:
        if claim.attempt > MAX_ATTEMPTS:
            return ExportOutcome.failed(store_messages.EXPORT_GIVEN_UP)
        manifest = load_manifest(self._database, self._store, claim.run_id, scratch=self._workspace / "images")
        model = self._open(self._local_bundle(claim), manifest, self._workspace / "model")
        _log.info("writing")
        path = model.write(one)
        _log.info("proving", n_photos=model.n_tested)
        proof = model.prove(one, path)
        if one.is_made_at_once:  # the bundle has it
            return ExportOutcome(state=ExportState.READY, n_bytes=proof.n_bytes, proof=proof)
        stored = self._put(claim, zipped(path) if path.is_dir() else path)
        return ExportOutcome(state=ExportState.READY, key=stored.key, n_bytes=stored.n_bytes, proof=proof)

    def _fail(self, claim: ExportClaim, message: str) -> None:
        outcome = ExportOutcome.failed(message)
        try:
            bundle = self._documented(claim, outcome)
        except Exception:  # noqa: BLE001 - that the format failed must be written whatever becomes of the documents
            _log.exception("the documents could not be written anew")
            bundle = None
        self._settle(claim, outcome, bundle)

    def _documented(self, claim: ExportClaim, outcome: ExportOutcome) -> StoredFile | None:
        """A bundle whose documents list every format; None while others are still to be made."""
        told = self._rows_and_titles(claim, outcome)
        if told is None:
            return None
        target = self._workspace / "model.zip"
        target.parent.mkdir(parents=True, exist_ok=True)
        redocument(self._local_bundle(claim), target, exports=told[0], titles=told[1])
        return self._put(claim, target)

    @patiently
    def _rows_and_titles(
        self, claim: ExportClaim, outcome: ExportOutcome
    ) -> tuple[list[FormatReport], list[tuple[str, str]]] | None:
        """What the documents say of the formats and of the plots; None while others are still to be made."""
        with self._database.session() as session:
            run = find_run(session, claim.run_id)
            if any(row.state is ExportState.PREPARING and row.format != claim.format for row in run.exports):
                return None
            rows = [export_row(row.format, outcome if row.format == claim.format else row) for row in run.exports]
            return rows, [(plot.name, plot.title) for plot in run.artifacts if plot.kind == "plot"]

    def _settle(self, claim: ExportClaim, outcome: ExportOutcome, bundle: StoredFile | None) -> None:
        """Row, result and bundle in one transaction, so that a process that dies leaves the row to be made again."""
        is_ours, outdated = self._write_outcome(claim, outcome, bundle)
        _log.info("settled" if is_ours else "no longer wanted")
        if is_ours:
            self._unwanted = [key for key in self._unwanted if key not in (outcome.key, bundle and bundle.key)]
            self._unwanted += outdated

    @patiently
    def _write_outcome(
        self, claim: ExportClaim, outcome: ExportOutcome, bundle: StoredFile | None
    ) -> tuple[bool, list[str]]:
        """Whether it was written, and where the files of bundles are that are outdated now."""
        outdated: list[Artifact] = []
        with self._database.session() as session:
            if was_settled(session, claim):  # the connection was lost in the moment of the commit
                return True, []
            is_ours = settle_export(session, claim, outcome)
            if is_ours:
                run = find_run(session, claim.run_id)
                run.result = report_of(run).with_exports(export_rows(run.exports))
                if bundle is not None:
                    outdated = [one for one in run.artifacts if one.kind == "bundle"]
                    for one in outdated:
                        session.delete(one)
                    session.add(_bundle_row(claim.run_id, bundle))
        return is_ours, [one.key for one in outdated]

    def _put(self, claim: ExportClaim, path: Path) -> StoredFile:
        stored = self._store.put(f"runs/{claim.run_id}", path)
        self._unwanted.append(stored.key)  # until a row refers to it
        return stored

    def _local_bundle(self, claim: ExportClaim) -> Path:
        bundles = self._bundles(claim)
        if not bundles:
            raise NotFound(pipeline_messages.RUN_HAS_NO_MODEL)
        return self._store.local_path(bundles[-1].key, self._workspace / "bundle")

    @patiently
    def _bundles(self, claim: ExportClaim) -> list[Artifact]:
        with self._database.session() as session:
            return [one for one in find_run(session, claim.run_id).artifacts if one.kind == "bundle"]

    @patiently
    def _is_gone(self, claim: ExportClaim) -> bool:
        try:
            with self._database.session() as session:
                find_run(session, claim.run_id)
        except NotFound:
            return True
        return False


def zipped(folder: Path) -> Path:
    """The folder's files as a .zip beside it, without the folder's own name: the same bytes for the same files."""
    target = folder.with_suffix(".zip")
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            info = zipfile.ZipInfo(path.relative_to(folder).as_posix(), _DATE)
            info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            info.file_size = path.stat().st_size
            with path.open("rb") as source, archive.open(info, "w") as member:
                shutil.copyfileobj(source, member)
    return target


def _bundle_row(run_id: str, stored: StoredFile) -> Artifact:
    return Artifact(
        run_id=run_id,
        kind="bundle",
        name="model.zip",
        title=pipeline_messages.TRAINED_MODEL,
        media_type="application/zip",
        key=stored.key,
        n_bytes=stored.n_bytes,
    )


def _message(one: Format, claim: ExportClaim, error: Exception) -> str:
    """The reason as the user reads it: it names nothing of this machine."""
    if isinstance(error, BadBundle):
        return pipeline_messages.MODEL_TOO_OLD
    if isinstance(error, DarkroomError):
        return error.message
    return pipeline_messages.FORMAT_NOT_MADE.format(title=one.title, run_id=claim.run_id)


def main(arguments: Sequence[str]) -> int:
    faulthandler.enable()  # a crash in native code then says where in the log
    run_id, name, number = arguments
    settings = load_settings()
    configure_logging(settings, process="export", run_id=run_id, format=name)
    threading.Thread(target=_end_with, args=(sys.stdin,), daemon=True).start()
    try:
        _make(settings, run_id, find_format(name).name, int(number))
    except AttemptOver as over:
        end_process(over)
    return 0


def _make(settings: Settings, run_id: str, name: str, number: int) -> None:
    database = Database(settings.database_url)
    claim = _find_claim(database, run_id, name, number)
    if claim is None:
        _log.info("nothing to do")
        return
    workspace = settings.export_workspace(run_id, name, number)
    Exporting(database.fenced(claim.hold), ArtifactStore(settings.files_dir), workspace).make(claim)


@patiently
def _find_claim(database: Database, run_id: str, name: str, number: int) -> ExportClaim | None:
    with database.session() as session:
        return find_claim(session, run_id, name, number)


def _end_with(pipe: IO[str]) -> None:
    while pipe.readline():
        pass
    # The worker is gone, and another attempt will make this format.
    end_process(None)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
