"""Every limit that the documentation names is the one that the code has.

Each row of `LIMITS` is a phrase of a document in which the numbers come from the code. A phrase that names a number as
a limit and is in no row fails the last test here: it belongs into the table.
"""

import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from automl.archives import limits as archive_limits
from automl.client import remote
from automl.datasets import copy_groups, split, steady_sides, summary, verdict
from automl.datasets import validation_folds as dealing
from automl.datasets.findings import classes, photos
from automl.delivery import conversion
from automl.evaluation import bias_corrected, learning_curve, look_alikes, novelty, suspects
from automl.formats import FORMATS
from automl.images import coarse_pairs, near_copies, pixel_rules, pixels
from automl.labelling import label_tables, table_rows
from automl.models import features
from automl.models.head import resident
from automl.models.weights import onnx_export, verification
from automl.options import RUN_OPTIONS
from automl.pipeline import end_times, packing
from automl.search import aspect, failures, frozen, objective, soft_answers
from automl.search import space as search_space
from automl.search.stages import distillation, fine_tuning, folds, heads
from automl.serving import predict
from automl.settings import load_settings
from automl.store import composed, events, links, run_clock
from automl.store import exports as stored_exports
from automl.text.durations import duration_in_words
from scripts.stack import services
from server import answering, template_filters
from server.api.bodies import MAX_FILES_A_QUESTION
from server.api.datasets import _DATASETS_ON_A_PAGE, _FILES_ON_A_PAGE
from server.live import hub, requests
from server.pages import compare
from server.views import advice, aims, comparison, confusion, dataset, estimate, follow_up, sure
from server.views import links as link_views
from worker import duties, notices, pipeline_process, reaper, sweeper, tasks

REPOSITORY = Path(__file__).resolve().parents[1]
SETTINGS = load_settings({})
_WORDS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_MEASURED = ("benchmarks.md", "settings.md", "glossary.md", "pages.md")
"""What was measured, what is written from the code, and what names no limits."""


def word(n: int) -> str:
    return {100: "a hundred", 1_000: "a thousand"}.get(n) or _WORDS[n]


def units_of(n: float, unit: int) -> int:
    """`n` in whole units; a limit that is none cannot be said so shortly."""
    assert n % unit == 0
    return int(n // unit)


def mb(n_bytes: float) -> str:
    return f"{units_of(n_bytes, 1_000_000)} MB"


def mib(n_bytes: float) -> str:
    return f"{units_of(n_bytes, 1 << 20)} MiB"


def hours(seconds: float) -> int:
    return units_of(seconds, 3600)


def in_script(name: str, constant: str) -> float:
    """The value of a constant of a module of the pages."""
    source = (REPOSITORY / "server" / "static" / name).read_text(encoding="utf-8")
    (value,) = re.findall(rf"^const {constant} = ([\d_]+);", source, re.MULTILINE)
    return float(value)


def threads_of_the_web_server() -> int:
    return int(services.WEB_ARGUMENTS[services.WEB_ARGUMENTS.index("--threads") + 1])


BUDGET = RUN_OPTIONS["budget"]
TABLES, TABLE_SIZE = word(label_tables.MAX_TABLES), mb(label_tables.MAX_TABLE_BYTES)
ALL_TABLES_SIZE = mb(label_tables.MAX_BYTES_OF_ALL_TABLES)
SHORTEST, LONGEST = duration_in_words(BUDGET.shortest_s), duration_in_words(SETTINGS.max_budget_s)
AIMS = {aim.name: aim.limits for aim in aims.AIMS}
TOLERANCES = {one.name: one.tolerance for one in FORMATS}
LARGEST_FEATURES = inspect.signature(pixels.sweep).parameters["max_features_bytes"].default
LONGER_S = follow_up._BUDGETS_S

LIMITS = (
    # user-guide.md
    (
        "user-guide.md",
        f"The first {TABLES} tables are read, each up to {TABLE_SIZE} and together up to {ALL_TABLES_SIZE}, "
        f"and of each the first {'million' if table_rows.MAX_ROWS == 1_000_000 else '?'} rows.",
    ),
    ("user-guide.md", f"no more than {'a twentieth' if predict._MOST_LOST_SHARE == 1 / 20 else '?'} of its pixels"),
    ("user-guide.md", f"where more than one in {'fifty' if pixel_rules._MAY_VANISH_SHARE == 1 / 50 else '?'} would"),
    (
        "user-guide.md",
        f"almost black ({'a fifteenth' if pixel_rules._LEAST_BRIGHT_SHARE == 1 / 15 else '?'} or less) have a range",
    ),
    ("user-guide.md", f"learned from fewer than {novelty.FEWEST_PHOTOS} photos"),
    ("user-guide.md", f"farther than {round(100 * (1 - novelty.AIM))} of 100 of their own photos"),
    ("user-guide.md", f"a number of percent from {sure.LOWEST_PERCENT:g} to {sure.HIGHEST_PERCENT:g}, and press"),
    ("user-guide.md", f"Photos are at most {in_script('camera-video.js', 'MOST_PX'):,.0f} pixels wide or high"),
    ("user-guide.md", f"{1000 / in_script('camera-hold.js', 'EVERY_MS'):.0f} a second, up to"),
    ("user-guide.md", f"up to {in_script('camera-hold.js', 'MOST'):.0f} in one go"),
    ("user-guide.md", f"only up to {mb(in_script('missing.js', 'MAX_HASHED_BYTES'))} each"),
    ("user-guide.md", f"for about {'a minute' if sum(remote.WAITS_S) == 60 else '?'}, then"),
    ("user-guide.md", f"a side of less than {photos.MIN_SIDE_PX} pixels"),
    ("user-guide.md", f"{photos.MAX_ASPECT}:1 or more"),
    ("user-guide.md", f"fewer than {verdict.FEW_IMAGES} different ones"),
    ("user-guide.md", f"one has {classes.MAX_IMBALANCE} times the photos of another"),
    ("user-guide.md", f"keep at most {word(classes._EVENED_IMBALANCE)} times the photos of the smallest class"),
    ("user-guide.md", f"never fewer than {classes._MIN_EVENED_PHOTOS}"),
    ("user-guide.md", f"where these are at most {look_alikes.MAX_PHOTOS:,}"),
    ("user-guide.md", f"at most {look_alikes.MAX_PAIRS} pairs are shown"),
    ("user-guide.md", f"more than {100 * advice._MOST_DOUBTED:.0f} % of the labels are doubted"),
    ("user-guide.md", f"would happen less than 1 time in {units_of(1 / advice._CHANCE, 1)}"),
    ("user-guide.md", f"of the mistakes, at least {advice._MIN_MIXED}"),
    ("user-guide.md", f"begins at {100 * advice._MOST_USES:.0f} of 100 or more"),
    ("user-guide.md", f"from {100 * advice._HARMLESS:.0f} %, as a help that somebody looks over from"),
    ("user-guide.md", f"under {advice._FEW_LEARNED} photos of a kind, more of every kind"),
    ("user-guide.md", f"under {advice._FEW_TESTED} tested photos and a wide range"),
    ("user-guide.md", f"under {100 * advice._LITTLE_GAIN:g} points at the upper end"),
    ("user-guide.md", f"for more than {learning_curve.MAX_PHOTOS:,} photos to learn from"),
    ("user-guide.md", f"had not seen the photo, at most {suspects.MAX_SUSPECTS}"),
    ("user-guide.md", f"each of the last {dataset._N_EDITS} changes"),
    ("user-guide.md", f"about {round(100 * split.TEST_SHARE)} of 100 photos of each class"),
    ("user-guide.md", f"the whole test fewer than {split.FEW_TEST_IMAGES} photos"),
    ("user-guide.md", f"finished download, {SHORTEST} to {LONGEST}"),
    ("user-guide.md", f"Give it {units_of(requests.MORE_TIME_S, 60)} minutes more"),
    ("user-guide.md", f"More than {estimate._MOST_TRIES} tries are not promised"),
    ("user-guide.md", f"a model of up to {AIMS['balanced']['max_model_mb']:g} MB"),
    ("user-guide.md", f"takes up to {AIMS['balanced']['max_latency_ms']:g} ms for a photo"),
    ("user-guide.md", f"up to {AIMS['small']['max_model_mb']:g} MB (one network)"),
    ("user-guide.md", f"and up to {AIMS['small']['max_latency_ms']:g} ms"),
    ("user-guide.md", f"one class has {word(objective._UNBALANCED_RATIO)} times the photos of another or more"),
    ("user-guide.md", f"For more than {confusion.MAX_DRAWN} classes the matrix is not drawn"),
    (
        "user-guide.md",
        f"the next larger time ({' and '.join(f'{units_of(s, 60)}' for s in LONGER_S[:2])} minutes, "
        f"{', '.join(f'{hours(s)}' for s in LONGER_S[2:-1])} and {hours(LONGER_S[-1])} hours)",
    ),
    ("user-guide.md", f"Tick {word(compare.FEWEST)} to {word(compare.MOST)} finished runs"),
    ("user-guide.md", f"from {comparison.RARE_BY_LUCK} on"),
    ("user-guide.md", f"More than {word(int(in_script('try.js', 'MOST_SHOWN')))} photos"),
    ("user-guide.md", f"are kept for {SETTINGS.sorting_days} days after the last change"),
    ("user-guide.md", f"Heat maps need about {end_times.EXPLAIN_S:.0f} seconds"),
    ("user-guide.md", f"A run has at most {links.MAX_LINKS_OF_A_RUN} links"),
    ("user-guide.md", f"an hour to {link_views._OFFERED_S[-1] // 86_400} days"),
    # api.md
    ("api.md", f"the latest first, {word(_DATASETS_ON_A_PAGE)} at a time"),
    ("api.md", f"What became of each file, {word(_FILES_ON_A_PAGE)} at a time"),
    ("api.md", f"at most {MAX_FILES_A_QUESTION:,} at a time"),
    ("api.md", f"the ids of up to {summary.N_SAMPLES} files that stand for it"),
    ("api.md", f"(none above {summary.MAX_CLASSES_WITH_SAMPLES} classes)"),
    ("api.md", f"({units_of(requests.MORE_TIME_S, 60)} if left out)"),
    ("api.md", f"at most {answering.MAX_PHOTOS} photos of up to {mib(answering.MAX_PHOTO_BYTES)}"),
    ("api.md", f"`clock`, each {word(int(hub.CLOCK_EVERY_S))} seconds"),
    ("api.md", f"keeps its latest {events.MAX_EVENTS:,} events, for {word(units_of(events.KEPT_S, 86_400))} days"),
    ("api.md", f"as the server carries ({hub.MAX_STREAMS})"),
    ("api.md", f"it is tried {'twice' if notices.N_TRIES == 3 else '?'} more"),
    ("api.md", f"up to {template_filters._LONGEST_NAME} characters"),
    # security.md
    ("security.md", f"the first {TABLES} of a data set, each up to {TABLE_SIZE} and together up to {ALL_TABLES_SIZE}."),
    ("security.md", f"Cells are cut at {word(table_rows.MAX_CELL_CHARS)} characters"),
    ("security.md", f"(at most {archive_limits.MAX_RATIO}, from {mib(archive_limits._RATIO_FREE_BYTES)} on)"),
    ("security.md", f"the oldest of more than {units_of(LARGEST_FEATURES, 10**9)} GB"),
    # operations.md
    ("operations.md", f"up to {threads_of_the_web_server()} threads"),
    ("operations.md", f"open live pages hold {hub.MAX_STREAMS} at most"),
    ("operations.md", f"grown past {mb(SETTINGS.log_bytes)}"),
    ("operations.md", f"starts it again, {word(services._RESTARTS)} times at most"),
    ("operations.md", f"{word(notices.N_TRIES)} tries; then a note"),
    ("operations.md", f"the check is tried {word(tasks.MAX_CHECKS)} times"),
    ("operations.md", f"it is tried {word(stored_exports.MAX_ATTEMPTS)} times, then that format is failed"),
    ("operations.md", f"every {'hour' if duties.SWEEP_EVERY_S == 3600 else '?'}, once they are"),
    ("operations.md", f"once they are {hours(sweeper.MIN_AGE_S)} hours old"),
    ("operations.md", f"for good after {word(int(pipeline_process.KILL_AFTER_S))} second"),
    ("operations.md", f"made up for within {'an hour' if notices._LATEST_S == 3600 else '?'}"),
    ("operations.md", f"open for more than {hub.HEARTBEAT_S:.0f} seconds"),
    # architecture.md
    ("architecture.md", f"resembles more than {coarse_pairs._CROWD} others"),
    ("architecture.md", f"again, at most {'twice' if reaper.MAX_ATTEMPTS == 3 else '?'}"),
    ("architecture.md", f"Ours send {remote.BATCH_FILES} files or {mb(remote.BATCH_BYTES)} a request"),
    ("architecture.md", f"{word(remote.PARALLEL)} requests at a time"),
    ("architecture.md", f"at most {coarse_pairs._MAX_CANDIDATES} candidates for each photo"),
    ("architecture.md", f"above {near_copies._MAX_GRAIN} of it are two shots"),
    ("architecture.md", f"{word(near_copies._MIN_SERIES).capitalize()} and more files of one size"),
    ("architecture.md", f"they are more than one in {copy_groups.MAX_CONTRADICTED}, the user is asked"),
    ("architecture.md", f"of near copies of at least {copy_groups._FEWEST_SHOTS} contents"),
    ("architecture.md", f"more than a {'fifth' if copy_groups._MAX_SHARE_OF_SHOTS == 0.2 else '?'} of the class"),
    ("architecture.md", f"one of at least {copy_groups._FEWEST_LOOK_ALIKES} that holds"),
    ("architecture.md", f"more than a {'third' if copy_groups._MAX_SHARE_OF_LOOK_ALIKES == 1 / 3 else '?'}, whose"),
    ("user-guide.md", f"more than one of {copy_groups.MAX_CONTRADICTED} photos; all are used"),
    ("architecture.md", f"so there are {threads_of_the_web_server()}, and {hub.MAX_STREAMS} streams at most"),
    (
        "architecture.md",
        f"{word(dealing.N_REPEATS)} different times up to {dealing.MAX_REPEATED_IMAGES} photos",
    ),
    ("architecture.md", f"one held-out part above {split.MAX_CROSS_VALIDATED_IMAGES:,}"),
    ("architecture.md", f"all fusions of up to {word(search_space._FEW)} backbones"),
    ("architecture.md", f"at most {word(search_space._MOST_OF_MANY)} side by side or all"),
    ("architecture.md", f"of up to {heads.MOST_REGRESSED:,} photos"),
    ("architecture.md", f"from {heads.FIRST_CHOICES[1][0]} photos on"),
    ("architecture.md", f"from {heads.FIRST_CHOICES[2][0]:,} on"),
    ("architecture.md", f"as far as {100 * frozen._MEMORY_SHARE:.0f} % of what is free"),
    ("architecture.md", f"of fewer than {split.FEWEST_IMAGES_WITH_TEST:,} photos without a test folder"),
    ("user-guide.md", f"Of fewer than {split.FEWEST_IMAGES_WITH_TEST:,} photos, none is put aside"),
    ("user-guide.md", f"When photos without a test grow to {split.FEWEST_IMAGES_WITH_TEST:,}, a test is kept"),
    ("user-guide.md", f"as long as there are {split.FEWEST_IMAGES_TO_KEEP_TEST}."),
    ("user-guide.md", f"more than {100 * steady_sides.MOST_LEFT_OUT:.0f} of 100 of its photos would be left out"),
    ("architecture.md", f"Folds of fewer than {word(split.N_FOLDS)}, and those that"),
    ("architecture.md", f"It keeps the test down to {split.FEWEST_IMAGES_TO_KEEP_TEST} photos"),
    ("user-guide.md", f"{word(split.N_FOLDS)} parts, or {word(split.N_FOLDS_OF_FEW)} where there are fewer than"),
    (
        "user-guide.md",
        f"fewer than {split.FEW_OF_A_CLASS} of a class (up to {dealing.MAX_REPEATED_IMAGES} photos three times",
    ),
    ("user-guide.md", f"luck is taken off: {bias_corrected.N_BOOTSTRAPS} times"),
    ("user-guide.md", f"about {conversion.MOST_COMPARED} of the photos"),
    ("architecture.md", f"looks at up to {aspect.MOST_COMPARED} photos in each way"),
    ("architecture.md", f"a long side of at least {aspect.NOT_SQUARE} short ones"),
    ("architecture.md", f"in at most {'a twentieth' if aspect.SHARE_OF_TIME == 1 / 20 else '?'} of its time"),
    ("architecture.md", f"at most {'a twentieth' if packing._PACK_SHARE == 1 / 20 else '?'} of the time"),
    ("architecture.md", f"as many folds as hold {folds._FEWEST_HELD_OUT} photos"),
    ("architecture.md", f"up to {word(distillation._MOST_TEACHERS)} of the strongest networks"),
    ("architecture.md", f"in at most {100 * distillation.SHARE_OF_TIME:.0f} % of the time that is"),
    ("architecture.md", f"more than {distillation.MOST_TAUGHT:,} photos or fewer than"),
    ("architecture.md", f"or fewer than {word(soft_answers.FEWEST_FOLDS)} folds"),
    ("architecture.md", f"{word(failures.FAILURES_THAT_RETIRE)} in a row retire a backbone"),
    ("architecture.md", f"sends batches of {features.GPU_BATCH} to the device"),
    ("architecture.md", f"off by less than {units_of(100 * features.MOST_OFF, 1)} % of a feature's length"),
    ("architecture.md", f"up to {units_of(resident.MAX_RESIDENT_BYTES, 10**9)} GB"),
    ("architecture.md", f"or {heads.PATIENCE_TRIALS} tries ({fine_tuning.PATIENCE_TRIALS} fine-tunings) without"),
    ("architecture.md", f"in the latest {word(run_clock._N_ENDS)} runs"),
    ("architecture.md", f"keeps the latest {word(composed.KEPT_OF_A_RUN)} of a run"),
    # weights.md
    ("weights.md", f"among {word(verification.EXPECTED[2][2])} of 1,000 guesses"),
    ("weights.md", f"to {onnx_export.MAX_DIFFERENCE} in every feature"),
    ("weights.md", f"Opset {onnx_export.OPSET}, IR version {onnx_export.IR_VERSION}"),
)

LIMIT = re.compile(
    r"\b(?:at most|up to|no more than|more than|fewer than|less than|larger than|the first|the last|latest|above)"
    r" (?:about )?(?:\d[\d,.]*|two|three|four|five|six|seven|eight|nine|ten|twelve|twenty|twice|thrice)\b"
)
"""How the documents name limits."""

NO_LIMITS = (
    ("user-guide.md", "Where folders give fewer than two classes"),
    ("user-guide.md", "ray of more than 8 bits"),
)
"""Phrases that only read like one."""


def text_of(document: str) -> str:
    """The document on one line, without the tables that are written from the code."""
    folder = REPOSITORY if document == "README.md" else REPOSITORY / "docs"
    text = re.sub(
        r"<!-- \w+: begin.*?<!-- \w+: end -->", "", (folder / document).read_text(encoding="utf-8"), flags=re.S
    )
    return " ".join(text.split())


@pytest.mark.parametrize(("document", "phrase"), LIMITS, ids=lambda text: text[:60])
def test_a_limit_in_the_documentation_is_that_of_the_code(document, phrase):
    assert phrase in text_of(document)


@pytest.mark.parametrize("name", TOLERANCES)
def test_the_tolerance_of_a_proof_is_half_a_percentage_point_or_two_for_int8(name):
    assert "more than half a percentage point; int8: two" in text_of("user-guide.md")
    assert TOLERANCES[name] == (0.02 if name == "litert_int8" else 0.005)


def unknown(document: str) -> Iterator[str]:
    """What reads like a limit and is in no row of the table."""
    text = text_of(document)
    known = [phrase for where, phrase in (*LIMITS, *NO_LIMITS) if where == document]
    spans = [(found.start(), found.end()) for phrase in known for found in re.finditer(re.escape(phrase), text)]
    for found in LIMIT.finditer(text):
        if not any(start <= found.start() and found.end() <= end for start, end in spans):
            yield text[max(0, found.start() - 40) : found.end() + 40]


DOCUMENTS = ["README.md", *(path.name for path in (REPOSITORY / "docs").glob("*.md") if path.name not in _MEASURED)]


@pytest.mark.parametrize("document", sorted(DOCUMENTS))
def test_every_limit_in_the_documentation_is_in_the_table(document):
    assert list(unknown(document)) == []
