"""Photos that the model of a run has sorted: half of them it is sure of."""

from flask.testing import FlaskClient

from automl.store.tables import SortedPhoto
from tests.server.conftest import World, form_file
from tests.server.trying import noise, picture

DARK, DARKER = (60, 40, 40), (55, 45, 45)
"""Colours that the model is not sure of."""

FOLDER = {
    "holiday/sure.png": picture(),
    "holiday/dark.png": picture(DARK),
    "holiday/blue.png": picture((0, 0, 255)),
    "holiday/darker.png": picture(DARKER, 30),
    "holiday/cut.png": noise(1)[:80],
}


def sort(client: FlaskClient, run_id: str, files: dict[str, bytes] | None = None) -> str:
    """The address of the page of the sorted photos, which are sent as the plain form does."""
    files = FOLDER if files is None else files
    data = {"photos": [form_file(name, content) for name, content in files.items()]}
    address: str = client.post(f"/runs/{run_id}/sorted", data=data).headers["Location"]
    return address


def photos(world: World) -> dict[str, SortedPhoto]:
    """By the names of their files."""
    with world.database.session() as session:
        return {photo.name.rpartition("/")[2]: photo for photo in session.query(SortedPhoto)}


def say(client: FlaskClient, page: str, **verdicts: object):
    """What a person says of photos, by their numbers: `_7="0"`."""
    return client.post(f"{page}/verdicts", data={f"photo-{number[1:]}": value for number, value in verdicts.items()})
