import re
from pathlib import Path

import pytest

REQUIREMENTS = Path(__file__).parents[2] / "requirements"
LOCKS = sorted(path.name for path in REQUIREMENTS.glob("*.lock"))


def pins(name: str) -> dict[str, set[str]]:
    """Versions by package; more than one where they depend on the version of Python."""
    found: dict[str, set[str]] = {}
    for package, version in re.findall(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;]+)", read(name), re.MULTILINE):
        found.setdefault(package, set()).add(version)
    return found


def read(name: str) -> str:
    return (REQUIREMENTS / name).read_text()


def test_every_list_has_its_lock() -> None:
    assert sorted(path.with_suffix(".lock").name for path in REQUIREMENTS.glob("*.in")) == LOCKS


@pytest.mark.parametrize("name", LOCKS)
def test_every_pin_has_hashes(name: str) -> None:
    blocks = re.split(r"^(?=[A-Za-z0-9])", read(name), flags=re.MULTILINE)[1:]
    assert blocks
    assert all("--hash=sha256:" in block for block in blocks)


@pytest.mark.parametrize("name", LOCKS)
def test_no_lock_names_an_index_or_a_machine(name: str) -> None:
    assert not re.search(r"://|index-url|find-links|/home/|/root/|/tmp/", read(name))


@pytest.mark.parametrize("name", ["dev.lock", "gpu.lock"])
def test_the_other_locks_hold_the_same_versions(name: str) -> None:
    other = pins(name)
    assert {package: other.get(package) for package in pins("runtime.lock")} == pins("runtime.lock")


def test_the_gpu_lock_has_the_cuda_libraries() -> None:
    assert {"nvidia-cudnn-cu12", "nvidia-cublas-cu12"} <= set(pins("gpu.lock")) - set(pins("runtime.lock"))


def test_every_package_asked_for_is_locked() -> None:
    asked = re.findall(r"^([a-z0-9-]+)", read("runtime.in"), re.MULTILINE)
    assert set(asked) <= set(pins("runtime.lock"))


def test_the_front_end_lock_names_no_index() -> None:
    lock = (REQUIREMENTS.parent / "package-lock.json").read_text()
    assert '"integrity"' in lock
    assert '"resolved"' not in lock
