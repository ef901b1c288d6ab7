"""What the doctor says of photos one by one."""

from collections.abc import Sequence
from pathlib import PurePosixPath

from automl.datasets.findings.examined_dataset import ExaminedDataset, Photo
from automl.datasets.findings.finding import Finding, leave_out, singles
from automl.datasets.findings.registry import Subject, doctor_check
from automl.images.pixel_rules import BLANK_SPREAD
from automl.records import Severity
from automl.text.messages import datasets as dataset_messages
from automl.text.messages import pixels as pixel_messages
from automl.text.one_or_many import OneOrMany

MIN_SIDE_PX = 32
MAX_ASPECT = 4
_FORMAT_OF_SUFFIX = {
    **dict.fromkeys((".jpg", ".jpeg", ".jpe", ".jfif", ".mpo"), "JPEG"),
    **dict.fromkeys((".tif", ".tiff"), "TIFF"),
    **dict.fromkeys((".bmp", ".dib"), "BMP"),
    ".png": "PNG",
    ".webp": "WEBP",
    ".gif": "GIF",
}
_HIDDEN: dict[str, str] = {
    "white": pixel_messages.HIDDEN_ON_WHITE,
    "gray": pixel_messages.HIDDEN_ON_GRAY,
    "black": pixel_messages.HIDDEN_ON_BLACK,
}
"""What is said of hidden photos, by the background that is behind them."""


@doctor_check(Subject.PHOTOS)
def small(dataset: ExaminedDataset) -> list[Finding]:
    """Photos of hardly any pixels."""
    found = [photo for photo in dataset.used if min(photo.width, photo.height) < MIN_SIDE_PX]
    if not found:
        return []
    return _to_leave_out(
        found,
        kind="small",
        title=dataset_messages.SMALL_PHOTOS.format(n=len(found), side=MIN_SIDE_PX),
        consequence=dataset_messages.SMALL_PHOTOS_MEAN,
        severity=Severity.WARNING,
        done=dataset_messages.SMALL_PHOTOS_LEFT_OUT,
    )


@doctor_check(Subject.PHOTOS)
def blank(dataset: ExaminedDataset) -> list[Finding]:
    """Photos of one colour."""
    found = [photo for photo in _showing_nothing(dataset) if not photo.background]
    if not found:
        return []
    return _to_leave_out(
        found,
        kind="blank",
        title=dataset_messages.BLANK_PHOTOS.format(n=len(found)),
        consequence=dataset_messages.BLANK_PHOTOS_MEAN,
        severity=Severity.WARNING,
        done=dataset_messages.BLANK_PHOTOS_LEFT_OUT,
    )


@doctor_check(Subject.PHOTOS)
def hidden_by_transparency(dataset: ExaminedDataset) -> list[Finding]:
    """Transparent photos whose visible parts have the colour of the background."""
    found = [photo for photo in _showing_nothing(dataset) if photo.background]
    if not found:
        return []
    return _to_leave_out(
        found,
        kind="transparent",
        title=pixel_messages.HIDDEN_PHOTOS.format(n=len(found)),
        consequence=_HIDDEN[found[0].background],
        severity=Severity.WARNING,
        done=pixel_messages.HIDDEN_PHOTOS_LEFT_OUT,
    )


def shows_nothing(photo: Photo) -> bool:
    """Whether there is hardly any difference between its light and its dark."""
    return bool(photo.format) and photo.spread < BLANK_SPREAD


def _showing_nothing(dataset: ExaminedDataset) -> list[Photo]:
    return [photo for photo in dataset.used if shows_nothing(photo)]


@doctor_check(Subject.PHOTOS)
def elongated(dataset: ExaminedDataset) -> list[Finding]:
    """Photos that lose their shape when they are made square."""
    found = [p for p in dataset.used if max(p.width, p.height) >= MAX_ASPECT * min(p.width, p.height)]
    if not found:
        return []
    return _to_leave_out(
        found,
        kind="aspect",
        title=dataset_messages.LONG_PHOTOS.format(n=len(found), aspect=MAX_ASPECT),
        consequence=dataset_messages.LONG_PHOTOS_MEAN,
        severity=Severity.INFO,
        done=dataset_messages.LONG_PHOTOS_LEFT_OUT,
    )


@doctor_check(Subject.PHOTOS)
def wrong_extension(dataset: ExaminedDataset) -> list[Finding]:
    """Photos whose names end as those of another format do."""
    found = [p for p in dataset.used if p.format and _format_by_name(p.name) not in (None, p.format)]
    if not found:
        return []
    example = found[0]
    suffix = PurePosixPath(example.name).suffix
    return [
        Finding(
            kind="extension",
            title=dataset_messages.OTHER_ENDINGS.format(n=len(found)),
            consequence=dataset_messages.OTHER_ENDINGS_MEAN.format(suffix=suffix, format=example.format),
            severity=Severity.INFO,
            groups=singles(found),
        )
    ]


def _to_leave_out(
    found: Sequence[Photo], *, kind: str, title: str, consequence: str, severity: Severity, done: OneOrMany
) -> list[Finding]:
    """The finding that these photos, each by itself, might better be left out. `done`: what is said afterwards."""
    fix = leave_out(dataset_messages.LEAVE_THEM_OUT, found, done=done)
    return [Finding(kind=kind, title=title, consequence=consequence, severity=severity, groups=singles(found), fix=fix)]


def _format_by_name(name: str) -> str | None:
    """None for an ending that is no format's."""
    return _FORMAT_OF_SUFFIX.get(PurePosixPath(name).suffix.lower())
