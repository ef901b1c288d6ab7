"""What the doctor says of photos one by one."""

from pathlib import PurePosixPath

from automl.datasets.findings.examined_dataset import ExaminedDataset
from automl.datasets.findings.finding import Finding, is_or_are, leave_out, singles
from automl.datasets.findings.registry import Subject, doctor_check
from automl.records import Severity
from automl.text.numbers import counted

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
            title=f"{counted(len(found), 'photo')} {is_or_are(len(found))} very small (less than {MIN_SIDE_PX} pixels)",
            consequence="There is hardly anything to see in so few pixels, either for you or for the model.",
            severity=Severity.WARNING,
            groups=singles(found),
            fix=leave_out("Leave them out", found, noun="very small photo"),
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
            title=f"{counted(len(found), 'photo')} {is_or_are(len(found))} blank",
            consequence="A picture of one colour shows nothing of its class. The model learns to guess from it.",
            severity=Severity.WARNING,
            groups=singles(found),
            fix=leave_out("Leave them out", found, noun="blank photo"),
        )
    ]


@doctor_check(Subject.PHOTOS)
def elongated(dataset: ExaminedDataset) -> list[Finding]:
    """Photos that lose their shape when they are made square."""
    found = [p for p in dataset.photos if max(p.width, p.height) >= MAX_ASPECT * min(p.width, p.height)]
    if not found:
        return []
    photos = f"{counted(len(found), 'photo')} {is_or_are(len(found))}"
    return [
        Finding(
            kind="aspect",
            title=f"{photos} very long or very tall ({MAX_ASPECT}:1 or more)",
            consequence=(
                "The model sees every photo as a square, so what is in these is squeezed out of shape. Crop them to "
                "what matters, or leave them out."
            ),
            severity=Severity.INFO,
            groups=singles(found),
            fix=leave_out("Leave them out", found, noun="very long photo"),
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
            title=f"{counted(len(found), 'photo')} {'has' if len(found) == 1 else 'have'} the ending of another format",
            consequence=(
                f"One ends in {suffix} but is {example.format} inside. It does no harm: photos are read by their "
                "contents."
            ),
            severity=Severity.INFO,
            groups=singles(found),
        )
    ]


def _format_by_name(name: str) -> str | None:
    """None for an ending that is no format's."""
    return _FORMAT_OF_SUFFIX.get(PurePosixPath(name).suffix.lower())
