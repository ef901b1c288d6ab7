"""What the advisory services say is read, and their silence is no consent."""

import json
from datetime import date

import pytest

from scripts.audit import Accepted, NotAudited, of_npm_audit, of_pip_audit, open_findings

HOLE = {"id": "PYSEC-2026-7", "aliases": ["CVE-2026-7"], "fix_versions": ["2.0"], "description": ""}
CLEAN = {"name": "flask", "version": "3.1", "vulns": []}
SKIPPED = {"name": "pillow", "skip_reason": "Dependency not found on PyPI"}


def pip_audit(*dependencies):
    return json.dumps({"dependencies": dependencies, "fixes": []})


def test_a_hole_is_found_under_all_its_names():
    (found,) = of_pip_audit(pip_audit(CLEAN, {"name": "pillow", "version": "1.0", "vulns": [HOLE]}), "x.lock")
    assert found.advisories == ("PYSEC-2026-7", "CVE-2026-7")
    assert str(found) == "pillow 1.0: PYSEC-2026-7, CVE-2026-7; mended in: 2.0"


@pytest.mark.parametrize("text", [pip_audit(CLEAN, SKIPPED), pip_audit(), "{}", "", "no network"])
def test_no_answer_about_a_package_is_not_taken_for_a_good_one(text):
    with pytest.raises(NotAudited, match=r"x\.lock"):
        of_pip_audit(text, "x.lock")


def test_npm_names_the_package_that_has_the_hole_and_not_those_that_use_it():
    advisory = {"url": "https://github.com/advisories/GHSA-1", "title": "x"}
    vulnerabilities = {"long": {"via": [advisory], "range": "<5"}, "protobufjs": {"via": ["long"], "range": "*"}}
    (found,) = of_npm_audit(json.dumps({"vulnerabilities": vulnerabilities}), "package-lock.json")
    assert (found.package, found.advisories) == ("long", ("GHSA-1",))
    assert of_npm_audit('{"vulnerabilities": {}}', "package-lock.json") == []


@pytest.mark.parametrize("text", ['{"message": "405 Method Not Allowed", "statusCode": 405}', "", "<html>"])
def test_a_registry_without_advisories_is_told(text):
    with pytest.raises(NotAudited, match="answer about package-lock"):
        of_npm_audit(text, "package-lock.json")


def test_what_is_accepted_is_so_until_its_day():
    found = of_pip_audit(pip_audit({"name": "pillow", "version": "1.0", "vulns": [HOLE]}), "x.lock")
    accepted = [Accepted(advisory="CVE-2026-7", reason="the decoder is not used", until=date(2027, 1, 1))]
    assert open_findings(found, accepted, date(2026, 12, 31)) == []
    assert open_findings(found, accepted, date(2027, 1, 1)) == found
    assert open_findings(found, [], date(2026, 12, 31)) == found
