import pytest

from automl.archives.suffixes import is_archive, without_suffix


@pytest.mark.parametrize("name", ["a.zip", "A.ZIP", "pets.tar", "pets.tar.gz", "my/pets.TGZ", ".zip"])
def test_an_archive_is_known_by_its_name(name: str) -> None:
    assert is_archive(name)


@pytest.mark.parametrize("name", ["zip", "a.gz.jpg", "a.zip.jpg", "tar", "a.jpg", ""])
def test_other_files_are_no_archives(name: str) -> None:
    assert not is_archive(name) and without_suffix(name) == name


def test_the_name_without_the_suffix() -> None:
    assert [without_suffix(name) for name in ("a.b.Tar.Gz", "a/b.zip", "x.tgz")] == ["a.b", "a/b", "x"]
