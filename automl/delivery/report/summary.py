"""All that a report or a model card says of a run, read from its `metrics.json`; also from an older one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from automl.delivery.report.repeat import repeat_command, settings_of
from automl.delivery.report.sentences import findings, headline, limits, names_in_words
from automl.delivery.report.tables import (
    ClassRow,
    ExportRow,
    Figure,
    MixUp,
    class_rows,
    export_rows,
    mix_ups,
    score_rows,
)
from automl.options import RUN_OPTIONS
from automl.text.durations import duration_in_words
from automl.text.names import BACKBONE_TITLES, backbones_in_words, params_in_words
from automl.text.numbers import latency_in_words, percent, size_in_words
from automl.text.trial_names import STAGE_TITLES

_MAX_MIX_UPS = 20


@dataclass(frozen=True, slots=True)
class Fact:
    title: str
    words: str


@dataclass(frozen=True, slots=True)
class DataRow:
    """How many photos of a class were learned from, tested with, and left out."""

    label: str
    n_learned: int
    n_test: int
    n_left_out: int


@dataclass(frozen=True, slots=True)
class WeightsRow:
    """Pretrained weights that the model is built on. `origin`: where their file was got, with its name there.
    `sha256`: of that file."""

    backbone: str
    origin: str
    licence: str
    sha256: str
    note: str


@dataclass(frozen=True, slots=True)
class Summary:
    """Texts are not escaped.

    `limits`: what `findings` does not say already. `command`: "" where the run's settings are not known, as before
    its end. `mix_ups`: the most frequent ones of `n_mix_ups` kinds of mistake.
    """

    name: str
    date: str
    classes: tuple[str, ...]
    purpose: str
    headline: str
    findings: list[str]
    limits: list[str]
    scores: list[Figure]
    class_rows: list[ClassRow]
    mix_ups: list[MixUp]
    n_mix_ups: int
    exports: list[ExportRow]
    data: list[Fact]
    data_rows: list[DataRow]
    made: list[Fact]
    settings: list[Fact]
    weights: list[WeightsRow]
    versions: list[Fact]
    command: str
    notes: list[str]


def summarise(metrics: Mapping[str, Any]) -> Summary:
    """metrics: `metrics.json` as `results.metrics` writes it; `schema`, `name`, `classes` and `sentence` are needed."""
    settings = settings_of(metrics)
    classes, found, mistakes = tuple(metrics["classes"]), findings(metrics), mix_ups(metrics)
    return Summary(
        name=metrics["name"],
        date=str(metrics.get("date") or ""),
        classes=classes,
        purpose=f"Says which of {len(classes):,} classes a photo shows: {names_in_words(classes)}.",
        headline=headline(metrics),
        findings=found,
        limits=[sentence for sentence in limits(metrics) if sentence not in found],
        scores=score_rows(metrics),
        class_rows=class_rows(metrics),
        mix_ups=mistakes[:_MAX_MIX_UPS],
        n_mix_ups=len(mistakes),
        exports=export_rows(metrics),
        data=_data(metrics),
        data_rows=[
            DataRow(row["label"], row["n_learned"], row["n_test"], row["n_left_out"])
            for row in (metrics.get("data") or {}).get("classes") or ()
        ],
        made=_made(metrics),
        settings=[Fact(option.heading, option.in_words(settings)) for option in RUN_OPTIONS.values()]
        if settings
        else [],
        weights=[_weights_row(row) for row in metrics.get("weights") or ()],
        versions=[Fact(name, version) for name, version in (metrics.get("versions") or {}).items()],
        command=repeat_command(settings) if settings else "",
        notes=list(metrics.get("notes") or ()),
    )


def _data(metrics: Mapping[str, Any]) -> list[Fact]:
    data = metrics.get("data") or {}
    n_test = (metrics.get("test") or {}).get("n_images")
    facts = [Fact("Data set", metrics["name"]), Fact("Classes", f"{len(metrics['classes']):,}")]
    if data.get("version") is not None:
        facts.append(Fact("Version", str(data["version"])))
    if data:
        parts = f"{data['n_learned']:,} to learn from, {data['n_test']:,} for the test"
        left_out = f", {data['n_left_out']:,} left out" if data["n_left_out"] else ""
        facts.append(Fact("Photos", f"{data['n_images']:,}: {parts}{left_out}"))
        if data["n_refused"]:
            facts.append(Fact("Files that could not be used", f"{data['n_refused']:,}"))
    elif n_test is not None:
        facts.append(Fact("Test photos", f"{n_test:,}"))
    method = (metrics.get("validation") or {}).get("method")
    if method:
        facts.append(Fact("Validation", f"{method}, within the photos to learn from"))
    if metrics.get("dataset_fingerprint"):
        facts.append(Fact("Fingerprint (SHA-256)", metrics["dataset_fingerprint"]))
    return facts


def _made(metrics: Mapping[str, Any]) -> list[Fact]:
    winner, validation, time = (metrics.get(key) or {} for key in ("winner", "validation", "time"))
    facts = []
    if winner.get("backbones"):
        facts.append(Fact("Built on", backbones_in_words(winner["backbones"])))
    if winner.get("image_size_px"):
        facts.append(Fact("What it sees", f"the photo at {winner['image_size_px']} × {winner['image_size_px']} pixels"))
    if winner.get("stage"):
        facts.append(Fact("How it was trained", STAGE_TITLES.get(winner["stage"], winner["stage"])))
    if settings := params_in_words(winner.get("params") or {}, winner.get("parts") or (), winner.get("trial")):
        facts.append(Fact("Chosen settings", settings))
    if winner.get("n_bytes"):
        facts.append(Fact("Size", size_in_words(winner["n_bytes"])))
    if winner.get("latency_s"):
        facts.append(Fact("Time for one photo", f"{latency_in_words(winner['latency_s'])} where it was trained"))
    if metrics.get("n_trials"):
        tries = "one try" if metrics["n_trials"] == 1 else f"{metrics['n_trials']:,} tries"
        facts.append(Fact("Chosen from", f"{tries}, number {winner['trial'] + 1} won" if "trial" in winner else tries))
    score = validation.get("score", validation.get("accuracy"))
    if score is not None:
        of = f" of {validation['n_images']:,}" if validation.get("n_images") else ""
        facts.append(
            Fact(
                "On validation photos",
                f"{percent(score)}{of}. These photos chose the winner, so this score tends to be a "
                "little too good; the test score is the honest one.",
            )
        )
    if time.get("used_s") is not None:
        of = f" of {duration_in_words(time['budget_s'])}" if time.get("budget_s") else ""
        facts.append(Fact("Time", f"{duration_in_words(time['used_s'])}{of}"))
    if metrics.get("seed") is not None:
        facts.append(Fact("Seed", str(metrics["seed"])))
    if winner.get("sha256"):
        facts.append(Fact("Fixed before the test (SHA-256)", winner["sha256"]))
    return facts


def _origin(row: Mapping[str, str]) -> str:
    origin = ": ".join(part for part in (row.get("origin"), row.get("location")) if part)
    if row.get("origin") == "package archive":
        origin += " (name of the Python package that the numbers were taken from)"
    return origin


def _weights_row(row: Mapping[str, str]) -> WeightsRow:
    return WeightsRow(
        BACKBONE_TITLES.get(row["backbone"], row["backbone"]),
        _origin(row),
        row.get("licence", ""),
        row.get("sha256", ""),
        row.get("note", ""),
    )
