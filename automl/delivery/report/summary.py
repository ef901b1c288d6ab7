"""All that the report page and the model card say of a run, in words."""

from dataclasses import dataclass

from automl.delivery.report.repeat import asked_for, repeat_command
from automl.delivery.report.sentences import findings, limits
from automl.delivery.report.tables import ExportRow, MixUp, ScoreRow, export_rows, mix_ups, score_rows
from automl.options import RUN_OPTIONS
from automl.records import RunSettings
from automl.records.report import (
    ClassCounts,
    ClassScore,
    DataReport,
    RunReport,
    WeightsProvenance,
    WinnerReport,
)
from automl.text.durations import duration_in_words
from automl.text.lists import names_in_words
from automl.text.messages import delivery as delivery_messages
from automl.text.messages import pieces
from automl.text.names import BACKBONE_TITLES, backbones_in_words, params_in_words
from automl.text.numbers import latency_in_words, percent, size_in_words
from automl.text.trial_names import STAGE_TITLES

_MAX_MIX_UPS = 20
_PACKAGE_ARCHIVE = "package archive"


@dataclass(frozen=True, slots=True)
class Fact:
    """One line of a list of facts: what it is about, and what is so."""

    title: str
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightsRow:
    """Pretrained weights that the model is built on.

    Attributes:
        backbone: Title of the network.
        origin: Where their file was fetched from, with its name there.
        licence: Its name.
        sha256: Of the fetched file.
        note: What a user of the model should know of them; may be empty.
    """

    backbone: str
    origin: str
    licence: str
    sha256: str
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What both documents say. Texts are not escaped.

    Attributes:
        name: Of the data set.
        date: The day on which the model was made, as YYYY-MM-DD; empty where it is not known.
        classes: In the order of the probabilities.
        purpose: A sentence on what the model does.
        headline: The score in one or two sentences.
        is_held_out: Whether there was a test set; else every photo was tested by models that had not seen it.
        findings: What else the test showed.
        limits: What the model cannot do, as far as `findings` does not say it already.
        scores: Every score that is known.
        class_rows: How each class did on the tested photos.
        mix_ups: The most frequent kinds of mistake.
        n_mix_ups: How many kinds of mistake there are.
        exports: The formats of the download.
        data: Facts about the photos.
        data_rows: What the photos of each class were used for; empty where that is not known.
        made: Facts about how the model was made.
        settings: What the run was asked for.
        weights: Pretrained weights that the model is built on.
        versions: Software by name.
        command: For a shell: it repeats the run.
        notes: What happened during the run.
    """

    name: str
    date: str
    classes: tuple[str, ...]
    purpose: str
    headline: str
    is_held_out: bool
    findings: list[str]
    limits: list[str]
    scores: list[ScoreRow]
    class_rows: tuple[ClassScore, ...]
    mix_ups: list[MixUp]
    n_mix_ups: int
    exports: list[ExportRow]
    data: list[Fact]
    data_rows: tuple[ClassCounts, ...]
    made: list[Fact]
    settings: list[Fact]
    weights: list[WeightsRow]
    versions: list[Fact]
    command: str
    notes: tuple[str, ...]


def summarise(report: RunReport) -> Summary:
    """Brings the whole report into words."""
    settings = asked_for(report)
    found, mistakes = findings(report), mix_ups(report)
    return Summary(
        name=report.name,
        date=report.date.isoformat() if report.date else "",
        classes=report.classes,
        purpose=delivery_messages.PURPOSE.format(n=len(report.classes), classes=names_in_words(report.classes)),
        headline=report.sentence,
        is_held_out=report.score.is_held_out,
        findings=found,
        limits=[sentence for sentence in limits(report) if sentence not in found],
        scores=score_rows(report),
        class_rows=report.score.per_class,
        mix_ups=mistakes[:_MAX_MIX_UPS],
        n_mix_ups=len(mistakes),
        exports=export_rows(report),
        data=_data_facts(report),
        data_rows=report.data.classes if report.data else (),
        made=_made_facts(report),
        settings=_setting_facts(settings),
        weights=[_weights_row(row) for row in report.weights],
        versions=[Fact(name, version) for name, version in report.versions.items()],
        command=repeat_command(settings),
        notes=report.notes,
    )


def _data_facts(report: RunReport) -> list[Fact]:
    return [
        Fact(delivery_messages.DATA_SET, report.name),
        Fact(delivery_messages.CLASSES, f"{len(report.classes):,}"),
        *_photo_facts(report),
        Fact(delivery_messages.VALIDATION, delivery_messages.VALIDATION_WITHIN.format(method=report.validation.method)),
        Fact(delivery_messages.FINGERPRINT, report.dataset_fingerprint),
    ]


def _photo_facts(report: RunReport) -> list[Fact]:
    data = report.data
    if data is None:
        return [Fact(delivery_messages.TEST_PHOTOS, f"{report.score.n_images:,}")]
    facts = [Fact(delivery_messages.VERSION, str(data.version))] if data.version is not None else []
    words = _used_words(report, data)
    facts.append(Fact(delivery_messages.PHOTOS, words))
    if data.n_refused:
        facts.append(Fact(delivery_messages.UNUSABLE_FILES, f"{data.n_refused:,}"))
    return facts


def _used_words(report: RunReport, data: DataReport) -> str:
    n_tested = report.score.n_images
    counts = {"n": data.n_images, "n_learned": data.n_learned, "n_test": data.n_test, "n_left_out": data.n_left_out}
    if report.score.is_held_out:
        used = delivery_messages.PHOTOS_USED_OR_NOT if data.n_left_out else delivery_messages.PHOTOS_USED
        return used.format(**counts)
    if n_tested == data.n_images:
        return delivery_messages.EVERY_PHOTO_USED.format(**counts)
    return delivery_messages.SOME_PHOTOS_TESTED.format(n_tested=n_tested, **counts)


def _made_facts(report: RunReport) -> list[Fact]:
    winner, validation, time = report.winner, report.validation, report.time
    chosen_from = delivery_messages.CHOSEN_FROM_TRIES.format(n=report.n_trials, winner=winner.trial + 1)
    if winner.is_averaged:
        chosen_from = delivery_messages.CHOSEN_FROM_MEANS.format(n=report.n_trials, n_parts=len(winner.parts))
    used = duration_in_words(time.used_s)
    if time.budget_s:
        used = delivery_messages.TIME_OF_BUDGET.format(used=used, budget=duration_in_words(time.budget_s))
    is_held_out = report.score.is_held_out
    was = delivery_messages.ON_VALIDATION_PHOTOS_WAS if is_held_out else delivery_messages.COUNTED_WAS
    return [
        *_winner_facts(winner),
        Fact(delivery_messages.CHOSEN_FROM, chosen_from),
        Fact(
            delivery_messages.ON_VALIDATION_PHOTOS if is_held_out else delivery_messages.COUNTED,
            was.format(share=percent(validation.score), n=validation.n_images),
        ),
        Fact(delivery_messages.TIME, used),
        Fact(delivery_messages.SEED, str(report.seed)),
        Fact(delivery_messages.FIXED_BEFORE_TEST if is_held_out else delivery_messages.DIGEST, winner.sha256),
    ]


def _winner_facts(winner: WinnerReport) -> list[Fact]:
    picture = pieces.SQUARE_PICTURE.format(n=winner.image_size_px)
    facts = [
        Fact(delivery_messages.BUILT_ON, backbones_in_words(winner.backbones)),
        Fact(delivery_messages.WHAT_IT_SEES, delivery_messages.SEES_SQUARE.format(picture=picture)),
        Fact(delivery_messages.HOW_TRAINED, STAGE_TITLES[winner.stage]),
    ]
    if settings := params_in_words(winner.params, winner.parts, winner.trial):
        facts.append(Fact(delivery_messages.CHOSEN_SETTINGS, settings))
    if winner.n_bytes is not None:
        facts.append(Fact(delivery_messages.SIZE, size_in_words(winner.n_bytes)))
    if winner.latency_s:
        words = delivery_messages.TIME_WHERE_TRAINED.format(time=latency_in_words(winner.latency_s))
        facts.append(Fact(delivery_messages.TIME_FOR_ONE_PHOTO, words))
    return facts


def _setting_facts(settings: RunSettings) -> list[Fact]:
    return [Fact(option.heading, option.in_words(settings)) for option in RUN_OPTIONS.values()]


def _weights_row(row: WeightsProvenance) -> WeightsRow:
    origin = row.origin or row.location
    if row.origin and row.location:
        origin = delivery_messages.WEIGHTS_FROM.format(origin=row.origin, location=row.location)
    if row.origin == _PACKAGE_ARCHIVE:
        origin = delivery_messages.WEIGHTS_FROM_PACKAGE.format(origin=origin)
    return WeightsRow(
        backbone=BACKBONE_TITLES.get(row.backbone, row.backbone),
        origin=origin,
        licence=row.licence,
        sha256=row.sha256,
        note=row.note,
    )
