"""Whatever arrives at any address: it is refused with what is wrong, and never an error of the server's."""

import re
from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient

from automl.records import RunState
from tests.server.conftest import World

BODIES = [
    b"\xff",
    b"null",
    b"[" * 100_000,
    b'{"name": "\\ud800", "dataset": "\\ud800", "label": "\\ud800"}',
    b'{"name": "\\u0000\\u200b\\n", "dataset": ["x"], "minutes": "\\u0000"}',
    b'{"name": 5, "minutes": 1e999, "budget": NaN, "seed": 99999999999999999999999}',
]
PARTS = ["x", "%ff", "%00", "%ed%a0%80", "9" * 30]
"""What stands in an address where a name or a number belongs."""

HEADERS = [
    {"Origin": "http://["},
    {"Origin": "\x01"},
    {"Range": "bytes=9999999999999999999999-"},
    {"Content-Type": "multipart/form-data"},
    {"Content-Type": "multipart/form-data; boundary="},
    {"If-Modified-Since": "x"},
    {"Last-Event-ID": "x"},
    {"Accept-Language": "\xff"},
]
MAY_BE_503 = "/readyz"  # no worker is there


def addresses(app: Flask, run_id: str, dataset_id: str) -> Iterator[tuple[str, str]]:
    """Every method with every address, and whatever may stand in one."""
    for rule in app.url_map.iter_rules():
        known = rule.rule.replace("<run_id>", run_id).replace("<dataset_id>", dataset_id)
        filled = dict.fromkeys(re.sub("<[^>]+>", part, known) for part in PARTS)
        yield from ((method, path) for method in rule.methods - {"HEAD", "OPTIONS"} for path in filled)


def test_no_body_and_no_address_breaks_the_server(client: FlaskClient, world: World) -> None:
    run_id, dataset_id = world.add_run(RunState.DONE), world.add_dataset()
    asked = list(addresses(world.app, run_id, dataset_id))
    assert len(asked) > 100
    for method, path in asked:
        for body in [b""] if method == "GET" else BODIES:
            with client.open(path, method=method, data=body, content_type="application/json") as answer:
                assert answer.status_code < 500 or path == MAY_BE_503, (method, path, body[:60])


@pytest.mark.parametrize("value", ["%ff", "%00", "%ed%a0%80", "9" * 40, "-1", "NaN"])
def test_no_question_breaks_the_server(client: FlaskClient, world: World, value: str) -> None:
    run_id, dataset_id = world.add_run(RunState.DONE), world.add_dataset()
    names = ("page", "after", "show", "seen", "use", "class", "photo", "to", "sure", "with", "format", "number")
    question = "&".join(f"{name}={value}" for name in names)
    for method, path in addresses(world.app, run_id, dataset_id):
        if method == "GET":
            with client.get(f"{path}?{question}") as answer:
                assert answer.status_code < 500 or path == MAY_BE_503, path


@pytest.mark.parametrize("headers", HEADERS, ids=str)
@pytest.mark.parametrize("path", ["/", "/api/v1/datasets", "/api/v1/runs", "/api/v1/datasets/{}/files"])
def test_no_header_breaks_the_server(client: FlaskClient, world: World, headers: dict[str, str], path: str) -> None:
    method = "GET" if path == "/" else "POST"
    with client.open(path.format(world.add_dataset()), method=method, headers=headers, data=b"x") as answer:
        assert answer.status_code < 500
