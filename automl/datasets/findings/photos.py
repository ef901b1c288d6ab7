"""What the doctor says of photos one by one."""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import PurePosixPath

from automl.datasets.findings.finding import Finding, Photos, Refused, Severity, is_or_are, leave_out, singles
from automl.text.names import counted

MIN_SIDE_PX = 32
MAX_ASPECT = 4
BLANK_SPREAD = 4.0
_MAX_REASONS = 12
_FORMAT_OF_SUFFIX = {
    **dict.fromkeys((".jpg", ".jpeg", ".jpe", ".jfif", ".mpo"), "JPEG"),
    **dict.fromkeys((".tif", ".tiff"), "TIFF"),
    **dict.fromkeys((".bmp", ".dib"), "BMP"),
    ".png": "PNG",
    ".webp": "WEBP",
    ".gif": "GIF",
}


def refused_files(refused: Sequence[Refused]) -> list[Finding]:
    by_reason: defaultdict[str, list[int]] = defaultdict(list)
    for file in refused:
        by_reason[file.reason].append(file.file_id)
    frequent = sorted(by_reason.items(), key=lambda item: -len(item[1]))
    rest = [file_id for _, ids in frequent[_MAX_REASONS:] for file_id in ids]
    told = frequent[:_MAX_REASONS] + (
        [("Each has a reason of its own; the list of files says which.", rest)] * bool(rest)
    )
    return [
        Finding(
            "refused",
            f"{counted(len(ids), 'file')} cannot be used",
            f"{reason} {'It is' if len(ids) == 1 else 'They are'} left out already.",
            Severity.WARNING,
            tuple((file_id,) for file_id in ids),
            None,
        )
        for reason, ids in told
    ]


def small(photos: Photos) -> list[Finding]:
    found = [photo for photo in photos if min(photo.width, photo.height) < MIN_SIDE_PX]
    if not found:
        return []
    return [
        Finding(
            "small",
            f"{counted(len(found), 'photo')} {is_or_are(len(found))} very small (less than {MIN_SIDE_PX} pixels)",
            "There is hardly anything to see in so few pixels, either for you or for the model.",
            Severity.WARNING,
            singles(found),
            leave_out("Leave them out", found, "very small photo"),
        )
    ]


def blank(photos: Photos) -> list[Finding]:
    found = [photo for photo in photos if photo.format and photo.spread < BLANK_SPREAD]
    if not found:
        return []
    return [
        Finding(
            "blank",
            f"{counted(len(found), 'photo')} {is_or_are(len(found))} blank",
            "A picture of one colour shows nothing of its class. The model learns to guess from it.",
            Severity.WARNING,
            singles(found),
            leave_out("Leave them out", found, "blank photo"),
        )
    ]


def elongated(photos: Photos) -> list[Finding]:
    found = [p for p in photos if max(p.width, p.height) >= MAX_ASPECT * min(p.width, p.height)]
    if not found:
        return []
    return [
        Finding(
            "aspect",
            f"{counted(len(found), 'photo')} {is_or_are(len(found))} very long or very tall ({MAX_ASPECT}:1 or more)",
            "The model sees every photo as a square, so what is in these is squeezed out of shape. Crop them to what "
            "matters, or leave them out.",
            Severity.INFO,
            singles(found),
            leave_out("Leave them out", found, "very long photo"),
        )
    ]


def wrong_extension(photos: Photos) -> list[Finding]:
    found = [p for p in photos if p.format and _format_by_name(p.name) not in (None, p.format)]
    if not found:
        return []
    example = found[0]
    suffix = PurePosixPath(example.name).suffix
    return [
        Finding(
            "extension",
            f"{counted(len(found), 'photo')} {'has' if len(found) == 1 else 'have'} the ending of another format",
            f"One ends in {suffix} but is {example.format} inside. It does no harm: photos are read by their contents.",
            Severity.INFO,
            singles(found),
            None,
        )
    ]


def _format_by_name(name: str) -> str | None:
    return _FORMAT_OF_SUFFIX.get(PurePosixPath(name).suffix.lower())
