"""Does the next pieces of work in a thread while the last one is being used."""

import queue
import threading
from collections.abc import Generator, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Generic, TypeVar

Item = TypeVar("Item")

_LOOK_EVERY_S = 0.1


@dataclass(frozen=True, slots=True)
class _Made(Generic[Item]):
    """An item of the iterator, its end, or what it raised."""

    item: Item | None = None
    error: BaseException | None = None
    is_end: bool = False


def made_ahead(items: Iterator[Item], n_ahead: int) -> Generator[Item, None, None]:
    """The same items; up to `n_ahead` of them, and one more, are made in a thread before they are asked for.

    What `items` raises is raised here, in its place. Closing the generator ends the thread.
    """
    made: queue.Queue[_Made[Item]] = queue.Queue(n_ahead)
    is_closed = threading.Event()
    maker = threading.Thread(target=_make, args=(items, made, is_closed), daemon=True, name="made-ahead")
    maker.start()
    try:
        while not (one := made.get()).is_end:
            if one.error is not None:
                raise one.error
            yield one.item  # type: ignore[misc]  # an item that is None is one of theirs
    finally:
        is_closed.set()
        maker.join()


def _make(items: Iterator[Item], made: "queue.Queue[_Made[Item]]", is_closed: threading.Event) -> None:
    try:
        for item in items:
            if not _put(_Made(item), made, is_closed):
                return
    except BaseException as error:  # noqa: BLE001 - it belongs to whoever asks for the next item
        _put(_Made(error=error), made, is_closed)
    else:
        _put(_Made(is_end=True), made, is_closed)


def _put(one: _Made[Item], made: "queue.Queue[_Made[Item]]", is_closed: threading.Event) -> bool:
    """Waits for room. Returns False where nobody wants the item any more."""
    while not is_closed.is_set():
        with suppress(queue.Full):
            made.put(one, timeout=_LOOK_EVERY_S)
            return True
    return False
