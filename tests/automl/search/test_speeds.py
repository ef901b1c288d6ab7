"""How fast a network is, measured with batches as it will be given them."""

from pathlib import Path

import numpy as np
import pytest

from automl.search.speeds import BackboneSpeeds, timed_per_image
from tests.automl.search.fakes import weights_of


class Device:
    """Stands for a network on a GPU with memory for `room` images."""

    tap_widths, batch, timed_batch = (3,), 16, 16

    def __init__(self, room: int = 16) -> None:
        self.room = room
        self.batches: list[int] = []

    def __call__(self, images: np.ndarray) -> np.ndarray:
        if len(images) > self.room:
            raise MemoryError
        self.batches.append(len(images))
        return np.zeros((len(images), 3), np.float32)


def test_a_network_is_timed_once_with_whole_batches(tmp_path: Path) -> None:
    device = Device()
    speeds = BackboneSpeeds(lambda _name: device, {"a": weights_of("a")}, kept=tmp_path / "measured.json")
    assert speeds.seconds_per_image("a") == speeds.seconds_per_image("a") > 0
    assert device.batches == [16] * 3


def test_a_batch_that_does_not_fit_is_halved() -> None:
    device = Device(room=5)
    timed_per_image(device, np.zeros((16, 2, 2, 3), np.uint8))
    assert device.batches == [4] * 3
    with pytest.raises(MemoryError):
        timed_per_image(Device(room=0), np.zeros((2, 2, 2, 3), np.uint8))
