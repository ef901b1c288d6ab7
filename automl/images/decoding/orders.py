"""What a decoder can be asked to do with a picture, and what it answers."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from automl.errors import BadImage, StoreDamaged
from automl.images.decoding.frames import Frame
from automl.images.fingerprint import Traits
from automl.records import PixelFacts
from automl.serving.predict import PhotoRules


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspect:
    """Find out what a data set has to know of a picture. Answered by `Inspected`.

    Attributes:
        path: Its file.
        sha256: Of its bytes, when they came; empty where that is not known yet.
    """

    path: Path
    sha256: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Show:
    """Make of a picture what a model sees of it. Answered by `Shown`.

    Attributes:
        photo: Its file, or its bytes.
        size_px: The side of the square that the model takes.
        rules: Those of the model.
        small_px: The longer side of the small copy; 0 for none.
    """

    photo: Path | bytes
    size_px: int
    rules: PhotoRules
    small_px: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Fill:
    """Write the squares of a picture into .npy files, uint8 (n, size, size, 3). Answered by `Filled`.

    Attributes:
        path: The file of the picture.
        sha256: Of its bytes, when they came.
        arrays: The .npy files, one for each size.
        row: Where they are written.
        rules: How the pixels become those of the arrays.
    """

    path: Path
    sha256: str
    arrays: tuple[Path, ...]
    row: int
    rules: PhotoRules


@dataclass(frozen=True, slots=True, kw_only=True)
class Redraw:
    """Draw a picture anew, for people. Answered by `Redrawn`.

    Attributes:
        path: Its file.
        longest_px: The longer side of the copy, at most.
    """

    path: Path
    longest_px: int


Order = Inspect | Show | Fill | Redraw


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspected:
    """What was found out about a picture.

    Attributes:
        traits: See there.
        thumbnail: A small JPEG of it.
        sha256: Of the bytes that were decoded.
    """

    traits: Traits
    thumbnail: bytes
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What a model sees of a picture.

    Attributes:
        square: uint8 (size_px, size_px, 3).
        small: A small copy in its own shape, uint8 (height, width, 3); None where none was asked for.
    """

    square: np.ndarray
    small: np.ndarray | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Redrawn:
    """A JPEG of a picture, without metadata.

    Attributes:
        jpeg: Its bytes.
    """

    jpeg: bytes


@dataclass(frozen=True, slots=True)
class Filled:
    """The rows are written."""


Answer = Inspected | Shown | Filled | Redrawn | BadImage | StoreDamaged | OSError
"""An error is that of the picture, or of the disk that its file is on: there it has changed, or cannot be read."""


def packed_order(order: Order) -> Frame:
    """The order as it is written to a decoder."""
    match order:
        case Inspect():
            return Frame({"do": "inspect", "path": str(order.path), "sha256": order.sha256})
        case Redraw():
            return Frame({"do": "redraw", "path": str(order.path), "longest_px": order.longest_px})
        case Show():
            head = {"do": "show", "size_px": order.size_px, "small_px": order.small_px, "rules": asdict(order.rules)}
            if isinstance(order.photo, bytes):
                return Frame(head, [order.photo])
            return Frame({**head, "path": str(order.photo)})
        case Fill():
            head = {"do": "fill", "path": str(order.path), "sha256": order.sha256, "rules": asdict(order.rules)}
            return Frame({**head, "arrays": [str(path) for path in order.arrays], "row": order.row})


def unpacked_order(frame: Frame) -> Order:
    """What `packed_order` made."""
    head = frame.head
    if head["do"] == "inspect":
        return Inspect(path=Path(head["path"]), sha256=head["sha256"])
    if head["do"] == "redraw":
        return Redraw(path=Path(head["path"]), longest_px=head["longest_px"])
    rules = PhotoRules(**head["rules"])
    if head["do"] == "show":
        photo = Path(head["path"]) if "path" in head else frame.blobs[0]
        return Show(photo=photo, size_px=head["size_px"], small_px=head["small_px"], rules=rules)
    arrays = tuple(map(Path, head["arrays"]))
    return Fill(path=Path(head["path"]), sha256=head["sha256"], arrays=arrays, row=head["row"], rules=rules)


def packed_answer(answer: Answer) -> Frame:
    """The answer as it is written to the parent."""
    match answer:
        case Inspected():
            traits = answer.traits
            head = {
                name: getattr(traits, name) for name in ("width", "height", "format", "spread", "is_gray", "taken_at")
            }
            head |= {"pixels": traits.pixels and traits.pixels.model_dump(), "sha256": answer.sha256}
            return Frame({"did": "inspect", **head}, [traits.fingerprint, traits.detail, answer.thumbnail])
        case Shown():
            arrays = [answer.square] if answer.small is None else [answer.square, answer.small]
            return Frame({"did": "show", "shapes": [one.shape for one in arrays]}, [one.tobytes() for one in arrays])
        case Filled():
            return Frame({"did": "fill"})
        case Redrawn():
            return Frame({"did": "redraw"}, [answer.jpeg])
        case BadImage():
            return Frame({"did": "refuse", "reason": answer.message})
        case StoreDamaged():
            return Frame({"did": "distrust", "reason": answer.message})
        case OSError():
            return Frame({"did": "fail", "errno": answer.errno, "reason": answer.strerror})


def unpacked_answer(frame: Frame) -> Answer:
    """What `packed_answer` made."""
    head: dict[str, Any] = dict(frame.head)
    match head.pop("did"):
        case "inspect":
            fingerprint, detail, thumbnail = frame.blobs
            sha256, facts = head.pop("sha256"), head.pop("pixels")
            pixels = None if facts is None else PixelFacts.model_validate(facts)
            traits = Traits(**head, fingerprint=fingerprint, detail=detail, pixels=pixels)
            return Inspected(traits=traits, thumbnail=thumbnail, sha256=sha256)
        case "show":
            arrays = [
                np.frombuffer(blob, np.uint8).reshape(shape)
                for blob, shape in zip(frame.blobs, head["shapes"], strict=True)
            ]
            return Shown(square=arrays[0], small=arrays[1] if len(arrays) > 1 else None)
        case "fill":
            return Filled()
        case "redraw":
            return Redrawn(jpeg=frame.blobs[0])
        case "refuse":
            return BadImage(head["reason"])
        case "distrust":
            return StoreDamaged(head["reason"])
        case _:
            return OSError(head["errno"], head["reason"])
