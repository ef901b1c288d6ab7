"""The verdict on a data set: from its files and the edits to what is used, what is not, and what is wrong with it.

Nothing is read or decoded here, so an edit on the page takes effect at once.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, replace

from automl.datasets.clips import ClipPlaces, place_in_clips
from automl.datasets.copy_groups import CopyGroups, copy_groups, shot_of
from automl.datasets.data_file import DataFile
from automl.datasets.edits import (
    Edit,
    apply_edits,
    chosen_column,
    chosen_reading,
    joins_spellings,
    keeps_clips,
    trusts_labels,
)
from automl.datasets.findings.doctor import examine
from automl.datasets.findings.examined_dataset import ExaminedDataset, Photo, UnusableFile
from automl.datasets.findings.finding import Finding
from automl.datasets.manifest import dataset_fingerprint, image_records
from automl.datasets.summary import class_summaries, layout_summary, samples_of, sizes_of, split_summary
from automl.datasets.verdict import (
    are_too_few_to_compare,
    explained,
    problem_of,
    verdict_of,
)
from automl.images.pixel_rules import contract_for, described, visible_spread
from automl.labelling.label_tables import TABLE_SUFFIXES, LabelTable
from automl.labelling.places import NoPlace, Place
from automl.labelling.reading import Layout, read_layout
from automl.records import (
    DatasetSummary,
    FileState,
    ImageRecord,
    RefusedFile,
    RememberedSides,
    ServingContract,
    Severity,
    Split,
)
from automl.text.lists import quoted
from automl.text.messages import datasets as dataset_messages
from automl.text.natural_order import in_natural_order
from automl.text.upload_names import clean_text, is_junk

MAX_LISTED_REFUSALS = 100

_SEVERITIES = list(Severity)


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """The verdict on a data set.

    Attributes:
        files: All files, each of them accepted, refused or excluded.
        images: The photos that are used.
        refused: Files that cannot be used, without those that do not matter, such as leftovers of programs.
        problem: Why nothing can be trained from the photos, or an empty text.
        findings: What is worth knowing, with complete fixes.
        summary: What pages and the command line show.
        contract: How the pixels of its photos become those that a model sees.
        keeps_clips: Whether photos of one clip stay together.
    """

    files: tuple[DataFile, ...]
    images: tuple[ImageRecord, ...]
    refused: tuple[DataFile, ...]
    problem: str
    findings: tuple[Finding, ...]
    summary: DatasetSummary
    contract: ServingContract
    keeps_clips: bool

    @property
    def accepted(self) -> list[DataFile]:
        return _accepted(self.files)

    @property
    def message(self) -> str:
        return self.summary.verdict


def assess(
    files: Sequence[DataFile],
    edits: Sequence[Edit] = (),
    tables: Sequence[LabelTable] = (),
    *,
    fingerprints: Mapping[int, bytes] | None = None,
    find_more: Callable[[Sequence[DataFile]], Sequence[Finding]] = lambda _files: (),
    remembered: RememberedSides | None = None,
) -> Assessment:
    """The verdict on files that have been decoded.

    Args:
        files: All files of the data set. What an earlier verdict said of them is forgotten.
        edits: Those that count, in their order.
        tables: Those of the files that may be tables of labels.
        fingerprints: Those of the photos, by id, see `automl.images.fingerprint`; clips and views are found by them.
        find_more: Called with the judged files; returns findings that only a run can make, such as labels that it
            doubts.
        remembered: The sides of the split that photos had in earlier runs with the usual seed.
    """
    placed = _placed(files, edits, tables)
    layout = placed.layout
    edited = apply_edits(edits, placed.files)
    judged = tuple(_without_lost_classes(_without_contradictions(edited)))
    refused = tuple(file for file in judged if file.state is FileState.REFUSED and file.id not in placed.quiet)
    copies = copy_groups(_accepted(judged), fingerprints, trust_labels=trusts_labels(edits))
    contract = contract_for([file.pixels for file in _accepted(judged) if file.pixels is not None])
    clips = (
        place_in_clips(
            _accepted(judged), fingerprints or {}, placed.groups, copies=copies.group_of, one_view=copies.one_view
        )
        if keeps_clips(edits)
        else {}
    )
    used = {file.id for file in _accepted(judged)}
    found = examine(_examined(edited, refused, used, layout=layout, copies=copies, clips=clips, contract=contract))
    findings = sorted([*found, *find_more(judged)], key=lambda finding: _SEVERITIES.index(finding.severity))
    images = tuple(image_records(_accepted(judged), copies, clips))
    problem = problem_of(images)
    return Assessment(
        files=judged,
        images=images,
        refused=refused,
        problem=problem,
        findings=tuple(findings),
        summary=_summary(
            judged=judged,
            images=images,
            refused=refused,
            problem=problem,
            layout=layout,
            companions=placed.companions,
            one_view=_views_without_clips(copies.one_view, images),
            findings=findings,
            contract=contract,
            remembered=remembered,
        ),
        contract=contract,
        keeps_clips=keeps_clips(edits),
    )


def _summary(
    *,
    judged: Sequence[DataFile],
    images: Sequence[ImageRecord],
    refused: Sequence[DataFile],
    problem: str,
    layout: Layout,
    companions: frozenset[int],
    one_view: Sequence[str],
    findings: Sequence[Finding],
    contract: ServingContract,
    remembered: RememberedSides | None,
) -> DatasetSummary:
    accepted = _accepted(judged)
    listed = [RefusedFile(file.name, file.reason) for file in refused]
    return DatasetSummary(
        n_images=len(images),
        n_refused=len(refused),
        n_excluded=sum(file.state is FileState.EXCLUDED for file in judged),
        n_unlabelled=sum(file.is_unlabelled for file in judged),
        n_duplicates=len(images) - len({image.sha256 for image in images}),
        classes=class_summaries(images),
        refused=tuple(listed[:MAX_LISTED_REFUSALS]),
        verdict=explained(problem, listed) if problem else verdict_of(images),
        notes=(*_notes(judged, refused, layout, companions), *_notes_on_copies(images, one_view), *described(contract)),
        fingerprint=dataset_fingerprint(images),
        layout=layout_summary(layout),
        sizes=sizes_of(images),
        samples=samples_of(accepted),
        findings=tuple(finding.summary() for finding in findings),
        split=None if problem else split_summary(images, remembered),
    )


def is_table(name: str) -> bool:
    """Whether a file may be a table of labels, by its name."""
    return name.lower().endswith(TABLE_SUFFIXES) and not is_junk(name)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Placed:
    """What the names of all files together say.

    Attributes:
        layout: How they were read.
        files: The files with their labels and splits.
        quiet: Ids of tables that were read and of leftovers of other programs: that they are not used does not matter.
        companions: Ids of pictures that belong to photos, such as masks.
        groups: What photos have in common by the user's folders or table, by id.
    """

    layout: Layout
    files: Sequence[DataFile]
    quiet: frozenset[int]
    companions: frozenset[int]
    groups: Mapping[int, str]


def _placed(files: Sequence[DataFile], edits: Sequence[Edit], tables: Sequence[LabelTable]) -> _Placed:
    named = [file for file in files if file.key and not file.given_label]
    layout = read_layout(
        [file.name for file in named],
        tables,
        reading=chosen_reading(edits),
        column=chosen_column(edits),
        join_spellings=joins_spellings(edits),
    )
    places = {file.id: place for file, place in zip(named, layout.places, strict=True)}
    nowhere = {number: place for number, place in places.items() if isinstance(place, NoPlace)}
    quiet = {number for number, place in nowhere.items() if place.is_junk or place.is_table}
    quiet |= {file.id for file in files if is_junk(file.name)}
    return _Placed(
        layout=layout,
        files=[_at(file, places.get(file.id)) for file in files],
        quiet=frozenset(quiet),
        companions=frozenset(number for number, place in nowhere.items() if place.companion),
        groups={number: place.group for number, place in places.items() if isinstance(place, Place)},
    )


def _at(file: DataFile, place: Place | NoPlace | None) -> DataFile:
    if not file.key:
        return file
    if isinstance(place, NoPlace) and (place.is_junk or place.is_table or not file.fault):
        return replace(file.refused(place.reason), label=place.companion, split=None)
    label, split = (place.label, place.split) if isinstance(place, Place) else (clean_text(file.given_label), None)
    if file.state is FileState.ACCEPTED and file.is_seen and (file.label, file.split) == (label, split):
        return file  # as nearly all are, when something else is edited
    placed = replace(file, state=FileState.ACCEPTED, reason="", label=label, split=split)
    if file.is_seen:
        return placed.refused(file.fault) if file.fault else placed
    # Nothing is ever used that was not decoded, such as a table or a leftover that was sent to a class.
    return placed.refused(dataset_messages.NOT_A_PHOTO.one)


def _without_contradictions(files: Sequence[DataFile]) -> list[DataFile]:
    labels: defaultdict[str, set[str]] = defaultdict(set)
    for file in files:
        if file.state is FileState.ACCEPTED:
            labels[file.sha256].add(file.label)

    def judged(file: DataFile) -> DataFile:
        others = in_natural_order(labels[file.sha256] - {file.label}) if file.state is FileState.ACCEPTED else []
        if not others:
            return file
        return file.refused(dataset_messages.IN_OTHER_CLASSES_TOO.format(classes=quoted(others)))

    return [judged(file) for file in files]


def _without_lost_classes(files: Sequence[DataFile]) -> list[DataFile]:
    learnable = {file.label for file in files if file.state is FileState.ACCEPTED and file.split is not Split.TEST}

    def judged(file: DataFile) -> DataFile:
        if file.state is not FileState.ACCEPTED or file.label in learnable:
            return file
        return file.refused(dataset_messages.CLASS_ONLY_IN_TEST.format(name=file.label))

    return [judged(file) for file in files]


def _examined(
    edited: Sequence[DataFile],
    refused: Sequence[DataFile],
    used: Set[int],
    *,
    layout: Layout,
    copies: CopyGroups,
    clips: ClipPlaces,
    contract: ServingContract,
) -> ExaminedDataset:
    """What the doctor examines. A photo that is refused only because it lies in two classes is among the photos."""
    photos = _accepted(edited)
    in_doubt = {file.id for file in photos}
    return ExaminedDataset(
        [replace(_photo(file, copies, clips=clips, contract=contract), is_used=file.id in used) for file in photos],
        [
            UnusableFile(file_id=file.id, name=file.name, reason=file.reason, is_unlabelled=file.is_unlabelled)
            for file in refused
            if file.id not in in_doubt
        ],
        layout.joined,
    )


def _photo(file: DataFile, copies: CopyGroups, *, clips: ClipPlaces, contract: ServingContract) -> Photo:
    near = file.id if file.near is None else file.near
    place = clips.get(file.id)
    return Photo(
        file_id=file.id,
        name=file.name,
        label=file.label,
        split=file.split,
        sha256=file.sha256,
        near=copies.group_of.get(file.id, near),
        shot=shot_of(file) if copies.in_doubt and file.id in copies.group_of else None,
        width=file.width,
        height=file.height,
        format=file.format,
        spread=visible_spread(file.pixels, contract) if file.pixels else file.spread,
        is_gray=file.is_gray,
        background=contract.background if file.pixels and file.pixels.transparency else "",
        clip=place.clip if place else "",
        is_frame=place is not None and place.is_found,
    )


def _notes(
    judged: Sequence[DataFile], refused: Sequence[DataFile], layout: Layout, companions: frozenset[int]
) -> tuple[str, ...]:
    """Sentences about the data set as a whole; names that were joined are a finding, so they are not repeated here."""
    accepted = _accepted(judged)
    notes = [note for note in layout.notes if note not in layout.joined]
    if n_junk := sum(is_junk(file.name) for file in judged):
        notes.append(dataset_messages.LEFTOVERS_SKIPPED.format(n=n_junk))
    unused = {file.label for file in refused if file.label and file.id not in companions}
    if lost := in_natural_order(unused - {file.label for file in accepted}):
        notes.append(dataset_messages.CLASSES_LOST.format(n=len(lost), classes=quoted(lost)))
    return tuple(notes)


def _views_without_clips(one_view: Sequence[str], images: Sequence[ImageRecord]) -> list[str]:
    """The classes whose photos count one by one: those of a clip of one view count together."""
    in_clips = {image.label for image in images if image.clip}
    return [label for label in one_view if label not in in_clips]


def _notes_on_copies(images: Sequence[ImageRecord], one_view: Sequence[str]) -> list[str]:
    notes = [dataset_messages.ONE_VIEW.format(n=len(one_view), classes=quoted(one_view))] if one_view else []
    if are_too_few_to_compare(images):
        notes.append(dataset_messages.TOO_FEW_TO_COMPARE)
    return notes


def _accepted(files: Sequence[DataFile]) -> list[DataFile]:
    return [file for file in files if file.state is FileState.ACCEPTED]
