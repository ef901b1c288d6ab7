import re

import pytest
import structlog
from flask.testing import FlaskClient
from structlog.testing import capture_logs

from server.request_log import HEADER
from tests.server.conftest import add_page


def test_each_answer_carries_an_id_of_its_own(client: FlaskClient) -> None:
    ids = {client.get("/health").headers[HEADER] for _ in range(2)}
    assert len(ids) == 2
    assert all(re.fullmatch("[0-9a-f]{32}", one) for one in ids)


@pytest.mark.parametrize(("given", "is_kept"), [("proxy-17.a", True), ("x" * 65, False), ("two words", False)])
def test_an_id_that_a_proxy_gave_is_kept_where_it_is_harmless(client: FlaskClient, given: str, is_kept: bool) -> None:
    assert (client.get("/health", headers={HEADER: given}).headers[HEADER] == given) is is_kept


def test_an_answer_is_logged_with_status_and_time(client: FlaskClient) -> None:
    with capture_logs() as logged:
        client.get("/no/such/page")
    (line,) = [line for line in logged if line["event"] == "answered"]
    assert (line["log_level"], line["path"], line["status"]) == ("debug", "/no/such/page", 404)
    assert line["took_ms"] >= 0


def test_the_secret_of_a_link_is_not_logged(client: FlaskClient) -> None:
    with capture_logs() as logged:
        client.get("/shared/model/a-secret/model-1.bin")
    assert [line["path"] for line in logged if line["event"] == "answered"] == ["/shared/model/…/model-1.bin"]


def test_lines_within_a_request_carry_its_id(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    bound: list[object] = []

    def view() -> str:
        bound.append(structlog.contextvars.get_contextvars().get("request_id"))
        return ""

    add_page(client.application, "/bound", view, monkeypatch)
    assert [client.get("/bound").headers[HEADER]] == bound
    assert "request_id" not in structlog.contextvars.get_contextvars()
