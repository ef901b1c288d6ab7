"""The verdict on a data set: from its files and the edits to what is used, what is not, and what is wrong with it.

Nothing is read or decoded here, so an edit on the page takes effect at once.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from automl.datasets.data_file import DataFile
from automl.datasets.edits import Edit, apply_edits, joins_spellings, reading_of
from automl.datasets.findings.doctor import Finding, Photo, Refused, Severity, examine
from automl.datasets.manifest import explained, fingerprint, problem_of, quoted, summarise
from automl.datasets.split import make_split
from automl.errors import BadDataset
from automl.labelling.label_tables import LabelTable
from automl.labelling.places import NoPlace, Place
from automl.labelling.reading import Layout, read_layout
from automl.records import DatasetManifest, FileState, ImageRecord, RefusedFile, Split
from automl.text.names import counted
from automl.text.upload_names import clean_text, is_junk

N_SAMPLES = 8
MAX_CLASSES_WITH_SAMPLES = 50

_NOWHERE = Path()
_NO_PHOTO = "It is not a photo, so it was not looked at."
_SEVERITIES = (Severity.ERROR, Severity.WARNING, Severity.INFO)


@dataclass(frozen=True, slots=True)
class Assessment:
    """`files`: all of them, each ACCEPTED, REFUSED or EXCLUDED. `images`: those that are used. `told`: ids of the
    refused ones that people should hear of. `problem`: why nothing can be trained from them, or empty. `findings`:
    complete, for their fixes. `summary`: what pages and the command line show, JSON.
    """

    files: tuple[DataFile, ...]
    images: tuple[ImageRecord, ...]
    told: frozenset[int]
    problem: str
    findings: tuple[Finding, ...]
    summary: dict[str, Any]

    @property
    def accepted(self) -> list[DataFile]:
        return [file for file in self.files if file.state is FileState.ACCEPTED]

    @property
    def message(self) -> str:
        return str(self.summary["verdict"])


def assess(
    files: Sequence[DataFile],
    edits: Sequence[Edit] = (),
    tables: Sequence[LabelTable] = (),
    find_more: Callable[[Sequence[DataFile]], Sequence[Finding]] = lambda _files: (),
) -> Assessment:
    """Judges decoded files.

    Args:
        tables: those of the files that are tables of labels, perhaps.
        find_more: findings that only a run can make, such as labels that it doubts, of the judged files.
    """
    junk = {file.id for file in files if is_junk(file.name)}
    layout, placed, quiet = _placed(files, edits, tables)
    quiet |= junk
    edited = apply_edits(edits, placed)
    final = tuple(_without_lost_classes(_without_contradictions(edited)))
    accepted = [file for file in final if file.state is FileState.ACCEPTED]
    refused = [file for file in final if file.state is FileState.REFUSED and file.id not in quiet]
    told = [RefusedFile(file.name, file.reason) for file in refused]
    problem = problem_of(accepted)
    in_doubt = {file.id for file in edited if file.state is FileState.ACCEPTED}  # of two classes, say
    findings = examine(
        [_photo(file) for file in edited if file.id in in_doubt],
        [Refused(file.id, file.name, file.reason) for file in refused if file.id not in in_doubt],
        layout.joined,
    )
    findings = sorted([*findings, *find_more(final)], key=lambda finding: _SEVERITIES.index(finding.severity))
    images = tuple(image_records(accepted))
    told_of_layout = [note for note in layout.notes if note not in layout.joined]
    summary = summarise(images, told, [*told_of_layout, *_notes(accepted, refused, n_junk=len(junk))])
    summary |= {
        "n_excluded": sum(file.state is FileState.EXCLUDED for file in final),
        "layout": {
            "reading": layout.reading.value,
            "words": layout.description,
            "others": [{"reading": other.reading.value, "words": other.description} for other in layout.others],
            "joined": list(layout.joined),
        },
        "sizes": _sizes(images),
        "samples": _samples(accepted),
        "findings": [_shown(finding) for finding in findings],
        "split": None if problem else _split(images),
    }
    if problem:
        summary["verdict"] = explained(problem, told)
    return Assessment(final, images, frozenset(file.id for file in refused), problem, tuple(findings), summary)


def _shown(finding: Finding) -> dict[str, Any]:
    """Without what its fix would change, which may be thousands of files and is found anew when it is wanted."""
    values = finding.to_json()
    return values | {"fix": {**values["fix"], "values": {}} if values["fix"] else None}


def image_records(accepted: Sequence[DataFile]) -> list[ImageRecord]:
    """Sorted by name; without a path, which only the store knows."""
    near: defaultdict[int, list[str]] = defaultdict(list)
    for file in accepted:
        near[file.id if file.near is None else file.near].append(file.sha256)
    groups = {number: min(digests) for number, digests in near.items() if len(set(digests)) > 1}
    return [
        ImageRecord(
            _NOWHERE,
            file.name,
            file.label,
            file.sha256,
            file.width,
            file.height,
            file.split,
            groups.get(file.id if file.near is None else file.near, ""),
        )
        for file in sorted(accepted, key=lambda file: (file.name, file.sha256))
    ]


def manifest_of(
    name: str, images: Sequence[ImageRecord], refused: Sequence[RefusedFile] = (), notes: Sequence[str] = ()
) -> DatasetManifest:
    """The manifest that pictures make; its classes are theirs."""
    classes = tuple(sorted({image.label for image in images}))
    return DatasetManifest(name, classes, tuple(images), tuple(refused), fingerprint(images), tuple(notes))


def is_table(name: str) -> bool:
    """Whether a file may be a table of labels, by its name."""
    return name.lower().endswith((".csv", ".tsv")) and not is_junk(name)


def _placed(
    files: Sequence[DataFile], edits: Sequence[Edit], tables: Sequence[LabelTable]
) -> tuple[Layout, list[DataFile], set[int]]:
    """Files with the label and split that all names together suggest; earlier verdicts are forgotten.

    Third: the ids of tables that were read, of which nobody need hear.
    """
    named = [file for file in files if file.key and not file.given_label]
    layout = read_layout(
        [file.name for file in named], tables, reading=reading_of(edits), join_spellings=joins_spellings(edits)
    )
    places = {file.id: place for file, place in zip(named, layout.places, strict=True)}
    nowhere = {number: place for number, place in places.items() if isinstance(place, NoPlace)}
    quiet = {number for number, place in nowhere.items() if place.is_junk or place.is_table}
    return layout, [_at(file, places.get(file.id)) for file in files], quiet


def _at(file: DataFile, place: Place | NoPlace | None) -> DataFile:
    if not file.key:
        return file
    if isinstance(place, NoPlace) and (place.is_junk or place.is_table or not file.fault):
        return replace(file.refused(place.reason), label="", split=None)
    label, split = (place.label, place.split) if isinstance(place, Place) else (clean_text(file.given_label), None)
    if file.state is FileState.ACCEPTED and file.is_seen and (file.label, file.split) == (label, split):
        return file  # as nearly all are, when something else is edited
    placed = replace(file, state=FileState.ACCEPTED, reason="", label=label, split=split)
    if file.is_seen:
        return placed.refused(file.fault) if file.fault else placed
    # Nothing is ever used that was not decoded, such as a table or a leftover that was sent to a class.
    return placed.refused(_NO_PHOTO)


def _without_contradictions(files: Sequence[DataFile]) -> list[DataFile]:
    labels: defaultdict[str, set[str]] = defaultdict(set)
    for file in files:
        if file.state is FileState.ACCEPTED:
            labels[file.sha256].add(file.label)

    def judged(file: DataFile) -> DataFile:
        others = sorted(labels[file.sha256] - {file.label}) if file.state is FileState.ACCEPTED else []
        if not others:
            return file
        return file.refused(f"The same picture is also in {quoted(others)}; it is not clear which is right.")

    return [judged(file) for file in files]


def _without_lost_classes(files: Sequence[DataFile]) -> list[DataFile]:
    learnable = {file.label for file in files if file.state is FileState.ACCEPTED and file.split is not Split.TEST}

    def judged(file: DataFile) -> DataFile:
        if file.state is not FileState.ACCEPTED or file.label in learnable:
            return file
        return file.refused(
            f"The class '{file.label}' has photos only in the test folder, so there is nothing to learn it from."
        )

    return [judged(file) for file in files]


def _photo(file: DataFile) -> Photo:
    return Photo(
        file.id,
        file.name,
        file.label,
        file.split,
        file.sha256,
        file.id if file.near is None else file.near,
        file.width,
        file.height,
        file.format,
        file.spread,
        file.is_gray,
    )


def _notes(accepted: Sequence[DataFile], refused: Sequence[DataFile], n_junk: int) -> list[str]:
    notes = []
    if n_junk:
        leftovers = counted(n_junk, "leftover of other programs", "leftovers of other programs")
        notes.append(f"{leftovers} (such as .DS_Store) {'was' if n_junk == 1 else 'were'} skipped.")
    if lost := sorted({file.label for file in refused if file.label} - {file.label for file in accepted}):
        notes.append(f"No photo in {quoted(lost)} could be used, so it is not among the classes.")
    return notes


def _samples(accepted: Sequence[DataFile]) -> dict[str, list[int]]:
    """Ids of some photos of each class, for its row on the page; none of so many classes that no page shows them.

    Evenly spread over the names of the class, since neighbours by name are often alike.
    """
    of_class: defaultdict[str, list[DataFile]] = defaultdict(list)
    for file in accepted:
        of_class[file.label].append(file)
    if len(of_class) > MAX_CLASSES_WITH_SAMPLES:
        return {}
    return {label: _spread([file.id for file in sorted(files, key=_by_name)]) for label, files in of_class.items()}


def _by_name(file: DataFile) -> tuple[str, int]:
    return file.name, file.id


def _spread(ids: Sequence[int]) -> list[int]:
    """At most `N_SAMPLES`, the first among them."""
    n = min(N_SAMPLES, len(ids))
    return [ids[-(-i * len(ids) // n)] for i in range(n)]


def _sizes(images: Sequence[ImageRecord]) -> dict[str, list[int]] | None:
    """Width and height in pixels of the smallest, the middle and the largest photo, by their area."""
    known = sorted((image.width * image.height, image.width, image.height) for image in images)
    if not known:
        return None
    chosen = {"smallest": known[0], "median": known[len(known) // 2], "largest": known[-1]}
    return {name: [width, height] for name, (_, width, height) in chosen.items()}


def _split(images: Sequence[ImageRecord]) -> dict[str, Any]:
    """How many photos of each class go where, with the usual seed; another one picks others, but as many."""
    manifest = manifest_of("", images)
    try:
        plan = make_split(manifest, seed=0)
    except BadDataset as error:
        return {"classes": [], "notes": [error.message]}
    parts: defaultdict[str, dict[str, int]] = defaultdict(lambda: {"learn": 0, "test": 0, "left_out": 0})
    for part, rows in (("learn", plan.pool), ("test", plan.test), ("left_out", plan.left_out)):
        for row in rows:
            parts[manifest.images[row].label][part] += 1
    return {
        "classes": [{"label": label, **parts[label]} for label in manifest.classes],
        "n_learn": len(plan.pool),
        "n_test": len(plan.test),
        "n_left_out": len(plan.left_out),
        "n_folds": plan.n_folds,
        "notes": list(plan.notes),
    }
