"""What the doctor says of photos one by one."""

from pathlib import PurePosixPath

from automl.datasets.findings.examined_dataset import ExaminedDataset
from automl.datasets.findings.finding import Finding, leave_out, singles
from automl.datasets.findings.registry import Subject, doctor_check
from automl.records import Severity
from automl.text.messages import datasets as dataset_messages

MIN_SIDE_PX = 32
MAX_ASPECT = 4
BLANK_SPREAD = 4.0
_FORMAT_OF_SUFFIX = {
    **dict.fromkeys((".jpg", ".jpeg", ".jpe", ".jfif", ".mpo"), "JPEG"),
    **dict.fromkeys((".tif", ".tiff"), "TIFF"),
    **dict.fromkeys((".bmp", ".dib"), "BMP"),
    ".png": "PNG",
    ".webp": "WEBP",
    ".gif": "GIF",
}


@doctor_check(Subject.PHOTOS)
def small(dataset: ExaminedDataset) -> list[Finding]:
    """Photos of hardly any pixels."""
    found = [photo for photo in dataset.photos if min(photo.width, photo.height) < MIN_SIDE_PX]
    if not found:
        return []
    return [
        Finding(
            kind="small",
            title=dataset_messages.SMALL_PHOTOS.format(n=len(found), side=MIN_SIDE_PX),
            consequence=dataset_messages.SMALL_PHOTOS_MEAN,
            severity=Severity.WARNING,
            groups=singles(found),
            fix=leave_out(dataset_messages.LEAVE_THEM_OUT, found, done=dataset_messages.SMALL_PHOTOS_LEFT_OUT),
        )
    ]


@doctor_check(Subject.PHOTOS)
def blank(dataset: ExaminedDataset) -> list[Finding]:
    """Photos of one colour."""
    found = [photo for photo in dataset.photos if photo.format and photo.spread < BLANK_SPREAD]
    if not found:
        return []
    return [
        Finding(
            kind="blank",
            title=dataset_messages.BLANK_PHOTOS.format(n=len(found)),
            consequence=dataset_messages.BLANK_PHOTOS_MEAN,
            severity=Severity.WARNING,
            groups=singles(found),
            fix=leave_out(dataset_messages.LEAVE_THEM_OUT, found, done=dataset_messages.BLANK_PHOTOS_LEFT_OUT),
        )
    ]


@doctor_check(Subject.PHOTOS)
def elongated(dataset: ExaminedDataset) -> list[Finding]:
    """Photos that lose their shape when they are made square."""
    found = [p for p in dataset.photos if max(p.width, p.height) >= MAX_ASPECT * min(p.width, p.height)]
    if not found:
        return []
    return [
        Finding(
            kind="aspect",
            title=dataset_messages.LONG_PHOTOS.format(n=len(found), aspect=MAX_ASPECT),
            consequence=dataset_messages.LONG_PHOTOS_MEAN,
            severity=Severity.INFO,
            groups=singles(found),
            fix=leave_out(dataset_messages.LEAVE_THEM_OUT, found, done=dataset_messages.LONG_PHOTOS_LEFT_OUT),
        )
    ]


@doctor_check(Subject.PHOTOS)
def wrong_extension(dataset: ExaminedDataset) -> list[Finding]:
    """Photos whose names end as those of another format do."""
    found = [p for p in dataset.photos if p.format and _format_by_name(p.name) not in (None, p.format)]
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


def _format_by_name(name: str) -> str | None:
    """None for an ending that is no format's."""
    return _FORMAT_OF_SUFFIX.get(PurePosixPath(name).suffix.lower())
