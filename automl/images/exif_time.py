"""When a photo was taken, as its camera wrote into the file."""

from datetime import UTC, datetime

from PIL import Image

_EXIF_IFD = 0x8769
_DATE_TIME = 0x0132
_DATE_TIME_ORIGINAL, _SUBSECONDS_ORIGINAL = 0x9003, 0x9291
_WRITTEN_AS = "%Y:%m:%d %H:%M:%S"


def time_taken(image: Image.Image) -> float | None:
    """Seconds since 1970 by the clock of the camera, taken for UTC; None where the file does not say, or not rightly.

    It only orders photos, so nothing that is wrong with it may cost one.
    """
    try:
        exif = image.getexif()
        more = exif.get_ifd(_EXIF_IFD)
        written = str(more.get(_DATE_TIME_ORIGINAL) or exif.get(_DATE_TIME) or "").strip("\0 ")
        taken = datetime.strptime(written, _WRITTEN_AS).replace(tzinfo=UTC)
        digits = str(more.get(_SUBSECONDS_ORIGINAL, "")).strip("\0 ")
    except Exception:  # noqa: BLE001 - Pillow raises a dozen types on EXIF that is no EXIF
        return None
    return taken.timestamp() + (float(f"0.{digits}") if digits.isdecimal() else 0.0)
