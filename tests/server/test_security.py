import re
from pathlib import Path

import pytest

import server

TEMPLATES = sorted((Path(server.__file__).parent.parent / "templates").rglob("*.html"))


def test_the_content_policy_allows_nothing_inline_and_no_other_origin(client):
    policy = client.get("/").headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_no_template_has_inline_scripts_styles_or_handlers(template):
    text = template.read_text()
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:|hx-on", text)
    assert all("src=" in tag for tag in re.findall(r"<script[^>]*>", text))


@pytest.mark.parametrize("path", ["/", "/health", "/static/app.css", "/nowhere"])
def test_every_answer_carries_the_safe_headers(client, path):
    with client.get(path) as answer:
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "same-origin"


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
    ],
)
def test_forms_of_other_sites_are_refused(client, world, headers):
    assert client.post("/samples", headers=headers).status_code == 403
    assert world.queue.sent == []


@pytest.mark.parametrize(
    "headers",
    [{}, {"Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "none"}, {"Origin": "http://localhost"}],
)
def test_our_own_forms_and_programs_may_post(client, headers):
    assert client.post("/samples", headers=headers).status_code == 303


@pytest.mark.parametrize(("host", "status"), [("localhost:8000", 200), ("127.0.0.1", 200), ("evil.example:8000", 403)])
def test_only_the_servers_own_names_are_answered(client, host, status):
    assert client.get("/", headers={"Host": host}).status_code == status
