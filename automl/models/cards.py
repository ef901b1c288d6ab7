"""The graphics cards that this process may use, and the lock that keeps a second worker off a card.

TensorFlow is not needed here: the driver names the cards in its folder of `/proc`.
"""

import fcntl
import os
from collections.abc import Mapping
from pathlib import Path
from typing import IO

from automl.errors import NotAllowedNow
from automl.text.messages import search as search_messages

VISIBLE_DEVICES = "CUDA_VISIBLE_DEVICES"
"""The variable by which a user gives a process some of the cards; empty for none."""

_DRIVER_FOLDER = Path("proc/driver/nvidia/gpus")
_UUID = "GPU UUID:"
_locks: dict[Path, IO[str]] = {}
"""The locks of this process, which hold as long as their files are open: until it ends."""


def visible_cards(environment: Mapping[str, str] = os.environ, root: Path = Path("/")) -> tuple[str, ...]:
    """The identifiers of NVIDIA's cards that CUDA would show to this process, in its order.

    CUDA takes the list up to the first entry that names no card.

    Args:
        environment: CUDA_VISIBLE_DEVICES has numbers in the order of the bus, or identifiers.
        root: of the file system in which the driver is looked for.
    """
    cards = [_identifier(folder) for folder in sorted((root / _DRIVER_FOLDER).glob("*"))]
    chosen = environment.get(VISIBLE_DEVICES)
    if chosen is None:
        return tuple(cards)
    visible: list[str] = []
    for entry in chosen.split(","):
        card = _card_of(entry.strip(), cards)
        if card is None:
            break
        visible.append(card)
    return tuple(visible)


def lock_card(folder: Path, cards: tuple[str, ...]) -> None:
    """Takes the card that this process will compute on, the first one, until the process ends. No card, no lock.

    Args:
        folder: for the lock's file, the same for everybody who shares the card.
        cards: see `visible_cards`.

    Raises:
        NotAllowedNow: another process has the card.
    """
    if not cards:
        return
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"gpu-{cards[0]}.lock"
    if path in _locks:
        return
    file = path.open("a")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        raise NotAllowedNow(search_messages.CARD_IN_USE.format(card=cards[0])) from None
    _locks[path] = file


def _identifier(folder: Path) -> str:
    """The card's own number, which is the same in every container; else its place on the bus."""
    try:
        lines = (folder / "information").read_text().splitlines()
    except OSError:
        lines = []
    return next((line.removeprefix(_UUID).strip() for line in lines if line.startswith(_UUID)), folder.name)


def _card_of(entry: str, cards: list[str]) -> str | None:
    if entry.startswith("MIG-"):  # a part of a card is a card of its own
        return entry
    if entry.isdigit():
        return cards[int(entry)] if int(entry) < len(cards) else None
    return next((card for card in cards if entry and card.startswith(entry)), None)
