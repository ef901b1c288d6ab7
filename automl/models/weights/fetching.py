"""Files from the network, with a short connect time-out: what cannot be reached must fail within seconds."""

import hashlib
import os
from pathlib import Path
from urllib.parse import urlsplit

import requests
import structlog

from automl.backbone_table import ArchiveSource, HubSource, KerasSource, Source
from automl.errors import BadWeights, SourceUnavailable

CONNECT_TIMEOUT_S = 3.0
READ_TIMEOUT_S = 60.0
HUB_CACHE_VARIABLE = "TFHUB_CACHE_DIR"
_CHUNK_BYTES = 1 << 20

_log = structlog.stdlib.get_logger(__name__)


def check_source(source: Source) -> None:
    """Raises SourceUnavailable where the host of a source does not answer, before anything heavy is imported for it."""
    match source:
        case HubSource():
            if not _is_in_hub_cache(source):
                check_reachable(source.handle)
        case KerasSource():
            check_reachable(source.url)
        case ArchiveSource():
            pass  # asking the index is the first step of the download, and as quick


def _is_in_hub_cache(source: HubSource) -> bool:
    """True where the user keeps modules of TensorFlow Hub in a folder of his own and this one is among them."""
    folder = os.environ.get(HUB_CACHE_VARIABLE)
    name = hashlib.sha1(source.handle.encode(), usedforsecurity=False).hexdigest()  # Hub's documented scheme
    return bool(folder) and Path(str(folder), name).is_dir()


def check_reachable(url: str) -> None:
    """Knocks at the host of `url`, through the proxy if the environment names one.

    Raises:
        SourceUnavailable: nobody answers within seconds.
    """
    parts = urlsplit(url)
    try:
        requests.head(f"{parts.scheme}://{parts.netloc}/", timeout=(CONNECT_TIMEOUT_S, 2 * CONNECT_TIMEOUT_S))
    except requests.RequestException as error:
        _log.debug("no answer", server=parts.netloc, reason=str(error))
        raise SourceUnavailable(f"{parts.hostname} cannot be reached from this machine") from None


def download(url: str, target: Path, session: requests.Session) -> None:
    """Writes what is at `url` to `target`.

    Raises:
        SourceUnavailable: no connection, no such file, or the transfer broke off.
        OSError: the file cannot be written.
    """
    try:
        with session.get(url, stream=True, timeout=(CONNECT_TIMEOUT_S, READ_TIMEOUT_S)) as response:
            response.raise_for_status()
            with target.open("wb") as file:
                for chunk in response.iter_content(_CHUNK_BYTES):
                    file.write(chunk)
    except requests.RequestException as error:
        _log.debug("download failed", url=url, reason=str(error))
        raise SourceUnavailable(f"the download from {urlsplit(url).hostname} failed") from None


def hash_file(path: Path, algorithm: str = "sha256") -> str:
    """The digest of a file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, algorithm).hexdigest()


def check_digest(path: Path, expected: str, algorithm: str = "sha256") -> None:
    """Raises BadWeights: these are not the bytes that this version of Darkroom was made for."""
    found = hash_file(path, algorithm)
    if found != expected:
        raise BadWeights(
            f"{path.name} is damaged or is another file than expected "
            f"(its {algorithm.upper()} is {found}, not {expected})"
        )
