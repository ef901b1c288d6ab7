import re
from pathlib import Path

import pytest
from flask import request

import server
from automl.errors import BadSetting
from automl.settings import load_settings
from server import create_app

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


@pytest.mark.parametrize(
    "header", ["X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "Forwarded", "Via", "X-Real-IP"]
)
def test_where_nobody_signs_in_what_a_proxy_hands_on_is_refused(client, header):
    answer = client.get("/", headers={header: "192.0.2.1"})
    assert answer.status_code == 403
    assert "DARKROOM_PROXIES" in answer.text


_CLAIMS = {
    "X-Forwarded-For": "203.0.113.9, 192.0.2.1",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "evil.example, p.example",
}


def seen_by(tmp_path, **settings: str) -> tuple[str | None, str, str]:
    """Address, scheme and host that a view sees of a request with all headers of a proxy."""
    environment = {f"DARKROOM_{name.upper()}": text for name, text in settings.items()}
    app = create_app(load_settings({"DARKROOM_HOME": str(tmp_path), **environment}), lambda *_: None)
    seen = []
    app.before_request_funcs[None].insert(0, lambda: seen.append((request.remote_addr, request.scheme, request.host)))
    app.test_client().get("/healthz", headers=_CLAIMS)
    return seen[0]


def test_what_a_client_says_of_itself_counts_only_behind_a_proxy(tmp_path):
    """Of several entries those of the proxies that are set count, from the right; what a client wrote is not."""
    assert seen_by(tmp_path) == ("127.0.0.1", "http", "localhost")
    assert seen_by(tmp_path, proxies="1", public_url="https://p.example") == ("192.0.2.1", "https", "p.example")


def test_a_server_that_others_reach_must_be_told_its_names(tmp_path):
    with pytest.raises(BadSetting, match="DARKROOM_HOSTS"):
        create_app(load_settings({"DARKROOM_HOME": str(tmp_path), "DARKROOM_HOST": "0.0.0.0"}), lambda *_: None)


@pytest.mark.parametrize(
    "settings", [{"host": "192.0.2.7", "hosts": "a"}, {"proxies": "1"}, {"public_url": "https://p.example"}]
)
def test_wherever_others_may_reach_it_everybody_signs_in(tmp_path, settings):
    environment = {f"DARKROOM_{name.upper()}": text for name, text in settings.items()}
    assert load_settings({"DARKROOM_HOME": str(tmp_path), **environment}).needs_accounts
    assert not load_settings({"DARKROOM_HOME": str(tmp_path)}).needs_accounts


@pytest.mark.parametrize(("host", "status"), [("localhost:8000", 200), ("127.0.0.1", 200), ("evil.example:8000", 403)])
def test_only_the_servers_own_names_are_answered(client, host, status):
    assert client.get("/", headers={"Host": host}).status_code == status
