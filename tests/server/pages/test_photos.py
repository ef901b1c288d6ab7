"""One photo by itself: what is said of it, and how its label is corrected there."""

import io
import re

import pytest
from PIL import Image

from automl.records import FileState
from automl.store.tables import DatasetFile
from server.answering import LARGE_PX
from tests.automl.images.faults import as_jpeg
from tests.server.rich_result import add_rich_result
from tests.server.trying import noise


@pytest.fixture
def run_id(world):
    return add_rich_result(world)


@pytest.fixture
def photo(world, run_id):
    """The address of a photo of the run's data set, by its name."""
    dataset_id = world.run(run_id).dataset_id
    files = world.file_ids(dataset_id)
    return lambda name: f"/datasets/{dataset_id}/photos/{files[name]}"


@pytest.fixture
def state(world, run_id):
    """Class and state of a photo now, by its name."""

    def read(name):
        with world.database.session() as session:
            file = session.query(DatasetFile).filter_by(dataset_id=world.run(run_id).dataset_id, name=name).one()
            return file.label, file.state

    return read


def text_of(page):
    return " ".join(re.sub(r"<[^>]*>", " ", page).split())


def send(client, address, **form):
    return client.post(address, data=form, follow_redirects=True)


def test_it_is_shown_large_with_its_name_and_its_label(client, photo):
    page = client.get(photo("red/1.jpg")).text
    assert f'src="{photo("red/1.jpg")}/picture"' in page
    assert "You said red ." in text_of(page)
    assert "red/1.jpg, 160 × 120 pixels" in text_of(page)
    assert "The model says" not in page


def test_with_a_run_it_says_how_likely_each_class_is_and_where_its_heat_map_is(client, run_id, photo):
    page = client.get(f"{photo('red/1.jpg')}?run={run_id}&said=green").text
    said = text_of(page.partition("photo-said")[2])
    assert "This is a test photo: the model had not seen it." in said
    shares = [float(share) for share in re.findall(r"(\d+\.\d) %", said)]
    assert len(shares) == 3
    assert sum(shares) == pytest.approx(100, abs=0.2)
    heat = re.search(r'href="([^"]*heat\.jpg[^"]*)"', page)[1].replace("&amp;", "&")
    assert "said=1" in heat
    answer = client.get(heat)
    assert (answer.status_code, answer.mimetype) == (200, "image/jpeg")


def test_of_a_photo_that_it_has_learned_from_it_says_no_more_than_that(client, run_id, photo):
    page = client.get(f"{photo('red/3.jpg')}?run={run_id}").text
    assert "test photo" not in page
    assert "The model says:" in page


def test_the_picture_is_drawn_anew_upright_and_not_too_large(world, client):
    large = Image.new("RGB", (LARGE_PX + 400, 300), "red")
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "a secret"  # to be turned; a description
    buffer = io.BytesIO()
    large.save(buffer, "JPEG", exif=exif)
    dataset_id = world.add_checked({"a/0.jpg": buffer.getvalue(), "b/1.png": noise(1)})
    answer = client.get(f"/datasets/{dataset_id}/photos/{world.file_ids(dataset_id)['a/0.jpg']}/picture")
    assert answer.mimetype == "image/jpeg"
    assert "private" in answer.headers["Cache-Control"]
    assert b"a secret" not in answer.data
    assert Image.open(io.BytesIO(answer.data)).size == (240, LARGE_PX)


def test_any_class_can_be_chosen_and_the_change_is_undone_there(client, photo, state):
    address = photo("red/1.jpg")
    page = client.get(address).text
    choice = page.partition("<select")[2].partition("</select>")[0]
    assert re.findall(r"<option[^>]*>([^<]*)", choice) == ["choose…", "blue", "green", "none of these: leave it out"]
    assert re.search(r'<option value="" selected>', choice)
    page = send(client, address, to="blue").text
    assert state("red/1.jpg") == ("blue", FileState.ACCEPTED)
    assert "You said blue ." in text_of(page)
    assert "Moved 1 photo to &#39;blue&#39;" in page
    send(client, address, undo=re.search(r'name="undo" value="(\d+)"', page)[1])
    assert state("red/1.jpg") == ("red", FileState.ACCEPTED)


def test_what_shows_none_of_the_classes_is_left_out_and_says_so(client, photo, state):
    address = photo("red/1.jpg")
    page = send(client, address, to="/").text
    assert state("red/1.jpg") == ("red", FileState.EXCLUDED)
    assert "It is left out : nothing is learned from it." in text_of(page)
    assert "Left out 1 photo that shows none of the classes." in text_of(page)
    send(client, address, undo=re.search(r'name="undo" value="(\d+)"', page)[1])
    assert state("red/1.jpg") == ("red", FileState.ACCEPTED)


@pytest.mark.parametrize("form", [{}, {"to": ""}, {"to": "a/b"}])
def test_without_a_choice_nothing_changes(client, photo, state, form):
    answer = send(client, photo("red/1.jpg"), **form)
    assert answer.status_code == 400
    assert state("red/1.jpg") == ("red", FileState.ACCEPTED)


def test_a_doubted_label_can_be_called_right(client, photo):
    address = photo("red/2.jpg")
    assert "91 % sure that it is blue" in text_of(client.get(address).text).replace("\N{NO-BREAK SPACE}", " ")
    page = text_of(send(client, address, kind="confirm").text)
    assert "Said that the label of 1 photo is right" in page
    assert "sure that it is" not in page


def test_a_change_goes_on_with_the_run_that_was_asked_about(client, run_id, photo):
    answer = client.post(photo("red/1.jpg"), data={"to": "blue", "run": run_id, "said": "green"})
    assert answer.status_code == 303
    assert answer.location == f"{photo('red/1.jpg')}?run={run_id}&said=green"


def test_the_viewer_gets_the_words_alone(client, photo):
    part = client.get(photo("red/1.jpg"), headers={"X-Requested-With": "viewer.js"}).text
    assert "<html" not in part
    assert part.count('class="photo-words"') == 1


def test_what_is_no_photo_of_these_is_not_there(world, client, run_id, photo):
    other = world.add_checked(
        {"a/0.jpg": as_jpeg(Image.new("RGB", (40, 40), "red")), "b/1.png": noise(1), "c.txt": b"x"}
    )
    files = world.file_ids(other)
    inside = photo("red/1.jpg").rpartition("/")[0]
    for address in (f"{inside}/{files['a/0.jpg']}", f"{inside}/{2**70}", f"/datasets/{other}/photos/{files['c.txt']}"):
        assert client.get(address).status_code == 404
        assert client.get(f"{address}/picture").status_code == 404
    assert client.get(f"/datasets/{other}/photos/{files['a/0.jpg']}?run={run_id}").status_code == 404
