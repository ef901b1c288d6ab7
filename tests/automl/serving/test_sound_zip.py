"""Whatever happened to a .zip, one error says that it is damaged."""

import errno
import io
import random
import zipfile

import pytest

from automl.serving.sound_zip import sound_zip

MEMBERS = ("answers.csv", "model.onnx")


@pytest.fixture(scope="module")
def whole():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("answers.csv", "".join(f"{i},rose\n" for i in range(300)))
        archive.writestr("model.onnx", random.Random(1).randbytes(500), zipfile.ZIP_STORED)
    return buffer.getvalue()


def read_all(path):
    with sound_zip(path) as archive:
        return [archive.read(name) for name in MEMBERS]


def overwritten(content, chance):
    damaged = bytearray(content)
    for _ in range(chance.randint(1, 4)):
        damaged[chance.randrange(len(content))] = chance.choice((0, 1, 12, 14, 255, chance.randrange(256)))
    return bytes(damaged)


def cut_short(content, chance):
    return content[: chance.randrange(len(content))]


def torn_out(content, chance):
    start = chance.randrange(len(content))
    return content[:start] + content[start + chance.randint(1, 100) :]


@pytest.mark.parametrize("damage", [overwritten, cut_short, torn_out])
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_damage_of_every_kind_is_one_error(tmp_path, whole, damage):
    """A member that cannot be found any more is a KeyError, as in a .zip that never had it."""
    chance = random.Random(2)
    path = tmp_path / "a.zip"
    n_found = 0
    for _ in range(400):
        path.write_bytes(damage(whole, chance))
        try:
            read_all(path)
        except (zipfile.BadZipFile, KeyError):
            n_found += 1
    assert n_found > 200


def test_a_bad_disk_is_no_damage(tmp_path, whole):
    with pytest.raises(FileNotFoundError):
        read_all(tmp_path / "none.zip")
    (tmp_path / "a.zip").write_bytes(whole)
    with pytest.raises(OSError, match="No space left") as raised, sound_zip(tmp_path / "a.zip"):
        raise OSError(errno.ENOSPC, "No space left")
    assert raised.value.errno == errno.ENOSPC
