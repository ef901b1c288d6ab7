"""Nothing leaves the server's own origin, and nothing foreign could run, on any page."""

import re

import pytest

from tests.browser.every_page import PAGES, act

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("name", PAGES)
def test_every_request_goes_to_the_own_origin_under_a_strict_policy(page, site, name):
    asked: list[str] = []
    network = page.context.new_cdp_session(page)
    network.on("Network.requestWillBeSent", lambda event: asked.append(event["request"]["url"]))
    network.send("Network.enable")
    answer = page.goto(PAGES[name](site))
    text = answer.text()  # before something is done on the page that leads to another one
    act(page, name)
    goes_on = any(word in name for word in ("checking", "run, ", "upload, "))
    page.wait_for_load_state("load" if goes_on else "networkidle")
    policy = answer.header_value("content-security-policy")
    assert "default-src 'none'" in policy
    may_run_a_model = name.startswith("on a phone")
    assert "unsafe" not in (policy.replace("'wasm-unsafe-eval'", "") if may_run_a_model else policy)
    assert "http" not in policy
    assert len(asked) > 3
    assert [url for url in asked if not url.startswith((site.url + "/", "data:image/"))] == []
    assert re.findall(r"<style|\sstyle=|<script(?![^>]*\ssrc=)|\son[a-z]+=", text) == []
