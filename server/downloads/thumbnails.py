"""The small copies of photos that pages show, drawn anew by the check: no bytes of an upload are ever sent back."""

from flask import Response, send_file

from automl.errors import NotFound
from automl.store.database import find_dataset
from automl.store.tables import DatasetFile
from automl.text.messages import server as server_messages
from server.forms import row_id
from server.services import services

_MAX_AGE_S = 86_400


def send_thumbnail(dataset_id: str, file_id: int) -> Response:
    """The small copy of one photo of a data set.

    Raises:
        NotFound: there is none.
    """
    with services().database.session() as session:
        find_dataset(session, dataset_id)
        file = session.get(DatasetFile, row_id(file_id))
    if file is None or file.dataset_id != dataset_id or not file.thumbnail:
        raise NotFound(server_messages.NO_PHOTO)
    return send_small_copy(file.thumbnail)


def send_small_copy(key: str) -> Response:
    """The small copy of a photo, by its key in the store.

    Raises:
        NotFound: it is gone.
    """
    path = services().store.local_path(key, services().settings.features_dir / "thumbnails")
    if not path.exists():
        raise NotFound(server_messages.PHOTO_GONE)
    response = send_file(path, mimetype="image/jpeg", max_age=_MAX_AGE_S)
    response.cache_control.private = True
    return response
