"""The table of the doctor's checks: each function in a module of this package that is marked with `doctor_check`.

So a new finding is one function and its test; nothing else has to know of it.
"""

import importlib
import pkgutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import cache

from automl.datasets import findings
from automl.datasets.findings.examined_dataset import ExaminedDataset
from automl.datasets.findings.finding import Finding

Check = Callable[[ExaminedDataset], list[Finding]]


class Subject(IntEnum):
    """What a check is about. Of findings that weigh the same, those of an earlier subject are shown first."""

    FILES = 0
    COPIES = 1
    PHOTOS = 2
    CLASSES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    """A check and its subject."""

    check: Check
    subject: Subject


_ENTRIES: list[_Entry] = []


def doctor_check(subject: Subject) -> Callable[[Check], Check]:
    """Marks a function as a check of the doctor."""

    def register(check: Check) -> Check:
        _ENTRIES.append(_Entry(check=check, subject=subject))
        return check

    return register


@cache
def all_checks() -> Sequence[Check]:
    """The checks of every module of this package, by subject and then in the order of the source."""
    for module in pkgutil.iter_modules(findings.__path__, prefix=f"{findings.__name__}."):
        importlib.import_module(module.name)
    return tuple(entry.check for entry in sorted(_ENTRIES, key=lambda entry: entry.subject))
