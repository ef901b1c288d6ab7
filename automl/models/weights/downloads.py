"""Files from the network, with a short connect time-out: what cannot be reached must fail within seconds."""

import hashlib
import netrc
import os
import ssl
from collections.abc import Generator, Iterable
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import structlog

from automl.backbone_table import ArchiveSource, HubSource, KerasSource, Source
from automl.errors import BadWeights, SourceUnavailable
from automl.text.messages import weights as weights_messages

CONNECT_TIMEOUT_S = 3.0
READ_TIMEOUT_S = 60.0
HUB_CACHE_VARIABLE = "TFHUB_CACHE_DIR"

_CA_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
"""Name a file of trusted certificates beside httpx's own SSL_CERT_FILE; pip and curl know them too."""

NETWORK_ERRORS = (httpx.HTTPError, httpx.InvalidURL)
"""What httpx raises where there is no connection, no such file, or the transfer broke off."""

_log = structlog.stdlib.get_logger(__name__)


class Credentials(httpx.Auth):
    """Logs in with the user's netrc file, or else with the name and password that an index URL holds.

    Requests are made without the name and password in their URL, so that no log shows them; links of the index to files
    on the same host are given them, too.

    Args:
        urls: the URLs that may hold names and passwords.
    """

    def __init__(self, urls: Iterable[str] = ()) -> None:
        known = [httpx.URL(url) for url in urls]
        self._logins = {url.netloc: (url.username, url.password) for url in known if url.userinfo}

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """See `httpx.Auth`."""
        login = _netrc_login(request.url.host) or self._logins.get(request.url.netloc)
        if login is None:
            yield request
        else:
            yield from httpx.BasicAuth(*login).auth_flow(request)


def _netrc_login(host: str) -> tuple[str, str] | None:
    """Name and password for a host from the file that NETRC names, or `~/.netrc`; a file that is damaged has none."""
    path = Path(os.environ.get("NETRC") or "~/.netrc").expanduser()
    try:
        entry = netrc.netrc(path).authenticators(host)
    except (OSError, netrc.NetrcParseError):
        return None
    return None if entry is None else (entry[0] or entry[1] or "", entry[2] or "")


def open_client(*, cert: str = "", proxy: str = "", auth: httpx.Auth | None = None) -> httpx.Client:
    """An HTTP client that gives up soon where no connection is made.

    Args:
        cert: a file of trusted certificates; empty for those of the environment.
        proxy: a URL; empty for the proxy of the environment.
        auth: how to log in; by the user's netrc file by default.
    """
    return httpx.Client(
        auth=auth or Credentials(),
        verify=_trusted(cert),
        proxy=proxy or None,
        timeout=httpx.Timeout(READ_TIMEOUT_S, connect=CONNECT_TIMEOUT_S),
        follow_redirects=True,
    )


def _trusted(cert: str) -> ssl.SSLContext | bool:
    for path in (cert, *(os.environ.get(name, "") for name in _CA_VARIABLES)):
        if path:
            is_folder = Path(path).is_dir()
            return ssl.create_default_context(cafile=None if is_folder else path, capath=path if is_folder else None)
    return True


def check_source(source: Source) -> None:
    """Asks the host of a source for an answer, before anything heavy is imported for it.

    Raises:
        SourceUnavailable: the host does not answer within seconds.
    """
    match source:
        case HubSource():
            if not _is_in_hub_cache(source):
                check_reachable(source.handle)
        case KerasSource():
            check_reachable(source.url)
        case ArchiveSource():
            pass  # asking the index is the first step of the download, and as quick


def _is_in_hub_cache(source: HubSource) -> bool:
    """Whether the user keeps modules of TensorFlow Hub in a folder of their own and this one is among them."""
    folder = os.environ.get(HUB_CACHE_VARIABLE)
    name = hashlib.sha1(source.handle.encode(), usedforsecurity=False).hexdigest()  # Hub's documented scheme
    return bool(folder) and Path(str(folder), name).is_dir()


def check_reachable(url: str) -> None:
    """Asks the host of `url` for an answer, through the proxy if the environment names one.

    Raises:
        SourceUnavailable: there is no answer within seconds.
    """
    parts = urlsplit(url)
    timeout = httpx.Timeout(2 * CONNECT_TIMEOUT_S, connect=CONNECT_TIMEOUT_S)
    try:
        with open_client() as client:
            client.head(f"{parts.scheme}://{parts.netloc}/", timeout=timeout, follow_redirects=False)
    except NETWORK_ERRORS as error:
        _log.debug("no answer", server=parts.netloc, reason=str(error))
        raise SourceUnavailable(weights_messages.HOST_UNREACHABLE.format(host=parts.hostname)) from None


def download(url: str, target: Path, client: httpx.Client) -> None:
    """Writes what is at `url` to `target`.

    Raises:
        SourceUnavailable: there is no connection or no such file, or the transfer broke off.
        OSError: the file cannot be written.
    """
    try:
        with client.stream("GET", url) as response:
            response.raise_for_status()
            with target.open("wb") as file:
                for chunk in response.iter_bytes():
                    file.write(chunk)
    except NETWORK_ERRORS as error:
        _log.debug("download failed", url=url, reason=str(error))
        raise SourceUnavailable(weights_messages.DOWNLOAD_FAILED.format(host=urlsplit(url).hostname)) from None


def hash_file(path: Path, algorithm: str = "sha256") -> str:
    """The digest of a file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, algorithm).hexdigest()


def check_digest(path: Path, expected: str, algorithm: str = "sha256") -> None:
    """Compares the digest of a file with the expected one, both in hexadecimal.

    Raises:
        BadWeights: these are not the bytes that this version of Darkroom was made for.
    """
    found = hash_file(path, algorithm)
    if found != expected:
        raise BadWeights(
            weights_messages.OTHER_FILE.format(
                name=path.name, algorithm=algorithm.upper(), found=found, expected=expected
            )
        )
