"""A decoder: orders come on standard input, answers go to standard output, one for each, in order.

It imports Pillow and NumPy and not the main module of its parent, and it ends as soon as its parent does.
"""

import gc
import io
import json
import os
import queue
import sys
import threading
import time
import traceback
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import IO

import numpy as np
from PIL import Image

from automl.checked_files import sha256_of
from automl.errors import BadImage, StoreDamaged
from automl.images.decoding.frames import Frame, read_frame
from automl.images.decoding.limits import DecodingLimits, limit_cpu, limit_memory
from automl.images.decoding.orders import (
    Answer,
    Fill,
    Filled,
    Inspect,
    Inspected,
    Order,
    Redraw,
    Redrawn,
    Show,
    Shown,
    packed_answer,
    unpacked_order,
)
from automl.images.verify import inspect_photo, open_verified, redrawn_photo
from automl.serving.predict import resize_square
from automl.text.messages import pixels as pixel_messages
from automl.text.messages import store as store_messages

IDLE_S = 60.0
"""A decoder that nobody has asked for so long ends, and gives its memory back."""


def main(arguments: Sequence[str]) -> None:
    limits = DecodingLimits(**json.loads(arguments[0]))
    orders: queue.SimpleQueue[Frame] = queue.SimpleQueue()
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints is no answer
    # A thread reads the orders: so the end of the parent is noticed also while a picture is being decoded.
    threading.Thread(target=_listen, args=(sys.stdin.buffer, orders), daemon=True).start()
    _warm_up()
    limit_memory(limits)
    _write(answers, Frame({"did": "start"}))
    while True:
        try:
            frame = orders.get(timeout=IDLE_S)
        except queue.Empty:
            os._exit(0)
        limit_cpu(limits)
        answer = _answered(unpacked_order(frame), limits)
        if answer.head["did"] == "refuse":
            gc.collect()  # the traceback of an error may hold on to the pixels
        _write(answers, answer)


def carry_out(order: Order, limits: DecodingLimits) -> Answer:
    """Does what is asked for.

    Raises:
        BadImage: It is not a picture, damaged, or too large.
        StoreDamaged: Its file is not what it was.
        OSError: Its file cannot be read.
    """
    match order:
        case Inspect():
            sha256 = _digest(order.path, order.sha256)
            traits, thumbnail = inspect_photo(order.path, limits.max_image_bytes)
            return Inspected(traits=traits, thumbnail=thumbnail, sha256=sha256)
        case Show():
            source = io.BytesIO(order.photo) if isinstance(order.photo, bytes) else order.photo
            image = open_verified(source, limits.max_image_bytes, order.rules)
            square = resize_square(image, order.size_px, order.rules)
            return Shown(square=square, small=_small(image, order.small_px) if order.small_px else None)
        case Redraw():
            jpeg = redrawn_photo(order.path, limits.max_image_bytes, longest_px=order.longest_px)
            return Redrawn(jpeg=jpeg)
        case Fill():
            _digest(order.path, order.sha256)
            image = open_verified(order.path, limits.max_image_bytes, order.rules)
            for path in order.arrays:
                array = _array(path)
                array[order.row] = resize_square(image, array.shape[1], order.rules)
            return Filled()


def _warm_up() -> None:
    """Loads what the first picture would load, such as plug-ins and buffers of libraries: they are no cost of it."""
    small = io.BytesIO()
    Image.new("RGB", (16, 16)).save(small, "TIFF")
    inspect_photo(small, DecodingLimits().max_image_bytes)


def _digest(path: Path, expected: str) -> str:
    """The SHA-256 of a file, which is the expected one, unless that is empty. Raises StoreDamaged."""
    sha256 = sha256_of(path)
    if expected not in ("", sha256):
        raise StoreDamaged(store_messages.CONTENTS_CHANGED)
    return sha256


def _answered(order: Order, limits: DecodingLimits) -> Frame:
    try:
        answer = carry_out(order, limits)
    except (BadImage, StoreDamaged, OSError) as error:
        answer = error
    except MemoryError:
        answer = BadImage(pixel_messages.TOO_LITTLE_MEMORY.one)
    except Exception:  # noqa: BLE001 - an error of ours: the parent raises it
        return Frame({"did": "break", "reason": traceback.format_exc()})
    return packed_answer(answer)


def _small(image: Image.Image, small_px: int) -> np.ndarray:
    small = image.resize(_fitted(image.size, small_px), Image.Resampling.BILINEAR, reducing_gap=2.0)
    return np.asarray(small)


def _fitted(size: tuple[int, int], side: int) -> tuple[int, int]:
    share = min(1.0, side / max(size))
    return max(1, round(size[0] * share)), max(1, round(size[1] * share))


@lru_cache(maxsize=8)
def _array(path: Path) -> np.ndarray:
    array: np.ndarray = np.load(path, mmap_mode="r+")
    return array


def _write(target: IO[bytes], frame: Frame) -> None:
    packed = Frame({**frame.head, "cpu_s": time.process_time()}, frame.blobs).packed()
    target.write(packed)
    target.flush()


def _listen(source: IO[bytes], orders: "queue.SimpleQueue[Frame]") -> None:
    def read(n_bytes: int) -> bytes:
        content = source.read(n_bytes)
        if len(content) < n_bytes:
            os._exit(0)  # the parent has ended, so nobody waits for the picture that is being decoded
        return content

    while True:
        orders.put(read_frame(read))


if __name__ == "__main__":
    main(sys.argv[1:])
