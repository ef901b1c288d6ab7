from automl.records import FileState
from automl.store.tables import DatasetFile
from server.views.seen_photos import SeenPhotos
from tests.server.answered import add_photos


def find(world, dataset_id, sha256, label="rose"):
    with world.database.session() as session:
        return SeenPhotos(session, dataset_id, [sha256]).find(sha256, f"a\\b/{label}.jpg", label)


def test_a_photo_is_found_by_its_contents_within_its_data_set(world):
    dataset_id, other = add_photos(world, s1="rose"), add_photos(world, s2="rose")
    photo = find(world, dataset_id, "s1")
    assert (photo.now.label, photo.now.has_picture, photo.is_used, photo.moved_to) == ("rose", True, True, "")
    assert find(world, other, "s1").now is None


def test_what_was_removed_keeps_the_name_that_it_had(world):
    photo = find(world, add_photos(world), "gone")
    assert (photo.now, photo.is_used, photo.moved_to, photo.file_name) == (None, False, "", "rose.jpg")


def test_another_class_since_is_told(world):
    assert find(world, add_photos(world, s1="tulip"), "s1").moved_to == "tulip"


def test_of_two_copies_the_one_that_is_used_is_meant(world):
    dataset_id = add_photos(world, s1="rose")
    with world.database.session() as session:
        for state in (FileState.EXCLUDED, FileState.REFUSED):
            session.add(DatasetFile(dataset_id=dataset_id, name="copy", sha256="s1", label="tulip", state=state))
    photo = find(world, dataset_id, "s1")
    assert (photo.now.label, photo.is_used) == ("rose", True)


def test_a_thousand_photos_are_found_in_a_few_statements(world):
    dataset_id = add_photos(world, **{f"s{i}": "rose" for i in range(1200)})
    with world.database.session() as session:
        photos = SeenPhotos(session, dataset_id, [f"s{i}" for i in range(1200)])
        assert all(photos.find(f"s{i}", "x", "rose").now for i in range(1200))
