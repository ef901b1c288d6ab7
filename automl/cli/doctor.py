"""`automl doctor`: whether an installation has all that it needs."""

import argparse
import os
import socket
import stat
from pathlib import Path

from rich.console import Console
from rich.table import Table

from automl.backbone_table import BACKBONES
from automl.cli.commands import Subparsers
from automl.settings import Settings
from automl.store.database import Database
from automl.store.readiness import Condition, conditions, of_disk
from automl.store.worker_signs import WorkerSigns
from automl.text.messages import operations as operations_messages

_CONNECT_S = 2.0


def add_parser(commands: Subparsers) -> argparse.ArgumentParser:
    return commands.add_parser("doctor", help=operations_messages.DOCTOR_HELP)


def run(_options: argparse.Namespace, settings: Settings, console: Console) -> int:
    database = Database(settings.database_url)
    try:
        found = [
            *conditions(settings, database, WorkerSigns(settings.broker_url)),
            of_disk(settings.cache_dir, 1 << 30),
            of_weights(settings.weights_dir),
            of_device(),
            of_port(settings),
            of_home(settings.home),
        ]
    finally:
        database.close()
    table = Table(operations_messages.CONDITION, operations_messages.STATE, "", show_lines=False)
    for one in found:
        state = operations_messages.IN_ORDER if one.is_met else operations_messages.TO_DO
        table.add_row(one.name, state, one.message, style=None if one.is_met else "red")
    console.print(table)
    is_met = all(one.is_met for one in found)
    if is_met:
        console.print(operations_messages.ALL_IN_ORDER)
    return 0 if is_met else 1


def of_weights(folder: Path) -> Condition:
    """Whether the networks are installed that are fetched by themselves."""
    from automl.models.weights.cache import installed

    there, wanted = installed(folder), [name for name, row in BACKBONES.items() if row.is_fetched]
    missing = [name for name in wanted if name not in there]
    message = operations_messages.WEIGHTS_THERE.format(n=len(there), folder=folder)
    if not there:
        message = operations_messages.NO_WEIGHTS
    elif missing:
        message = operations_messages.WEIGHTS_MISSING.format(there=len(wanted) - len(missing), n=len(wanted))
    return Condition(name="weights", is_met=bool(there), message=message)


def of_device() -> Condition:
    """What training computes on."""
    from automl.models.device import device_in_words

    return Condition(name="device", is_met=True, message=operations_messages.DEVICE.format(device=device_in_words()))


def of_port(settings: Settings) -> Condition:
    """Whether the web server can listen, or does already."""
    address = settings.home / "address"
    if address.exists():
        message = operations_messages.PORT_OURS.format(address=address.read_text().strip())
        return Condition(name="port", is_met=True, message=message)
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)  # noqa: S104 - what is compared
    try:
        with socket.create_connection((host, settings.port), timeout=_CONNECT_S):
            message = operations_messages.PORT_TAKEN.format(port=settings.port, host=settings.host)
            return Condition(name="port", is_met=False, message=message)
    except OSError:
        return Condition(name="port", is_met=True, message=operations_messages.PORT_FREE.format(port=settings.port))


def of_home(home: Path) -> Condition:
    """Whether the home folder can be written, and read by nobody else."""
    there = next(one for one in (home, *home.parents) if one.exists())
    if not os.access(there, os.W_OK | os.X_OK):
        return Condition(name="home", is_met=False, message=operations_messages.HOME_READ_ONLY.format(home=home))
    if there == home and home.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        return Condition(name="home", is_met=False, message=operations_messages.HOME_OPEN.format(home=home))
    return Condition(name="home", is_met=True, message=operations_messages.HOME_WRITABLE.format(home=home))
