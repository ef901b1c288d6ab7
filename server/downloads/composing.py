"""The download of a run: the base bundle, or one that is composed of the chosen formats."""

import hashlib
import json
import os
import re
import unicodedata
import zipfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from flask import Response, request, send_file

from automl.atomic_files import no_half_files
from automl.checked_files import add_checksum, is_sound
from automl.delivery.download import Chosen, compose
from automl.errors import BadSetting, NotAllowedNow, NotFound, StoreDamaged
from automl.formats import FORMATS, Format, find_format
from automl.records import ExportState
from automl.store.composed import make_room, remove_of_run
from automl.store.database import find_run
from automl.store.exports import make_again
from automl.store.locks import exclusive
from automl.store.tables import Artifact, Export, Run
from automl.text.messages import server as server_messages
from server.services import Services, services
from server.views.run import downloadable

_LONGEST_NAME_BYTES = 150  # of a file name's 255, in UTF-8
_NOT_IN_NAMES = re.compile(r'[\s<>:"/\\|?*]+')  # some system or other refuses them


def send_download(run_id: str) -> Response:
    """The download that the current request asks for.

    The query's `format`, which may be repeated, names the formats; without it, the base bundle is sent. The form on the
    page also sends `chosen`, which tells an empty choice from a request without one.

    Raises:
        NotFound: there is no such run, or its file is gone.
        BadSetting: there is no such format, or nothing is ticked.
        NotAllowedNow: there is no model yet, or a format is not ready.
    """
    names = request.args.getlist("format")
    if request.args.get("chosen") and not names:
        raise BadSetting(server_messages.NO_FORMAT_CHOSEN)
    with services().database.session() as session:
        run = find_run(session, run_id)
        base = downloadable(session, run)
        if base is None:
            raise NotAllowedNow(server_messages.NO_MODEL_TO_DOWNLOAD)
        name = download_name(run, base)
        exports = _chosen_exports(run, base, names) if names else []
        sure = run.sure_threshold if base.kind == "bundle" else None
    is_composed = bool(exports) or sure is not None
    path = _composed(services(), base, exports, sure) if is_composed else _base(services(), base)
    try:
        with services().database.session() as session:
            find_run(session, run_id)
    except NotFound:  # deleted meanwhile, perhaps before this download was composed: then nothing else removes it
        remove_of_run(services().settings.composed_dir, run_id)
        raise
    return send_file(
        path,
        mimetype="application/zip",
        as_attachment=True,
        download_name=name,
        max_age=0,
        etag=etag_of(path) if is_composed else base.id,
        last_modified=base.created_at,
    )


def download_name(run: Run, base: Artifact) -> str:
    """A file name from the data set's name and the day on which the run ended: `beans-2026-11-22.zip`."""
    part = "best-so-far-" if base.kind == "best_so_far" else ""
    day = (
        (run.finished_at or base.created_at).astimezone().date()
    )  # in the time zone of the server, which is taken to be that of its users
    return f"{as_file_name(run.dataset.name)}-{part}{day.isoformat()}.zip"


def may_be_chosen(export: Export) -> bool:
    """Whether the format is proven, or is part of the base bundle, which was checked when it was written."""
    if export.state is ExportState.READY:
        return export.proof is not None
    return export.state is ExportState.PREPARING and find_format(export.format).is_made_at_once


def etag_of(path: Path) -> str:
    """A digest of the central directory of a .zip: names, sizes and check sums of its members."""
    with zipfile.ZipFile(path) as archive, path.open("rb") as handle:
        handle.seek(archive.start_dir)
        return hashlib.sha256(handle.read()).hexdigest()[:32]


def as_file_name(name: str) -> str:
    """`name` without what file systems refuse. Letters of every script are kept."""
    plain = _NOT_IN_NAMES.sub("-", unicodedata.normalize("NFC", name))
    printable = "".join(character for character in plain if character.isprintable())
    short = printable.encode()[:_LONGEST_NAME_BYTES].decode(errors="ignore")
    return short.strip("-. ").lower() or "model"


def _chosen_exports(run: Run, base: Artifact, names: Sequence[str]) -> list[Export]:
    """The rows of the formats `names`, in the order of the table of formats."""
    known = [one.name for one in FORMATS]
    if unknown := [name for name in names if name not in known]:
        raise BadSetting(server_messages.NO_SUCH_FORMAT.format(name=unknown[0][:40], known=", ".join(known)))
    if base.kind != "bundle":
        raise NotAllowedNow(server_messages.FORMATS_AFTER_RUN)
    rows = {export.format: export for export in run.exports}
    chosen = [one for one in FORMATS if one.name in names]
    for one in chosen:
        _refuse_unready(one, rows.get(one.name))
    return [rows[one.name] for one in chosen]


def _refuse_unready(one: Format, export: Export | None) -> None:
    if export is None:
        raise NotAllowedNow(server_messages.FORMAT_NEVER_MADE.format(title=one.title))
    if export.state is ExportState.FAILED:
        raise NotAllowedNow(server_messages.FORMAT_FAILED.format(title=one.title))
    if not may_be_chosen(export):
        raise NotAllowedNow(server_messages.FORMAT_NOT_READY.format(title=one.title))


def _composed(services: Services, base: Artifact, exports: Sequence[Export], sure: float | None) -> Path:
    """The composed .zip of this choice. It is made by the first request that asks for it, and kept.

    Args:
        exports: the chosen formats; none for those that the base bundle has.
        sure: the confidence from which on answers count as sure, where the run's user has chosen one.
    """
    parts: list[object] = [base.id, *((export.format, export.key, _remark(export)) for export in exports)]
    if sure is not None:
        parts.append(sure)
    key = hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:32]
    path = services.settings.composed_dir / base.run_id / f"{key}.zip"
    path.parent.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        with services.figures.waiting_for("composing"):
            stack.enter_context(exclusive(path.with_suffix(".lock")))
        if is_sound(path):
            os.utime(path)  # keeps it from being removed as unused while it is sent
            return path
        make_room(path.parent)
        bundle = _base(services, base)
        chosen = [_chosen(services, export) for export in exports]
        with no_half_files([path]) as (part,):
            compose(part, bundle, chosen or [Chosen(one) for one in FORMATS if one.is_made_at_once], sure=sure)
        add_checksum(path)
    return path


def _chosen(services: Services, export: Export) -> Chosen:
    made = find_format(export.format)
    if not export.key:
        return Chosen(made, None, _remark(export))
    if services.store.size(export.key) != export.n_bytes:
        with services.database.session() as session:
            row = session.get(Export, export.id)
            if row is not None and row.key == export.key:
                make_again(row)
        raise NotAllowedNow(server_messages.FORMAT_LOST.format(title=made.title))
    return Chosen(made, _local(services, export.key), _remark(export))


def _remark(export: Export) -> str:
    """Only of one that is marked: the bytes of a download must not change because its formats are proven meanwhile."""
    return "" if export.proof is None or export.proof.is_true else export.proof.words


def _base(services: Services, base: Artifact) -> Path:
    """The base bundle. Raises StoreDamaged where it is not whole: half of a model is worse than none."""
    if services.store.size(base.key) != base.n_bytes:
        raise StoreDamaged(server_messages.BUNDLE_LOST)
    return _local(services, base.key)


def _local(services: Services, key: str) -> Path:
    return services.store.local_path(key, services.settings.features_dir / "downloads")
