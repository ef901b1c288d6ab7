import re
from pathlib import Path

from server.api.bodies import RUN_FIELDS
from server.api.resources.trial import TrialResource

API_MD = (Path(__file__).parents[2] / "docs" / "api.md").read_text()


def section(title: str) -> str:
    return API_MD.split(f"## {title}\n")[1].split("\n## ")[0]


def test_every_address_of_the_api_is_documented_and_no_other(world):
    routes = {
        f"{method} {re.sub('<[a-z]+:', '<', rule.rule)}"
        for rule in world.app.url_map.iter_rules()
        for method in rule.methods - {"HEAD", "OPTIONS"}
        if rule.rule.startswith("/api/") or rule.rule in ("/health", "/runs/<run_id>/events")
    }
    assert set(re.findall(r"^\| `((?:GET|POST|PATCH|DELETE) \S+)`", API_MD, re.MULTILINE)) == routes


def test_every_field_of_a_run_is_documented():
    fields = set(re.findall(r"^\| `(\w+)` \|", section("Fields of a run"), re.MULTILINE))
    assert fields == RUN_FIELDS - {"minutes"}  # which is the web form's


def test_every_part_of_a_trial_is_documented():
    parts = set(re.findall(r"`(\w+)`", "".join(re.findall(r"^\| (.*?) \|", section("A trial"), re.MULTILINE))))
    assert parts == set(TrialResource.model_fields)
