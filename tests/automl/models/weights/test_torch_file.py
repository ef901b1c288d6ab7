import io
import os
import pickle
import sys
import types
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from automl.errors import BadWeights
from automl.models.weights.torch_file import read_tensors


class Stored:
    """Stands for a tensor: pickled as a call of PyTorch's own function, its numbers kept aside."""

    def __init__(self, values: np.ndarray, shape: tuple[int, ...], strides: tuple[int, ...], offset: int = 0) -> None:
        self.values, self.shape, self.strides, self.offset = values, shape, strides, offset

    def __reduce__(self) -> tuple[Any, ...]:
        rebuild = sys.modules["torch._utils"]._rebuild_tensor_v2
        return rebuild, (self.values, self.offset, self.shape, self.strides, False, OrderedDict())


class StoragePickler(pickle.Pickler):
    def __init__(self, file: io.BytesIO) -> None:
        super().__init__(file, protocol=2)
        self.storages: dict[str, np.ndarray] = {}

    def persistent_id(self, obj: Any) -> Any:
        if not isinstance(obj, np.ndarray):
            return None
        key = str(id(obj))
        self.storages[key] = obj
        return ("storage", sys.modules["torch"].FloatStorage, key, "cpu", obj.size, None)


@pytest.fixture
def torch_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """PyTorch is not needed to read its files, nor to write one in a test: only its names are."""
    torch, utils = types.ModuleType("torch"), types.ModuleType("torch._utils")
    torch.FloatStorage = type("FloatStorage", (), {"__module__": "torch"})

    def _rebuild_tensor_v2() -> None:
        pass

    _rebuild_tensor_v2.__module__ = "torch._utils"
    utils._rebuild_tensor_v2 = _rebuild_tensor_v2
    _rebuild_tensor_v2.__qualname__ = "_rebuild_tensor_v2"
    monkeypatch.setitem(sys.modules, "torch", torch)
    monkeypatch.setitem(sys.modules, "torch._utils", utils)


def write(content: object) -> bytes:
    file = io.BytesIO()
    for part in (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True}):
        pickle.dump(part, file, protocol=2)
    pickler = StoragePickler(file)
    pickler.dump(content)
    pickle.dump(list(pickler.storages), file, protocol=2)
    for values in pickler.storages.values():
        file.write(values.size.to_bytes(8, "little") + values.astype("<f4").tobytes())
    return file.getvalue()


@pytest.mark.usefixtures("torch_names")
def test_tensors_are_read_with_offset_and_strides() -> None:
    values = np.arange(8, dtype=np.float32)
    data = write(OrderedDict(plain=Stored(values, (2, 4), (4, 1)), part=Stored(values, (3, 2), (1, 3), offset=2)))
    tensors = read_tensors(io.BytesIO(data))
    np.testing.assert_array_equal(tensors["plain"], values.reshape(2, 4))
    np.testing.assert_array_equal(tensors["part"], [[2, 5], [3, 6], [4, 7]])


class Malicious:
    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.target),)


@pytest.mark.usefixtures("torch_names")
def test_a_file_that_calls_a_function_is_refused_and_the_function_is_not_called(tmp_path: Path) -> None:
    data = write(OrderedDict(weight=Malicious(tmp_path / "made")))
    with pytest.raises(BadWeights, match="mkdir has no place"):
        read_tensors(io.BytesIO(data))
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize("name", ["builtins.eval", "builtins.getattr", "torch.load", "collections.namedtuple"])
def test_only_the_names_of_tensors_are_known(name: str) -> None:
    module, function = name.split(".")
    data = write({"a": 1})
    harmful = data.replace(pickle.dumps({"a": 1}, protocol=2), b"\x80\x02c" + f"{module}\n{function}\n.".encode(), 1)
    assert harmful != data
    with pytest.raises(BadWeights, match="has no place"):
        read_tensors(io.BytesIO(harmful))


@pytest.mark.usefixtures("torch_names")
def test_a_truncated_file_is_refused() -> None:
    data = write(OrderedDict(weight=Stored(np.zeros(100, np.float32), (100,), (1,))))
    for n_bytes in (10, len(data) // 2, len(data) - 4):
        with pytest.raises(BadWeights):
            read_tensors(io.BytesIO(data[:n_bytes]))


@pytest.mark.usefixtures("torch_names")
@pytest.mark.parametrize(
    ("shape", "strides", "offset"),
    [((9,), (1,), 0), ((4,), (1,), 5), ((2, 2), (8, 1), 0), ((2,), (-1,), 4), ((-1,), (1,), 0)],
)
def test_a_tensor_that_points_outside_of_its_numbers_is_refused(
    shape: tuple[int, ...], strides: tuple[int, ...], offset: int
) -> None:
    data = write(OrderedDict(weight=Stored(np.zeros(8, np.float32), shape, strides, offset)))
    with pytest.raises(BadWeights, match="outside"):
        read_tensors(io.BytesIO(data))


def test_another_format_is_refused() -> None:
    with pytest.raises(BadWeights):
        read_tensors(io.BytesIO(b"PK\x03\x04 a file in PyTorch's new format"))
