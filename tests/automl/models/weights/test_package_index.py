import base64
import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest

from automl.backbone_table import ArchiveSource, Naming
from automl.errors import BadWeights, SourceUnavailable
from automl.models.weights.package_index import PackageIndex
from tests.automl.models.weights.loopback import Loopback

CONTENT = b"an archive, which is data here"
SOURCE = ArchiveSource(
    package="Some_Package",
    version="1.0",
    filename="some_package-1.0.tar.gz",
    sha256=hashlib.sha256(CONTENT).hexdigest(),
    member="some_package-1.0/weights.pth",
    naming=Naming.TORCH_LITE,
    licence="MIT",
)


@pytest.fixture
def index(loopback: Loopback) -> PackageIndex:
    links = [f'<a href="../../files/{name}">{name}</a>' for name in ("other-1.0.tar.gz", SOURCE.filename)]
    loopback.files["/simple/some-package/"] = "".join(links).encode()
    loopback.files[f"/files/{SOURCE.filename}"] = CONTENT
    return PackageIndex(urls=(f"{loopback.url}/empty/", f"{loopback.url}/simple/"))


def test_the_archive_comes_from_the_first_index_that_has_it(index: PackageIndex, tmp_path: Path) -> None:
    assert index.fetch(SOURCE, tmp_path).read_bytes() == CONTENT


def test_a_wrong_checksum_is_refused(index: PackageIndex, tmp_path: Path) -> None:
    with pytest.raises(BadWeights, match="damaged or is another file"):
        index.fetch(replace(SOURCE, sha256="0" * 64), tmp_path)


def login(name: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()


def test_an_index_gets_the_name_and_password_of_its_url(
    index: PackageIndex, loopback: Loopback, tmp_path: Path
) -> None:
    with pytest.raises(SourceUnavailable, match="cannot be reached"):
        loopback.login = login("me", "my secret")
        index.fetch(SOURCE, tmp_path)
    with_login = replace(index, urls=(f"{loopback.url.replace('://', '://me:my%20secret@')}/simple",))
    assert with_login.fetch(SOURCE, tmp_path).read_bytes() == CONTENT


def test_an_index_gets_the_name_and_password_of_the_users_netrc(
    index: PackageIndex, loopback: Loopback, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password secret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    loopback.login = login("me", "secret")
    assert index.fetch(SOURCE, tmp_path).read_bytes() == CONTENT


def test_an_index_may_answer_in_json(index: PackageIndex, loopback: Loopback, tmp_path: Path) -> None:
    file = {"filename": SOURCE.filename, "url": f"../../files/{SOURCE.filename}", "hashes": {}}
    page = {"meta": {"api-version": "1.0"}, "name": "some-package", "files": [file]}
    loopback.files["/simple/some-package/"] = json.dumps(page).encode()
    loopback.kinds["/simple/some-package/"] = "application/vnd.pypi.simple.v1+json"
    assert index.fetch(SOURCE, tmp_path).read_bytes() == CONTENT


@pytest.mark.parametrize("kind", ["application/vnd.pypi.simple.v1+json", "image/png"])
def test_what_is_no_page_of_an_index_is_named(
    index: PackageIndex, loopback: Loopback, tmp_path: Path, kind: str
) -> None:
    loopback.kinds["/simple/some-package/"] = kind
    with pytest.raises(SourceUnavailable, match="is not a package index"):
        index.fetch(SOURCE, tmp_path)


@pytest.mark.parametrize("missing", [{"package": "unknown"}, {"filename": "some_package-2.0.tar.gz"}])
def test_an_index_without_the_archive_is_named(index: PackageIndex, tmp_path: Path, missing: dict[str, str]) -> None:
    with pytest.raises(SourceUnavailable, match=r"127\.0\.0\.1 does not have"):
        index.fetch(replace(SOURCE, **missing), tmp_path)


def test_an_archive_in_a_local_folder_needs_no_network(tmp_path: Path) -> None:
    (tmp_path / "wheels").mkdir()
    (tmp_path / "wheels" / SOURCE.filename).write_bytes(CONTENT)
    index = PackageIndex(urls=(), folders=(tmp_path / "nowhere", tmp_path / "wheels"))
    assert index.fetch(SOURCE, tmp_path).read_bytes() == CONTENT


def test_pips_configuration_is_understood() -> None:
    text = """global.cert='/etc/ca.crt'
global.index-url='https://one.example/simple'
global.find-links='file:///srv/my%20wheels /srv/more'
download.index-url='https://two.example/simple'
:env:.extra-index-url='https://three.example/simple file:///srv/simple'
"""
    index = PackageIndex.from_config(text)
    assert index.urls == ("https://two.example/simple", "https://three.example/simple")
    assert index.folders == (Path("/srv/my wheels"), Path("/srv/more"))
    assert index.cert == "/etc/ca.crt"


def test_the_environment_is_asked_through_pip(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "https://mirror.example/simple")
    assert PackageIndex.from_pip().urls[0] == "https://mirror.example/simple"


def test_without_configuration_it_is_pypi() -> None:
    assert PackageIndex.from_config("").urls == ("https://pypi.org/simple/",)


def test_no_index_means_none(tmp_path: Path) -> None:
    with pytest.raises(SourceUnavailable, match="no package index"):
        PackageIndex.from_config("global.no-index='true'").fetch(SOURCE, tmp_path)
