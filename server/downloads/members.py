"""Reads members of a run's bundle from the store."""

import zipfile

from automl.errors import BadBundle
from automl.serving.sound_zip import sound_zip
from automl.store.artifacts import ArtifactStore
from automl.text.messages import server as server_messages


def read_member(store: ArtifactStore, key: str, name: str) -> bytes:
    """One member of the bundle `key`.

    Raises:
        NotFound: the bundle is gone.
        BadBundle: it is damaged, or has no such member.
    """
    with store.open(key) as handle:
        try:
            with sound_zip(handle) as archive:
                return archive.read(name)
        except (KeyError, zipfile.BadZipFile) as error:
            raise BadBundle(server_messages.MODEL_DAMAGED) from error
