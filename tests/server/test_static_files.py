"""What pages load: small on the way, and kept by the browser until it is new."""

import gzip
from pathlib import Path

import pytest

from server.static_files import StaticFiles
from tests.server.conftest import add_page

MAY_BE_KEPT = "public, max-age=31536000, immutable"


def address(world, filename):
    with world.app.test_request_context():
        return world.app.url_for("static", filename=filename)


def test_a_page_names_its_files_by_their_digest_and_they_may_be_kept(client, world):
    path = address(world, "app.css")
    assert f'href="{path}"' in client.get("/").text
    answer = client.get(path)
    assert answer.status_code == 200
    assert set(answer.headers["Cache-Control"].split(", ")) == set(MAY_BE_KEPT.split(", "))


@pytest.mark.parametrize("path", ["/static/app.css", "/static/v-0123456789ab/app.css"])
def test_under_any_other_address_the_browser_asks_again(client, path):
    answer = client.get(path)
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-cache")
    again = client.get(path, headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


def test_the_digest_changes_with_the_contents(tmp_path: Path):
    (tmp_path / "vendor").mkdir()
    (tmp_path / "vendor" / "a.js").write_text("1")
    before = StaticFiles(tmp_path).digest
    assert StaticFiles(tmp_path).digest == before
    (tmp_path / "vendor" / "a.js").write_text("2")
    assert StaticFiles(tmp_path).digest != before


@pytest.mark.parametrize("path", ["/", "/static/app.css"])
@pytest.mark.parametrize("encoding", ["br", "gzip"])
def test_text_travels_compressed(client, path, encoding):
    plain, packed = client.get(path), client.get(path, headers={"Accept-Encoding": encoding})
    assert packed.headers["Content-Encoding"] == encoding
    assert "Accept-Encoding" in packed.headers["Vary"]
    assert len(packed.data) < len(plain.data) / 2
    if encoding == "gzip":
        assert gzip.decompress(packed.data) == plain.data


def test_a_stream_is_sent_as_it_comes(world, monkeypatch):
    def stream():
        return world.app.response_class((b"x" * 999 for _ in "ab"), mimetype="text/event-stream")

    add_page(world.app, "/events", stream, monkeypatch)
    answer = world.app.test_client().get("/events", headers={"Accept-Encoding": "br, gzip"})
    assert "Content-Encoding" not in answer.headers


@pytest.mark.parametrize("name", ["../__init__.py", "..%2f__init__.py", "nothing.css", "v-1/../../security.py"])
def test_nothing_else_is_served(client, name):
    assert client.get(f"/static/{name}").status_code == 404
