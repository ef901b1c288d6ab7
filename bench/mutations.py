"""Real pictures and archives with something wrong at random places, the same for the same seed."""

import io
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from enum import StrEnum

import numpy as np
from PIL import Image

FORMS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF")


class Mutation(StrEnum):
    """What is done to the bytes of a file."""

    FLIPS = "flips"
    HEAD = "flips in the head"
    TRUNCATION = "truncation"
    DUPLICATION = "duplicated chunk"
    REMOVAL = "removed chunk"


def mutated(content: bytes, mutation: Mutation, random: np.random.Generator) -> bytes:
    """The bytes of a file with a mutation of that kind."""
    n = len(content)
    start, end = sorted(random.integers(0, n, 2).tolist())
    match mutation:
        case Mutation.FLIPS | Mutation.HEAD:
            values = np.frombuffer(content, np.uint8).copy()
            reach = n if mutation is Mutation.FLIPS else min(n, 400)
            values[random.integers(0, reach, 6)] ^= random.integers(1, 256, 6).astype(np.uint8)
            return values.tobytes()
        case Mutation.TRUNCATION:
            return content[: max(1, end)]
        case Mutation.DUPLICATION:
            return content[:end] + content[start:]
        case Mutation.REMOVAL:
            return content[:start] + content[end:]


def pictures(photo: Image.Image) -> Mapping[str, bytes]:
    """The same photo in each form."""
    return {form: _encoded(photo, form) for form in FORMS}


def archives(files: Mapping[str, bytes]) -> Mapping[str, bytes]:
    """The same files in each kind of archive, by its suffix."""
    return {
        ".zip": _written(lambda target: _zip(target, files)),
        ".tar": _written(lambda target: _tar(target, files, packed=False)),
        ".tar.gz": _written(lambda target: _tar(target, files, packed=True)),
    }


def _encoded(photo: Image.Image, form: str) -> bytes:
    return _written(lambda target: photo.save(target, form))


def _written(write: Callable[[io.BytesIO], object]) -> bytes:
    target = io.BytesIO()
    write(target)
    return target.getvalue()


def _zip(target: io.BytesIO, files: Mapping[str, bytes]) -> None:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)


def _tar(target: io.BytesIO, files: Mapping[str, bytes], *, packed: bool) -> None:
    with tarfile.open(fileobj=target, mode="w:gz" if packed else "w:") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
