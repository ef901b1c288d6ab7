"""How fast a network is, measured with batches as it will be given them."""

from pathlib import Path

import numpy as np
import pytest

from automl.backbone_table import BACKBONES
from automl.search.block import Block
from automl.search.speeds import BackboneSpeeds, Stopwatch, timed_per_image
from tests.automl.search.fakes import LITE2, V1, V2, weights_of


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


def test_a_machine_that_knows_nothing_times_the_first_network_and_foresees_the_others(tmp_path: Path) -> None:
    """Loading and timing every network would keep the very first user waiting for a first model."""
    loaded, device = [], Device()

    def load(name: str) -> Device:
        loaded.append(name)
        return device

    names = (V2, V1, LITE2)
    speeds = BackboneSpeeds(load, weights_of(*names), kept=tmp_path / "measured.json")
    seconds = [speeds.seconds_per_image(name) for name in names]
    assert loaded == [V2]
    expected = [BACKBONES[name].figures.relative_time for name in names]
    assert [one / seconds[0] for one in seconds] == pytest.approx(expected)


def test_what_the_photos_took_is_kept_for_the_next_run(tmp_path: Path) -> None:
    def speeds() -> BackboneSpeeds:
        return BackboneSpeeds(lambda _name: Device(), weights_of(V2, V1), kept=tmp_path / "measured.json")

    watch, run = Stopwatch(lambda _done, _total: None), speeds()
    for name, seconds in ((V2, 0.01), (V1, 0.015)):
        watch.seconds_per_row = seconds
        run.learn(Block(name, 224), watch)
    later = speeds()
    assert later.seconds_per_image(V1) / later.seconds_per_image(V2) == pytest.approx(1.5)


def test_small_pictures_say_nothing_of_large_ones(tmp_path: Path) -> None:
    watch = Stopwatch(lambda _done, _total: None)
    watch.seconds_per_row = 1.0
    speeds = BackboneSpeeds(lambda _name: Device(), weights_of(V2, V1), kept=tmp_path / "measured.json")
    speeds.learn(Block(V2, 96), watch)
    assert not (tmp_path / "measured.json").exists()
