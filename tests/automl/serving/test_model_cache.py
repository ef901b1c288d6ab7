"""Few models stay open, each is opened once, and what cannot be opened is asked for again."""

import gc
import threading
import time
import weakref

import pytest

from automl.errors import BadBundle
from automl.serving.model_cache import ModelCache
from tests.automl.serving.tiny_model import tiny_model


class Source:
    """Counts how often a model is read. `wait_s`: how long that takes."""

    def __init__(self, model: bytes = b"", wait_s: float = 0.0) -> None:
        self.model, self.wait_s, self.n_reads = model or tiny_model(), wait_s, 0

    def __call__(self) -> bytes:
        self.n_reads += 1
        time.sleep(self.wait_s)
        return self.model


def test_the_one_that_nobody_asked_for_longest_goes() -> None:
    cache, source = ModelCache(max_models=2), Source()
    for key in ("a", "b", "a", "c", "a"):
        cache.get(key, source)
    assert (len(cache), source.n_reads) == (2, 3)
    cache.get("b", source)
    assert source.n_reads == 4


def test_large_ones_go_earlier_but_the_one_that_is_asked_stays() -> None:
    cache, source = ModelCache(max_bytes=10), Source()
    cache.get("a", source)
    assert cache.get("b", source) is cache.get("b", source)
    assert (len(cache), source.n_reads) == (1, 2)


def test_a_model_with_heat_maps_counts_twice() -> None:
    cache, source, prepared = ModelCache(), Source(), []
    model = cache.get("a", source)
    before = model.n_bytes
    explained = model.explained(source, prepared.append)
    assert model.explained(source, prepared.append) is explained
    assert (prepared, model.n_bytes) == ([explained], 2 * before)


def test_threads_that_ask_at_once_share_one_opening() -> None:
    cache, source, found = ModelCache(), Source(wait_s=0.1), []
    threads = [threading.Thread(target=lambda: found.append(cache.get("a", source))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert source.n_reads == 1
    assert len({id(model) for model in found}) == 1


def test_a_slow_one_does_not_hold_up_another() -> None:
    cache, slow = ModelCache(), Source(wait_s=5)
    thread = threading.Thread(target=cache.get, args=("slow", slow), daemon=True)
    thread.start()
    before = time.monotonic()
    cache.get("quick", Source())
    assert time.monotonic() - before < 3
    thread.join()


def test_what_cannot_be_opened_is_read_again_next_time() -> None:
    cache = ModelCache()
    with pytest.raises(BadBundle, match="damaged"):
        cache.get("a", Source(b"no model"))
    assert len(cache) == 0
    assert cache.get("a", Source()).classifier.labels == ("red", "green", "blue")


def test_a_model_that_has_no_heat_maps_is_not_opened_for_them_twice() -> None:
    source = Source(tiny_model(has_taps=False))
    model = ModelCache().get("a", source)
    for _ in range(2):
        with pytest.raises(BadBundle, match="Heat maps cannot be drawn"):
            model.explained(source, lambda opened: None)
    assert source.n_reads == 2


def test_a_refused_heat_map_keeps_no_photo_alive() -> None:
    class Photo:
        pass

    model = ModelCache().get("a", Source(tiny_model(has_taps=False)))

    def ask(photo: Photo) -> None:
        with pytest.raises(BadBundle):
            model.explained(Source(tiny_model(has_taps=False)), lambda opened: None)

    photos = [Photo() for _ in range(3)]
    left = [weakref.ref(photo) for photo in photos]
    for photo in photos:
        ask(photo)
    del photo, photos
    gc.collect()
    assert [one() for one in left] == [None] * 3
