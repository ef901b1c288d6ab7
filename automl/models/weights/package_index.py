"""Archives from whichever package index pip is configured with. They are data here: never installed, never built.

`pip download` would run the `setup.py` of a source archive, so the index's own page of links is read instead.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from ast import literal_eval
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

import httpx
import structlog
from pypi_simple import ACCEPT_ANY, ProjectPage, UnsupportedContentTypeError, UnsupportedRepoVersionError

from automl.backbone_table import ArchiveSource
from automl.errors import SourceUnavailable
from automl.models.weights.downloads import NETWORK_ERRORS, Credentials, check_digest, download, open_client
from automl.text.messages import weights as weights_messages

_PYPI = "https://pypi.org/simple/"
_SECTIONS = ("global", "download", ":env:")
"""The sections of pip's configuration that count here; a later one overrides an earlier one."""

_log = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageIndex:
    """pip's configuration, as far as it says where packages are.

    Attributes:
        urls: the index pages, in order; they may hold a name and a password.
        folders: local folders of archives (`find-links`).
        cert: a file of trusted certificates, or empty.
        proxy: a URL, or empty.
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
        with open_client(cert=self.cert, proxy=self.proxy, auth=Credentials(self.urls)) as client:
            download(self._find(source, client), target, client)
        check_digest(target, source.sha256)
        return target

    def _find(self, source: ArchiveSource, client: httpx.Client) -> str:
        """The URL of the archive on the first index that has it."""
        problems = []
        for url in self.urls:
            host = urlsplit(url).hostname
            try:
                page = _project_page(url, source.package, client)
            except (*NETWORK_ERRORS, ValueError, UnsupportedRepoVersionError) as error:
                _log.debug("the package index failed", host=host, reason=str(error))
                problems.append(weights_messages.NO_PACKAGE_INDEX.format(host=host))
                continue
            if page is None:
                problems.append(weights_messages.PACKAGE_NOT_THERE.format(host=host, name=source.package))
                continue
            links = [package.url for package in page.packages if package.filename == source.filename]
            if links:
                return links[0]
            problems.append(weights_messages.PACKAGE_NOT_THERE.format(host=host, name=source.filename))
        raise SourceUnavailable("; ".join(problems) or weights_messages.INDEX_SWITCHED_OFF)


def _project_page(index_url: str, package: str, client: httpx.Client) -> ProjectPage | None:
    """The index's page of links to the files of a package; None where the index does not have the package.

    Raises:
        httpx.HTTPError, httpx.InvalidURL: the page cannot be had.
        ValueError, UnsupportedRepoVersionError: it is not a page of a package index.
    """
    index = httpx.URL(index_url).copy_with(userinfo=b"")  # `Credentials` has the name and the password
    normalised = re.sub(r"[-_.]+", "-", package).lower()  # as PEP 503 prescribes
    response = client.get(f"{str(index).rstrip('/')}/{normalised}/", headers={"Accept": ACCEPT_ANY})
    if response.status_code == httpx.codes.NOT_FOUND:
        return None
    response.raise_for_status()
    return _parsed(response, package)


def _parsed(response: httpx.Response, package: str) -> ProjectPage:
    """Parses the page in the form that the index has chosen, HTML or JSON."""
    url = str(response.url)  # after redirects: links are relative to it
    kind = response.headers.get("content-type", "text/html").partition(";")[0].strip().lower()
    match kind:
        case "application/vnd.pypi.simple.v1+json":
            return ProjectPage.from_json_data(response.json(), url)
        case "application/vnd.pypi.simple.v1+html" | "text/html":
            return ProjectPage.from_html(package, response.content, url, response.charset_encoding)
    raise UnsupportedContentTypeError(url, kind)


def _local_folder(link: str) -> Path:
    parts = urlsplit(link)
    return Path(unquote(parts.path)) if parts.scheme == "file" else Path(link)
