"""Reads what a run's download holds, straight from the store."""

import zipfile

from automl.errors import BadBundle
from automl.store.artifacts import ArtifactStore


def read_member(store: ArtifactStore, key: str, name: str) -> bytes:
    """One member of the bundle `key`. Raises NotFound where that is gone, BadBundle where it has none of that name."""
    with store.open(key) as handle:
        try:
            with zipfile.ZipFile(handle) as archive:
                return archive.read(name)
        except (KeyError, zipfile.BadZipFile) as error:
            raise BadBundle("The model of this run cannot be opened; its file is damaged.") from error
