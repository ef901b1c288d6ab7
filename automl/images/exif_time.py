"""When a photo was taken, as its camera wrote into the file."""

from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from PIL import Image

_EXIF_IFD = 0x8769
_DATE_TIME = 0x0132
_DATE_TIME_ORIGINAL, _SUBSECONDS_ORIGINAL = 0x9003, 0x9291
_FORMATS = ("JPEG", "MPO", "TIFF", "WEBP")
"""What cameras write. A PNG would have to be decoded for its EXIF."""

_WRITTEN_AS = "%Y:%m:%d %H:%M:%S"


def time_taken(source: Path | IO[bytes]) -> float | None:
    """Seconds since 1970 by the clock of the camera, taken for UTC; None where the file does not say, or not rightly.

    It only orders photos, so nothing that is wrong with it may cost one: the header alone is read, apart from decoding.

    source: The path of the file, or a seekable stream of its bytes.
    """
    try:
        if not isinstance(source, Path):
            source.seek(0)
        with Image.open(source, formats=_FORMATS) as image:
            exif = image.getexif()
            more = exif.get_ifd(_EXIF_IFD)
        written = str(more.get(_DATE_TIME_ORIGINAL) or exif.get(_DATE_TIME) or "").strip("\0 ")
        taken = datetime.strptime(written, _WRITTEN_AS).replace(tzinfo=UTC)
        digits = str(more.get(_SUBSECONDS_ORIGINAL, "")).strip("\0 ")
    except Exception:  # noqa: BLE001 - Pillow raises a dozen types on files that are no photos or have odd EXIF
        return None
    return taken.timestamp() + (float(f"0.{digits}") if digits.isdecimal() else 0.0)
