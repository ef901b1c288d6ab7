"""People with accounts, each in a browser of his own."""

from flask.testing import FlaskClient

from automl.records import Role
from automl.store.accounts import add_account
from automl.store.sign_ins import sign_ins_of
from tests.server.conftest import World

PASSWORD = "four words in a row"


def add_person(world: World, name: str, role: Role = Role.MEMBER) -> str:
    """The id of the account."""
    with world.database.session() as session:
        email = f"{name}@example.org"
        return add_account(session, email=email, name=name.title(), role=role, password=PASSWORD).id


def browser(world: World) -> FlaskClient:
    """One that says where its requests come from, as all do."""
    client = world.app.test_client()
    client.environ_base["HTTP_SEC_FETCH_SITE"] = "same-origin"
    return client


def signed_in(world: World, name: str) -> FlaskClient:
    """The browser of somebody who was added."""
    client = browser(world)
    answer = client.post("/sign-in", data={"email": f"{name}@example.org", "password": PASSWORD})
    assert answer.status_code == 303, answer.text
    return client


def n_sign_ins(world: World, account_id: str) -> int:
    with world.database.session() as session:
        return len(sign_ins_of(session, account_id))
