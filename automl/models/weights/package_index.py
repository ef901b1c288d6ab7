"""Archives from whichever package index pip is configured with. They are data here: never installed, never built.

`pip download` would run the `setup.py` of a source archive, so the index's own page of links is read instead.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from ast import literal_eval
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

import requests
import structlog
from pypi_simple import (
    NoSuchProjectError,
    PyPISimple,
    UnsupportedContentTypeError,
    UnsupportedRepoVersionError,
)

from automl.backbone_table import ArchiveSource
from automl.errors import SourceUnavailable
from automl.models.weights.fetching import CONNECT_TIMEOUT_S, READ_TIMEOUT_S, check_digest, download

_PYPI = "https://pypi.org/simple/"
_SECTIONS = ("global", "download", ":env:")
"""Of pip's configuration; the later one wins."""

_log = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class PackageIndex:
    """pip's configuration, as far as it says where packages are.

    urls: index pages, in order. folders: local folders of archives (`find-links`). cert: a file of certificates that
    are trusted, or empty. proxy: a URL, or empty.
    """

    urls: tuple[str, ...] = (_PYPI,)
    folders: tuple[Path, ...] = ()
    cert: str = ""
    proxy: str = ""

    @classmethod
    def from_pip(cls) -> PackageIndex:
        """Reads `pip config list`, which covers pip's files and PIP_* variables."""
        command = [sys.executable, "-m", "pip", "config", "list", "--disable-pip-version-check"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            _log.warning("pip does not print its configuration", used=_PYPI, reason=done.stderr.strip())
        return cls.from_config(done.stdout)

    @classmethod
    def from_config(cls, text: str) -> PackageIndex:
        """Takes lines such as `global.index-url='https://...'`."""
        values: dict[str, str] = {}
        rows = [line.partition("=") for line in text.splitlines()]
        for section in _SECTIONS:
            for key, _, value in rows:
                if key.startswith(f"{section}."):
                    values[key.removeprefix(f"{section}.")] = str(literal_eval(value))
        urls = [values.get("index-url", _PYPI), *values.get("extra-index-url", "").split()]
        if values.get("no-index", "").lower() in ("1", "true", "yes", "on"):
            urls = []
        return cls(
            urls=tuple(url for url in urls if urlsplit(url).scheme in ("http", "https")),
            folders=tuple(_local_folder(link) for link in values.get("find-links", "").split()),
            cert=values.get("cert", ""),
            proxy=values.get("proxy", ""),
        )

    def fetch(self, source: ArchiveSource, folder: Path) -> Path:
        """The archive of `source`, its checksum verified; it is written under `folder`.

        Raises:
            SourceUnavailable: no index that can be reached has it.
            BadWeights: the bytes are not those that are expected.
            OSError: the file cannot be written.
        """
        target = folder / source.filename
        for local in self.folders:
            if (local / source.filename).is_file():
                shutil.copyfile(local / source.filename, target)
                check_digest(target, source.sha256)
                return target
        with requests.Session() as session:
            session.verify = self.cert or True
            session.proxies = {"http": self.proxy, "https": self.proxy} if self.proxy else {}
            download(self._find(source, session), target, session)
        check_digest(target, source.sha256)
        return target

    def _find(self, source: ArchiveSource, session: requests.Session) -> str:
        """The URL of the archive on the first index that has it."""
        problems = []
        for url in self.urls:
            host = urlsplit(url).hostname
            try:
                page = PyPISimple(url, session=session).get_project_page(
                    source.package, timeout=(CONNECT_TIMEOUT_S, READ_TIMEOUT_S)
                )
            except NoSuchProjectError:
                problems.append(f"{host} does not have {source.package}")
            except (requests.RequestException, UnsupportedContentTypeError, UnsupportedRepoVersionError) as error:
                _log.debug("the package index failed", host=host, reason=str(error))
                problems.append(f"{host} cannot be reached or is not a package index")
            else:
                links = [package.url for package in page.packages if package.filename == source.filename]
                if links:
                    return links[0]
                problems.append(f"{host} does not have {source.filename}")
        raise SourceUnavailable("; ".join(problems) or "pip is configured to use no package index")


def _local_folder(link: str) -> Path:
    parts = urlsplit(link)
    return Path(unquote(parts.path)) if parts.scheme == "file" else Path(link)
