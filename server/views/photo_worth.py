"""What more photos are worth, as the download of a run says it."""

from functools import lru_cache

from automl.errors import BadBundle, NotFound
from automl.records.learning_curve import CURVE_FILE, CurvePoint, read_curve
from automl.store.artifacts import ArtifactStore
from automl.store.tables import Artifact
from server.downloads.members import read_member


def curve_in(store: ArtifactStore, download: Artifact | None) -> tuple[CurvePoint, ...]:
    """By rising numbers of photos; empty where it was not measured, or the download is gone."""
    return _read(store, download.key) if download is not None and download.kind == "bundle" else ()


@lru_cache(maxsize=32)
def _read(store: ArtifactStore, key: str) -> tuple[CurvePoint, ...]:
    """The bytes behind a key never change."""
    try:
        return read_curve(read_member(store, key, CURVE_FILE).decode())
    except (NotFound, BadBundle):  # of an earlier version, or damaged, which is said where it is asked for
        return ()
