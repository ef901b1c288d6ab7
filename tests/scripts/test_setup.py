import os
import shutil
import subprocess
from pathlib import Path

import pytest

SETUP = Path(__file__).parents[2] / "scripts" / "setup"
TOOLS = ("bash", "env", "dirname", "cat", "rm", "mkdir", "flock", "sha256sum", "cut")


@pytest.fixture
def bare_machine(tmp_path: Path) -> Path:
    """A copy of scripts/setup, and a folder `bin` with the usual tools and no Python."""
    (tmp_path / "scripts").mkdir()
    (tmp_path / "bin").mkdir()
    shutil.copy(SETUP, tmp_path / "scripts" / "setup")
    for tool in TOOLS:
        found = shutil.which(tool)
        assert found is not None
        (tmp_path / "bin" / tool).symlink_to(found)
    return tmp_path


def run_setup(machine: Path, *options: str) -> tuple[int, list[str]]:
    environment = {"PATH": str(machine / "bin"), "HOME": str(machine), "LANG": os.environ.get("LANG", "C.UTF-8")}
    result = subprocess.run([machine / "scripts" / "setup", *options], env=environment, capture_output=True, text=True)
    return result.returncode, result.stderr.splitlines()


def add_program(machine: Path, name: str, text: str) -> None:
    (machine / "bin" / name).write_text(f"#!/bin/sh\n{text}\n")
    (machine / "bin" / name).chmod(0o755)


def test_no_python_gives_one_clear_line(bare_machine: Path) -> None:
    line = "Darkroom needs Python 3.11, 3.12 or 3.13. Install it: sudo apt install python3 python3-venv"
    assert run_setup(bare_machine) == (1, [line])


def test_an_old_python_gives_the_same_line(bare_machine: Path) -> None:
    add_program(bare_machine, "python3", "exit 1")
    code, lines = run_setup(bare_machine)
    assert code == 1
    assert lines[0].startswith("Darkroom needs Python 3.11")


def test_python_without_venv_says_what_to_install(bare_machine: Path) -> None:
    program = 'case "$2" in *ensurepip*) exit 1 ;; *print*) echo python3.11 ;; esac'
    add_program(bare_machine, "python3", program)
    line = "python3.11 is here, but without its venv module. Install it: sudo apt install python3.11-venv"
    assert run_setup(bare_machine) == (1, [line])


def test_packages_that_cannot_be_installed_give_a_last_clear_line(bare_machine: Path) -> None:
    (bare_machine / "requirements").mkdir()
    (bare_machine / "requirements" / "runtime.lock").write_text("")
    (bare_machine / ".venv" / "bin").mkdir(parents=True)
    add_program(bare_machine, "../.venv/bin/python", 'case "$*" in *install*) echo "no network" >&2; exit 1 ;; esac')
    code, lines = run_setup(bare_machine)
    assert code == 1
    assert lines[0] == "no network"
    assert lines[1].startswith("The Python packages could not be installed")
    assert not (bare_machine / ".venv" / ".done" / "runtime.lock").exists()


def test_an_unknown_option_is_refused(bare_machine: Path) -> None:
    assert run_setup(bare_machine, "--fast") == (2, ["scripts/setup knows --dev and --code, not --fast."])
