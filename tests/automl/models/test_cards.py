"""Which cards a process may use, and that no two processes use one."""

import subprocess
import sys
from pathlib import Path

import pytest

from automl.errors import NotAllowedNow
from automl.models.cards import lock_card, visible_cards

A, B = "GPU-aa11", "GPU-bb22"


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """With two cards."""
    for bus, uuid in (("0000:01:00.0", A), ("0000:41:00.0", B)):
        folder = tmp_path / "proc/driver/nvidia/gpus" / bus
        folder.mkdir(parents=True)
        (folder / "information").write_text(f"Model: \t Some card\nGPU UUID: \t {uuid}\nBus Type: PCIe\n")
    return tmp_path


@pytest.mark.parametrize(
    ("chosen", "cards"),
    [
        (None, (A, B)),
        ("", ()),
        ("-1", ()),
        ("1", (B,)),
        ("1,0", (B, A)),
        ("0,7,1", (A,)),
        ("GPU-bb", (B,)),
        ("MIG-1234", ("MIG-1234",)),
    ],
)
def test_the_cards_are_those_that_cuda_would_show(machine: Path, chosen: str | None, cards: tuple[str, ...]) -> None:
    assert visible_cards({} if chosen is None else {"CUDA_VISIBLE_DEVICES": chosen}, machine) == cards


def test_a_machine_without_a_driver_has_no_card_and_needs_no_lock(tmp_path: Path) -> None:
    assert visible_cards({}, tmp_path) == ()
    lock_card(tmp_path / "locks", ())
    assert not (tmp_path / "locks").exists()


def test_a_card_without_a_number_of_its_own_is_known_by_its_place(machine: Path) -> None:
    (machine / "proc/driver/nvidia/gpus/0000:01:00.0/information").unlink()
    assert visible_cards({}, machine) == ("0000:01:00.0", B)


def test_a_second_process_is_refused_until_the_first_one_ends(tmp_path: Path) -> None:
    lines = "import sys; from pathlib import Path; from automl.models.cards import lock_card\n"
    lines += f"lock_card(Path(sys.argv[1]), ({A!r},)); print(flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", lines, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout
        assert other.stdout.readline() == b"\n"
        with pytest.raises(NotAllowedNow, match="GPU-aa11 is used by another worker"):
            lock_card(tmp_path, (A,))
        lock_card(tmp_path, (B, A))
        other.communicate()
    lock_card(tmp_path, (A,))
    lock_card(tmp_path, (A,))
