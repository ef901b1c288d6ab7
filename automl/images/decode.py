"""Decodes photos into arrays on disk, in this process or in processes for that alone.

Such a process is a plain `python -m automl.images.decode`. It starts quickly, since it imports Pillow and NumPy and not
the main module of its parent, and it ends as soon as its parent does.
"""

import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from PIL import Image

from automl.errors import RunFailed
from automl.serving.predict import PhotoRules, open_rgb, resize_square
from automl.text.messages import pixels as pixel_messages

_PACKAGES = Path(__file__).resolve().parents[2]
# There is a process for each processor, so more threads would only get into each other's way.
_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
_UNREADABLE = (OSError, SyntaxError, ValueError, Image.DecompressionBombError, MemoryError)


@dataclass(frozen=True, slots=True, kw_only=True)
class DecodeFailure:
    """A photo that could not be decoded.

    Attributes:
        index: Its row in the arrays.
        reason: The type and the message of the error.
    """

    index: int
    reason: str


def decode_into(
    arrays: Sequence[np.ndarray], start: int, paths: Sequence[str], *, rules: PhotoRules
) -> DecodeFailure | None:
    """Decodes photos into the arrays, and stops at the first failure, which is returned.

    Args:
        arrays: One for each input size, uint8 (n, size, size, 3), 0-255.
        start: The row of the first photo; the others follow.
        paths: The files of the photos.
        rules: How their pixels become those of the arrays.
    """
    for index, path in enumerate(paths, start):
        try:
            image = open_rgb(path, rules)
            for array in arrays:
                array[index] = resize_square(image, array.shape[1], rules)
        except _UNREADABLE as error:
            return DecodeFailure(index=index, reason=f"{type(error).__name__}: {error}")
    return None


class DecoderProcess:
    """A process that decodes into .npy files. It takes one order at a time: first `order`, then `answer`.

    Args:
        files: The .npy files, one for each input size.
        rules: How the pixels of photos become those of the files.
    """

    def __init__(self, files: Sequence[Path], rules: PhotoRules) -> None:
        known = [str(_PACKAGES), *filter(None, [os.environ.get("PYTHONPATH")])]
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "automl.images.decode"],  # -P: import nothing from the current folder
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, **_ONE_THREAD, "PYTHONPATH": os.pathsep.join(known)},
            text=True,
            process_group=0,  # Ctrl-C is for the parent, which then kills it
        )
        self._send({"files": [str(path) for path in files], "rules": asdict(rules)})

    def fileno(self) -> int:
        """A file descriptor that is readable once there is an answer, or the process has ended."""
        assert self._process.stdout
        return self._process.stdout.fileno()

    def order(self, start: int, paths: Sequence[str]) -> None:
        """Asks for `decode_into` with these arguments, and does not wait for it."""
        self._send({"start": start, "paths": list(paths)})

    def answer(self) -> DecodeFailure | None:
        """Waits for the order to be carried out, and returns what `decode_into` returned.

        Raises:
            RunFailed: The process has ended, most often because it was killed when memory ran out.
        """
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line:
            raise RunFailed(pixel_messages.READER_KILLED)
        failure = json.loads(line)
        return None if failure is None else DecodeFailure(index=failure["index"], reason=failure["reason"])

    def kill(self) -> None:
        """Ends the process at once, in the middle of its work."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.kill()
        self._process.wait()
        self._process.stdout.close()
        with suppress(BrokenPipeError):  # an order that it did not live to read
            self._process.stdin.close()

    def _send(self, message: Any) -> None:
        assert self._process.stdin
        try:
            self._process.stdin.write(json.dumps(message) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError as error:
            raise RunFailed(pixel_messages.READER_KILLED) from error


def main() -> None:
    """The process itself: orders come on standard input, answers go to standard output, each as a line of JSON.

    The first line has the .npy files and the rules.
    """
    orders: queue.SimpleQueue[Any] = queue.SimpleQueue()
    # A thread reads the orders: so the end of the parent is noticed also while a photo is being decoded.
    threading.Thread(target=_listen, args=(sys.stdin, orders), daemon=True).start()
    work = orders.get()
    arrays, rules = [np.load(path, mmap_mode="r+") for path in work["files"]], PhotoRules(**work["rules"])
    while True:
        order = orders.get()
        failure = decode_into(arrays, order["start"], order["paths"], rules=rules)
        sys.stdout.write(json.dumps(failure and {"index": failure.index, "reason": failure.reason}) + "\n")
        sys.stdout.flush()


def _listen(lines: IO[str], orders: "queue.SimpleQueue[Any]") -> None:
    for line in lines:
        orders.put(json.loads(line))
    os._exit(0)  # the parent has ended, so nobody waits for the photo that is being decoded


if __name__ == "__main__":
    main()
