"""Brings the JSON of older reports to the newest version. No other place knows that there were others.

Version 1 grew while it was in use, so a report of version 1 may lack whatever came later than its run; what was never
measured becomes None or empty, and what follows from other figures is worked out from them.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Literal

VERSION: Final[Literal[5]] = 5

_Values = dict[str, Any]


def upgraded(values: Mapping[str, Any]) -> _Values:
    """The values of a report of the newest version.

    Raises:
        ValueError: the version is not known, or the values are not those of a report at all.
    """
    newest = dict(values)
    while newest.get("schema") != VERSION:
        step = _STEPS.get(newest.get("schema", 1))
        if step is None:
            raise ValueError(f"A report of version {newest.get('schema')} is not known here; the newest is {VERSION}.")
        try:
            newest = step(newest)
        except (AttributeError, IndexError, KeyError, TypeError) as error:
            raise ValueError(f"Not a report of a run: {error!r}.") from error
    return newest


def _from_1(old: _Values) -> _Values:
    """Version 2 names the method of the score, and every key is there."""
    validation = {"score": old["validation"]["accuracy"], **old["validation"]}
    new = {
        "goal": "accuracy",  # all that the first searches knew
        "data": None,
        "date": None,
        **old,
        "schema": 2,
        "winner": _winner_from_1(old["winner"]),
        "validation": validation,
        "weights": [{"location": "", **row} for row in old["weights"]],
    }
    return new | _tested_from_1(old, validation["n_images"]) if old.get("test") else new


def _winner_from_1(old: _Values) -> _Values:
    """The trials that a mean averages once stood among the parameters, as text such as "4+12"."""
    params = dict(old["params"])
    others, members = (str(params.pop(name, "")) for name in ("averaged_with", "members"))
    parts = [int(number) for number in (others or members).split("+") if number]
    if others:
        parts.insert(0, old["trial"])
    return {"stage": "heads", "n_bytes": None, "latency_s": None, "parts": parts, **old, "params": params}


def _tested_from_1(old: _Values, n_validated: int) -> _Values:
    rows = [
        {"n_images": n_validated, "is_winner": row["number"] == old["winner"]["trial"], **row}
        for row in old.get("pareto") or ()
    ]
    lists = {name: old.get(name) or [] for name in ("mistakes", "suspects", "look_alikes", "exports")}
    return {
        "test": _score_from_1(old["test"]),
        "calibration": old.get("calibration"),
        "first_model": old.get("first_model"),
        "pareto": rows,
        **lists,
    }


def _score_from_1(old: _Values) -> _Values:
    confusion = old["confusion"]
    not_measured = ("log_loss", "top5_accuracy", "ece", "intervals", "coverage", "accuracy_when_sure")
    return {
        "method": "held-out",
        "balanced_accuracy": _balanced_accuracy(confusion),
        "macro_f1": _macro_f1(confusion),
        **dict.fromkeys(not_measured),
        **old,
    }


def _balanced_accuracy(confusion: Sequence[Sequence[int]]) -> float:
    """Mean recall of the classes that are there."""
    recalls = [row[i] / sum(row) for i, row in enumerate(confusion) if sum(row)]
    return sum(recalls) / len(recalls)


def _macro_f1(confusion: Sequence[Sequence[int]]) -> float:
    """Mean F1 of the classes that are there or were named."""
    named: list[int] = [sum(column) for column in zip(*confusion, strict=True)]
    totals = [sum(row) + n for row, n in zip(confusion, named, strict=True)]
    scores = [2 * confusion[i][i] / total for i, total in enumerate(totals) if total]
    return sum(scores) / len(scores)


def _from_2(old: _Values) -> _Values:
    """Version 3 says how a run was asked to be tested, and how many answers of a format are the model's own."""
    new = {**old, "schema": 3}
    if "test" in old:
        new["settings"] = {"scoring": "held-out", **old["settings"]}
        new["exports"] = [{"agreement": None, **row} for row in old["exports"]]
    return new


def _from_3(old: _Values) -> _Values:
    """Version 4 knows small models that were taught by larger ones."""
    return {**old, "schema": 4} | ({"small": None} if "test" in old else {})


def _from_4(old: _Values) -> _Values:
    """Version 5 knows models that tell photos of nothing that they have learned."""
    return {**old, "schema": 5} | ({"novelty": None} if "test" in old else {})


_STEPS: Mapping[object, Callable[[_Values], _Values]] = {1: _from_1, 2: _from_2, 3: _from_3, 4: _from_4}
"""By version: how to get to the next one."""
