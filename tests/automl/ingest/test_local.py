import os
import subprocess
import sys
from pathlib import Path

import pytest

from automl.errors import BadDataset, BadUpload, UploadTooLarge
from automl.ingest.local import ingest_archive, ingest_folder
from automl.records import Split
from automl.settings import Settings, load_settings
from bench.folder_cases import case as made
from bench.folder_cases.raw_zip import RawFile, zipped_raw
from tests.automl.images.pictures import encoded, picture, two_classes, write_files, zipped


@pytest.fixture
def pets(tmp_path: Path) -> Path:
    return write_files(tmp_path / "pets", two_classes())


def test_a_folder_becomes_a_manifest_without_copying(pets: Path, settings: Settings) -> None:
    manifest = ingest_folder(pets, settings)
    assert (manifest.name, manifest.classes, len(manifest.images)) == ("pets", ("cat", "dog"), 8)
    first = manifest.images[0]
    assert (first.name, first.label, first.path, first.width, first.height) == (
        "cat/0.png", "cat", pets / "cat" / "0.png", 24, 16,
    )  # fmt: skip


def test_the_users_split_is_kept(tmp_path: Path, settings: Settings) -> None:
    files = {**two_classes(prefix="train/"), "test/cat/9.png": encoded(9), "val/dog/8.png": encoded(8)}
    manifest = ingest_folder(write_files(tmp_path / "x", files), settings)
    splits = {image.name: image.split for image in manifest.images}
    assert splits["test/cat/9.png"] is Split.TEST
    assert splits["val/dog/8.png"] is Split.VALIDATION


def test_what_is_bad_is_listed_and_the_rest_goes_on(pets: Path, settings: Settings) -> None:
    bad = {
        "cat/text.jpg": b"I am a text",
        "cat/cut.jpg": encoded(picture(size=(90, 90)), "JPEG")[:2000],
        "cat/empty.jpg": b"",
        "stray.png": encoded(77),
        "cat/Thumbs.db": b"junk",
        "__MACOSX/cat/._0.png": b"junk",
    }
    manifest = ingest_folder(write_files(pets, bad), settings)
    assert len(manifest.images) == 8
    reasons = {file.name: file.reason for file in manifest.refused}
    assert set(reasons) == {"cat/text.jpg", "cat/cut.jpg", "cat/empty.jpg", "stray.png"}


def test_good_pictures_in_disguise_are_accepted(pets: Path, settings: Settings) -> None:
    disguised = {
        "cat/palette.jpg": encoded(picture(1, mode="P")),
        "cat/cmyk.jpg": encoded(picture(2, mode="CMYK"), "JPEG"),
        "cat/photo without extension": encoded(3, "WEBP"),
        'dog/it\'s a "dog" 🐕.png': encoded(4),
    }
    assert len(ingest_folder(write_files(pets, disguised), settings).images) == 12


def test_names_that_are_not_utf8_are_read_and_shown(pets: Path, settings: Settings) -> None:
    (pets / os.fsdecode(b"cat/\xff.png")).write_bytes(encoded(50))
    (pets / os.fsdecode(b"cat/\xfe.png")).write_bytes(b"no picture")
    manifest = ingest_folder(pets, settings)
    assert len(manifest.images) == 9
    assert [file.name.encode() for file in manifest.refused] == ["cat/\ufffd.png".encode()]


def test_links_are_followed_and_a_circle_ends(pets: Path, settings: Settings) -> None:
    (pets / "cat" / "up").symlink_to(pets, target_is_directory=True)
    (pets / "dog" / "link.png").symlink_to(write_files(pets.parent, {"far.png": encoded(60)}) / "far.png")
    assert len(ingest_folder(pets, settings).images) == 9


def test_broken_links_and_pipes_are_refused_not_waited_for(pets: Path, settings: Settings) -> None:
    (pets / "cat" / "gone.png").symlink_to(pets / "nowhere.png")
    os.mkfifo(pets / "cat" / "pipe.png")
    reasons = {file.name: file.reason for file in ingest_folder(pets, settings).refused}
    assert "cannot be read" in reasons["cat/gone.png"]
    assert "not an ordinary file" in reasons["cat/pipe.png"]


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({}, "no photo here"),
        ({"cat/1.png": b"text"}, "cat/1.png: This is not a picture"),
        ({"cat/1.png": encoded(1), "cat/2.png": encoded(2)}, "one class, 'cat'"),
        ({**two_classes(), "bird/1.png": encoded(999)}, "fewer than 2 different photos of 'bird'"),
    ],
)
def test_a_folder_that_cannot_be_trained_from_is_explained(
    files: dict[str, bytes], words: str, tmp_path: Path, settings: Settings
) -> None:
    (tmp_path / "x").mkdir()
    with pytest.raises(BadDataset, match=words):
        ingest_folder(write_files(tmp_path / "x", files), settings)


def test_a_folder_that_is_not_there_is_said(tmp_path: Path, settings: Settings) -> None:
    with pytest.raises(BadUpload, match="There is no folder"):
        ingest_folder(tmp_path / "nothing", settings)


def test_too_many_files_are_refused(pets: Path, settings: Settings) -> None:
    with pytest.raises(UploadTooLarge, match="limit of 7 files"):
        ingest_folder(pets, settings.model_copy(update={"max_files": 7}))


def test_progress_counts_to_the_end(pets: Path, settings: Settings) -> None:
    seen: list[tuple[int, int]] = []
    ingest_folder(pets, settings, lambda done, total: seen.append((done, total)))
    assert seen == [(n, 8) for n in range(1, 9)]


def test_the_fingerprint_is_the_same_for_a_folder_and_its_archive(
    pets: Path, tmp_path: Path, settings: Settings
) -> None:
    archive = tmp_path / "pets.zip"
    archive.write_bytes(zipped(two_classes(prefix="wrapper/")))
    manifest = ingest_archive(archive, tmp_path / "unpacked", settings)
    assert manifest.name == "pets"
    assert manifest.fingerprint == ingest_folder(pets, settings).fingerprint


def test_an_archive_is_unpacked_under_numbers(tmp_path: Path, settings: Settings) -> None:
    files = two_classes() | {"../../cat/evil.png": encoded(70), "/dog/evil.png": encoded(71)}
    (tmp_path / "x.zip").write_bytes(zipped(files))
    manifest = ingest_archive(tmp_path / "x.zip", tmp_path / "unpacked", settings)
    assert {path.name for path in (tmp_path / "unpacked").iterdir()} == {f"{i:06d}" for i in range(10)}
    assert {path.name for path in tmp_path.iterdir()} <= {"x.zip", "unpacked", "home"}
    assert len(manifest.images) == 10


def test_an_archive_beyond_the_limits_is_refused(tmp_path: Path, settings: Settings) -> None:
    (tmp_path / "x.zip").write_bytes(zipped(two_classes()))
    with pytest.raises(UploadTooLarge):
        ingest_archive(
            tmp_path / "x.zip", tmp_path / "unpacked", settings.model_copy(update={"max_upload_bytes": 1000})
        )


def test_an_archive_that_is_not_there_or_a_folder_is_said(tmp_path: Path, settings: Settings) -> None:
    with pytest.raises(BadUpload, match=r"There is no file .*missing\.zip"):
        ingest_archive(tmp_path / "missing.zip", tmp_path / "unpacked", settings)
    with pytest.raises(BadUpload, match="Is a directory"):
        ingest_archive(tmp_path, tmp_path / "unpacked", settings)


def test_what_reads_data_sets_is_light_to_import() -> None:
    modules = (
        "archives.opening",
        "datasets.manifest",
        "datasets.split",
        "images.pixels",
        "images.sample_images",
        "images.verify",
        "ingest.inspection",
        "ingest.local",
        "labelling.reading",
        "store.checks",
        "store.unpacking",
    )
    heavy = ("tensorflow", "keras", "sklearn", "scipy", "optuna", "matplotlib", "onnxruntime")
    imports = ", ".join(f"automl.{name}" for name in modules)
    code = f"import sys, {imports}; print([m for m in {heavy} if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert found.strip() == "[]"


def test_archives_in_a_folder_are_unpacked_as_uploaded_ones_are(tmp_path):
    folder = tmp_path / "flowers"
    for number, label in enumerate(("玫瑰", "郁金香")):
        files = [RawFile(name=f"{label}{i}.jpg".encode("gbk"), content=made.picture(9 * number + i)) for i in range(4)]
        made.put(folder, f"{label}.zip", zipped_raw(files))
    made.put(folder, "rest.rar", b"Rar!\x1a\x07\x00")
    manifest = ingest_folder(folder, load_settings({}), unpack_to=tmp_path / "unpacked")
    assert manifest.classes == ("玫瑰", "郁金香") and len(manifest.images) == 8
    assert any(one.name == "rest.rar" and "cannot be opened here" in one.reason for one in manifest.refused)
