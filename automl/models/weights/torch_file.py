"""Tensors from a file in PyTorch's old format (before 1.6), without PyTorch and without running what the file says.

The format: four pickles (a magic number, a protocol version, facts on the machine, the object), a pickled list of
storage keys, then for each key its length in elements (int64) and its bytes. An ordinary unpickler would call any
function that the file names; this one knows four names and refuses the rest.
Source: `_legacy_load` in https://github.com/pytorch/pytorch/blob/main/torch/serialization.py
"""

from __future__ import annotations

import pickle
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO, Any

import numpy as np

from automl.errors import BadWeights
from automl.text.messages import weights as weights_messages

_MAGIC = 0x1950A86A20F9469CFC6C
_PROTOCOL = 1001


@dataclass(frozen=True, slots=True, kw_only=True)
class _Storage:
    """A run of numbers that tensors point into; its bytes come later in the file.

    Attributes:
        key: identifies it in the file.
        dtype: of the numbers.
        n_elements: the number of numbers.
    """

    key: str
    dtype: np.dtype[Any]
    n_elements: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tensor:
    """A tensor as the file describes it.

    Attributes:
        storage: where its numbers are.
        offset: of its first number in the storage, in elements.
        shape: its dimensions.
        strides: the distance of neighbours along each dimension, in elements.
    """

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    def read(self, values: np.ndarray) -> np.ndarray:
        """A copy of the tensor's numbers out of its storage's `values`."""
        last = self.offset + sum((n - 1) * step for n, step in zip(self.shape, self.strides, strict=True))
        if min((self.offset, *self.shape, *self.strides)) < 0 or (0 not in self.shape and last >= values.size):
            raise BadWeights(weights_messages.POINTS_OUTSIDE)
        strides = tuple(step * values.itemsize for step in self.strides)
        return np.lib.stride_tricks.as_strided(values[self.offset :], self.shape, strides, writeable=False).copy()


def _rebuild_tensor(  # the file calls it with these arguments by position
    storage: _Storage, offset: int, shape: tuple[int, ...], strides: tuple[int, ...], *_hooks: object
) -> _Tensor:
    if not isinstance(storage, _Storage):
        raise pickle.UnpicklingError(weights_messages.NO_STORAGE)
    return _Tensor(storage=storage, offset=int(offset), shape=tuple(map(int, shape)), strides=tuple(map(int, strides)))


_ALLOWED: dict[tuple[str, str], Any] = {
    ("collections", "OrderedDict"): OrderedDict,
    ("torch._utils", "_rebuild_tensor_v2"): _rebuild_tensor,
    ("torch", "FloatStorage"): np.dtype("<f4"),
    ("torch", "LongStorage"): np.dtype("<i8"),
}


class _TensorUnpickler(pickle.Unpickler):
    """Makes dictionaries, plain values and tensors, and refuses everything else."""

    def find_class(self, module_name: str, global_name: str, /) -> Callable[..., Any]:
        allowed: Callable[..., Any] | None = _ALLOWED.get((module_name, global_name))
        if allowed is None:
            raise pickle.UnpicklingError(weights_messages.FOREIGN_OBJECT.format(module=module_name, name=global_name))
        return allowed

    def persistent_load(self, pid: Any) -> _Storage:
        kind, dtype, key, _device, n_elements, view = pid
        if kind != "storage" or view is not None or not isinstance(dtype, np.dtype):
            raise pickle.UnpicklingError(weights_messages.UNKNOWN_STORAGE)
        return _Storage(key=str(key), dtype=dtype, n_elements=int(n_elements))


def read_tensors(file: IO[bytes]) -> dict[str, np.ndarray]:
    """Reads the tensors of a file as arrays by name.

    Raises:
        BadWeights: the file is truncated, has another format, or holds anything but named tensors.
    """
    try:
        if (_load(file), _load(file)) != (_MAGIC, _PROTOCOL):
            raise BadWeights(weights_messages.NOT_OLD_FORMAT)
        _load(file)
        tensors = _load(file)
        values = _read_storages(file, _load(file), tensors)
        return {str(name): tensor.read(values[tensor.storage.key]) for name, tensor in tensors.items()}
    except (pickle.UnpicklingError, EOFError, AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise BadWeights(weights_messages.NO_PLAIN_LIST.format(error=error)) from None


def _load(file: IO[bytes]) -> Any:
    return _TensorUnpickler(file).load()


def _read_storages(file: IO[bytes], keys: list[str], tensors: dict[str, _Tensor]) -> dict[str, np.ndarray]:
    storages = {tensor.storage.key: tensor.storage for tensor in tensors.values()}
    values: dict[str, np.ndarray] = {}
    for key in keys:
        storage = storages[key]
        n_elements = int.from_bytes(_exactly(file, 8), "little")
        if n_elements != storage.n_elements:
            raise BadWeights(weights_messages.LENGTHS_DIFFER)
        values[key] = np.frombuffer(_exactly(file, n_elements * storage.dtype.itemsize), storage.dtype)
    return values


def _exactly(file: IO[bytes], n_bytes: int) -> bytes:
    data = file.read(n_bytes)
    if len(data) != n_bytes:
        raise EOFError(weights_messages.ENDS_TOO_EARLY)
    return data
