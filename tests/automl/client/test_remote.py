"""`automl upload`, against a real web server whose worker the tests play."""

import socket
import threading
from pathlib import Path

import pytest
from werkzeug.serving import make_server

from automl.cli import main
from automl.client import remote as module
from automl.client.remote import Remote
from automl.client.upload_form import local_files
from automl.errors import BadSetting, BadUpload
from automl.records import DatasetState, DatasetSummary, TokenScope
from automl.settings import load_settings
from automl.store.api_tokens import make_token
from automl.store.tables import Base, Dataset
from server import create_app
from server.uploads import receive
from tests.server.conftest import World
from tests.server.people import add_person


class Site(World):
    """A server at `url`. `message`: why a check finds the photos unusable. `n_broken`: uploads to cut off.

    `n_unanswered`: uploads that are taken, but nobody hears of it.
    """

    url = ""
    message = ""
    n_broken = 0
    n_unanswered = 0

    def check(self, _task: str, dataset_id: str) -> None:
        with self.database.session() as session:
            dataset = session.get_one(Dataset, dataset_id)
            dataset.state = DatasetState.INVALID if self.message else DatasetState.READY
            dataset.message, dataset.summary = self.message, DatasetSummary(verdict="6 photos, 2 classes, ready")

    def wsgi(self, environ, start_response):
        is_upload = environ["PATH_INFO"].endswith("/files")
        if is_upload and self.n_broken > 0:
            self.n_broken -= 1
            cut(environ)
        answer = self.app.wsgi_app(environ, start_response)
        if is_upload and self.n_unanswered > 0:
            self.n_unanswered -= 1
            cut(environ)
        return answer

    def all_files(self):
        with self.database.session() as session:
            dataset = session.query(Dataset).one()
        return {file.name: file for file in self.files(dataset.id)}


def cut(environ):
    """Closes the connection, as a server that is killed does."""
    environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
    raise ConnectionAbortedError("the test has cut the line")


@pytest.fixture
def site(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "WAITS_S", (0.01, 0.02))
    monkeypatch.setattr(module, "POLL_S", 0.01)
    settings = load_settings({"DARKROOM_HOME": str(tmp_path / "home")})
    app = create_app(settings, lambda task, *ids: site.check(task, *ids))
    site = Site(app, settings, None)
    Base.metadata.create_all(site.database.engine)
    server = make_server("127.0.0.1", 0, site.wsgi, threaded=True)
    server.daemon_threads = False
    site.url = f"http://127.0.0.1:{server.port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield site
    server.shutdown()
    thread.join()
    server.server_close()
    site.database.close()


@pytest.fixture
def flowers(tmp_path):
    for label in ("rose", "tulip"):
        (tmp_path / "flowers" / label).mkdir(parents=True)
        for i in range(3):
            (tmp_path / "flowers" / label / f"{i}.jpg").write_bytes(f"{label} {i}".encode())
    return tmp_path / "flowers"


@pytest.fixture
def taken(monkeypatch):
    """The names of the files that the server reads."""
    names = []
    add = receive._Batch.add

    def remember(self, name, *rest):
        names.append(name)
        add(self, name, *rest)

    monkeypatch.setattr(receive._Batch, "add", remember)
    return names


def upload(site, *arguments):
    return main(["upload", *map(str, arguments), "--to", site.url])


def page_of(site, dataset_id=None):
    with site.database.session() as session:
        return f"{site.url}/datasets/{dataset_id or session.query(Dataset).one().id}"


def test_a_folder_is_sent_and_checked_and_its_page_named(site, flowers, capfd):
    assert upload(site, flowers) == 0
    shown = capfd.readouterr()
    assert shown.out == f"{page_of(site)}\n"
    assert "6 photos, 2 classes, ready" in shown.err
    assert list(site.all_files()) == [f"flowers/{label}/{i}.jpg" for label in ("rose", "tulip") for i in range(3)]
    with site.store.open(site.all_files()["flowers/tulip/2.jpg"].key) as stored:
        assert stored.read() == b"tulip 2"


def test_ctrl_c_during_the_check_cancels_it_and_the_same_command_goes_on(site, flowers, capfd, monkeypatch):
    monkeypatch.setattr(Site, "check", lambda *_: None)

    call = Remote._call

    def interrupted(self, method, path, **how):
        if method == "GET":  # it asks how far the check is
            raise KeyboardInterrupt
        return call(self, method, path, **how)

    monkeypatch.setattr(Remote, "_call", interrupted)
    assert upload(site, flowers) == 130
    shown = capfd.readouterr().err
    assert "The check was cancelled." in shown and "--to" in shown
    with site.database.session() as session:
        assert session.query(Dataset).one().state is DatasetState.UPLOADING
    assert len(site.all_files()) == 6


@pytest.mark.parametrize("name", ["pets.zip", "pets.tar", "pets.tar.gz"])
def test_an_archive_is_sent_as_it_is_and_gives_its_name(site, tmp_path, name):
    (tmp_path / name).write_bytes(bytes(3 << 20))
    assert upload(site, tmp_path / name) == 0
    assert site.all_files()[name].n_bytes == 3 << 20
    with site.database.session() as session:
        assert session.query(Dataset).one().name == "pets"


def test_many_files_arrive_in_several_batches(site, tmp_path):
    (tmp_path / "a").mkdir()
    for i in range(130):
        (tmp_path / "a" / f"{i}.jpg").write_text(str(i))
    assert upload(site, tmp_path / "a", "--name", "many") == 0
    assert len(site.all_files()) == 130


def test_an_upload_that_is_repeated_sends_only_the_rest(site, flowers, taken):
    upload(site, flowers / "rose")
    taken.clear()
    (flowers / "rose" / "1.jpg").write_bytes(b"rosa 1")  # as long as before
    (flowers / "rose" / "new.jpg").write_bytes(b"rose 9")
    assert main(["upload", str(flowers / "rose"), "--to", page_of(site)]) == 0
    assert sorted(taken) == ["rose/1.jpg", "rose/new.jpg"]


def test_photos_for_a_class(site, flowers):
    assert upload(site, flowers / "rose" / "0.jpg", flowers / "tulip" / "1.jpg", "--label", "weed") == 0
    assert {name: file.given_label for name, file in site.all_files().items()} == {"0.jpg": "weed", "1.jpg": "weed"}


def test_names_arrive_as_they_are(site, tmp_path):
    names = ["the %22best%22 one.jpg", "back\\slash.jpg", "end\\", "🌹 röse.jpg", "a;b=c.jpg", "line\nbreak.jpg"]
    (tmp_path / "a").mkdir()
    for name in [*names, b"no \xff utf-8.jpg".decode(errors="surrogateescape"), ".DS_Store"]:
        (tmp_path / "a" / name).write_text("x")
    upload(site, tmp_path / "a")
    expected = [*names[1:5], 'the "best" one.jpg', "line�break.jpg", "no � utf-8.jpg"]
    assert set(site.all_files()) == {f"a/{name}" for name in expected}


def test_a_connection_that_is_lost_is_tried_again(site, flowers, capfd):
    site.n_broken = 2
    assert upload(site, flowers) == 0
    assert "Trying again in 0.01 s" in capfd.readouterr().err
    assert len(site.all_files()) == 6


def test_an_upload_whose_answer_is_lost_is_kept_once(site, flowers, taken):
    site.n_unanswered = 1
    assert upload(site, flowers) == 0
    assert (len(taken), len(site.all_files()), len(site.stored_files())) == (12, 6, 6)


def test_a_server_that_stays_away_is_told_with_how_to_go_on(site, flowers, capfd):
    site.n_broken = 99
    assert upload(site, flowers) == 2
    shown = " ".join(capfd.readouterr().err.split())
    assert "cannot be reached any more" in shown and "--to http" in shown
    site.n_broken = 0
    assert main(["upload", str(flowers), "--to", page_of(site)]) == 0
    assert len(site.all_files()) == 6


def test_progress_counts_each_byte_once_also_after_a_loss(site, flowers):
    site.n_broken = 1
    remote, files, n_bytes = Remote(site.url, lambda _: None), local_files([flowers])[0], []
    remote.create("flowers")
    remote.send(files, n_bytes.append)
    assert sum(n_bytes) == sum(file.n_bytes for file in files)


def test_photos_that_cannot_be_used_are_explained(site, flowers, capfd):
    site.message = "Only one kind."
    assert upload(site, flowers) == 2
    assert "Only one kind." in capfd.readouterr().err


def test_what_the_server_refuses_is_told_in_its_words(site, flowers, capfd):
    assert upload(site, flowers, "--label", "a/b") == 2
    assert "no slash" in capfd.readouterr().err


@pytest.mark.parametrize("address", ["http://127.0.0.1:9", "127.0.0.1:8000", "ftp://x", "http://", "http://a b"])
def test_an_address_where_no_darkroom_is(address):
    with pytest.raises(BadSetting):
        Remote(address, lambda _: None)


def test_a_data_set_that_is_not_there(site, flowers, capfd):
    assert main(["upload", str(flowers), "--to", f"{site.url}/datasets/nope"]) == 2
    assert "no such data set" in capfd.readouterr().err


def test_where_people_sign_in_a_token_is_sent(site, flowers, capfd, monkeypatch):
    owner_id = add_person(site, "ann")
    with site.database.session() as session:
        token = make_token(session, owner_id, name="lab", scope=TokenScope.WRITE, days=1)
    assert upload(site, flowers) == 2
    assert "set DARKROOM_TOKEN" in " ".join(capfd.readouterr().err.split())
    monkeypatch.setenv("DARKROOM_TOKEN", token)
    assert upload(site, flowers) == 0
    assert len(site.all_files()) == 6
    with site.database.session() as session:
        assert session.query(Dataset).one().owner_id == owner_id


def test_a_file_that_changes_while_it_is_sent(site, flowers):
    files = local_files([flowers])[0]
    remote = Remote(site.url, lambda _: None)
    remote.create("flowers")
    for content in (b"", b"longer than before"):
        (flowers / "rose" / "0.jpg").write_bytes(content)
        with pytest.raises(BadUpload, match="changed while"):
            Remote(page_of(site), lambda _: None).send(files, lambda _: None)


class TestLocalFiles:
    def test_several_folders_keep_their_names(self, flowers):
        names = [file.name for file in local_files([flowers / "tulip", flowers / "rose"])[0]]
        assert names == [f"{label}/{i}.jpg" for label in ("rose", "tulip") for i in range(3)]

    def test_a_folder_is_called_by_its_own_name_wherever_one_stands(self, flowers, monkeypatch):
        monkeypatch.chdir(flowers / "rose")
        assert local_files([Path()])[0][0].name == "rose/0.jpg"

    def test_a_link_that_leads_back_up_ends(self, flowers):
        (flowers / "rose" / "loop").symlink_to(flowers)
        (flowers / "broken.jpg").symlink_to("nowhere")
        files, refused = local_files([flowers])
        assert len(files) == 6
        assert [file.name for file in refused] == ["flowers/broken.jpg"]

    @pytest.mark.parametrize("name", ["nowhere", "empty"])
    def test_nothing_to_send_is_explained(self, tmp_path, name):
        (tmp_path / "empty").mkdir()
        with pytest.raises(BadUpload, match=name):
            local_files([tmp_path / name])
