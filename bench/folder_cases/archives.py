"""Archives as programs of other systems make them: names in code pages, folders with backslashes, parts, passwords."""

import gzip
import io
import lzma
import tarfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from bench.folder_cases.case import FolderCase, picture, put
from bench.folder_cases.raw_zip import RawFile, unicode_path, zipped_raw

N_EACH = 6


def _files(labels: Sequence[str], separator: str = "/") -> dict[str, bytes]:
    """Pictures of each class, in a folder of its name."""
    names = [f"{label}{separator}{i}.jpg" for label in labels for i in range(N_EACH)]
    return {name: picture(seed) for seed, name in enumerate(names)}


def _raw(files: Mapping[str, bytes], codec: str) -> list[RawFile]:
    return [RawFile(name=name.encode(codec), content=content) for name, content in files.items()]


def _put(name: str, make: Callable[[], bytes]) -> Callable[[Path], None]:
    """The making of a folder that holds this one file."""
    return lambda root: put(root, name, make())


def _tar(files: Mapping[str, bytes], codec: str = "utf-8") -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT, encoding=codec) as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return out.getvalue()


def _zip_case(codec: str, *labels: str, separator: str = "/", n_lost: int = 0) -> FolderCase:
    """A .zip in a code page that it does not name. n_lost: bytes that are missing at its end."""
    files = _files(labels, separator)
    how = " with backslashes" if separator == "\\" else " without its directory" if n_lost else ""
    return FolderCase(
        name=f"names in {codec}{how}",
        make=_put("flowers.zip", lambda: zipped_raw(_raw(files, codec))[: -n_lost or None]),
        classes=dict.fromkeys(labels, N_EACH),
    )


def _refused_case(name: str, file: str, make: Callable[[], bytes], *words: str) -> FolderCase:
    return FolderCase(name=name, make=_put(file, make), refused=words)


def _with_unicode_paths() -> bytes:
    files = _files(("玫瑰", "郁金香"))
    named = [(name.encode("gbk"), name, content) for name, content in files.items()]
    return zipped_raw([RawFile(name=raw, content=data, extra=unicode_path(name, raw)) for raw, name, data in named])


def _protected(method: int) -> bytes:
    files = _files(("rose", "tulip"))
    return zipped_raw([RawFile(name=n.encode(), content=c, flags=1, method=method) for n, c in files.items()])


def _plain() -> bytes:
    return zipped_raw(_raw(_files(("rose", "tulip")), "ascii"))


CASES = (
    _zip_case("gbk", "玫瑰", "郁金香"),
    _zip_case("gbk", "玫瑰", "郁金香", "向日葵", separator="\\"),
    _zip_case("gbk", "玫瑰", "郁金香", n_lost=22),
    _zip_case("cp932", "表面", "ソケット", "能力"),
    _zip_case("big5", "玫瑰", "鬱金香", "許可"),
    _zip_case("euc_kr", "장미", "튤립"),
    _zip_case("cp866", "роза", "тюльпан", "подсолнух"),
    _zip_case("cp1251", "роза", "тюльпан", "подсолнух"),
    _zip_case("cp437", "Löwenzahn", "Gänseblümchen"),
    _zip_case("cp850", "Löwenzahn", "Gänseblümchen", "Fuß", n_lost=22),
    _zip_case("cp1252", "Löwenzahn", "Gänseblümchen", "Veilchenblüte"),
    _zip_case("utf-8", "玫瑰", "Löwenzahn"),
    FolderCase(
        name="names in gbk with the Unicode Path field",
        make=_put("flowers.zip", _with_unicode_paths),
        classes={"玫瑰": N_EACH, "郁金香": N_EACH},
    ),
    FolderCase(
        name="a tar with names in gbk",
        make=_put("flowers.tar", lambda: _tar(_files(("玫瑰", "郁金香", "向日葵")), "gbk")),
        classes=dict.fromkeys(("玫瑰", "郁金香", "向日葵"), N_EACH),
    ),
    FolderCase(
        name="a tar.gz with names in cp866",
        make=_put("flowers.tgz", lambda: gzip.compress(_tar(_files(("роза", "тюльпан", "подсолнух")), "cp866"))),
        classes=dict.fromkeys(("роза", "тюльпан", "подсолнух"), N_EACH),
    ),
    FolderCase(
        name="backslashes as old Windows programs write folders",
        make=_put("flowers.zip", lambda: zipped_raw(_raw(_files(("rose", "tulip"), "\\"), "ascii"))),
        classes={"rose": N_EACH, "tulip": N_EACH},
    ),
    _refused_case("a zip with a password", "flowers.zip", lambda: _protected(0), "password"),
    _refused_case("a zip with a password (AES)", "flowers.zip", lambda: _protected(99), "password"),
    _refused_case("the first part of a split zip", "flowers.z01", lambda: _plain()[:5000], "several parts"),
    _refused_case("the first part of a zip cut by 7-Zip", "flowers.zip.001", lambda: _plain()[:5000], "several parts"),
    _refused_case(
        "the last part of a split zip",
        "flowers.zip",
        lambda: zipped_raw(_raw(_files(("rose", "tulip")), "ascii"), disk=1)[4000:],
        "several parts",
    ),
    _refused_case("rar 4", "flowers.rar", lambda: b"Rar!\x1a\x07\x00" + bytes(99), ".rar", "unpack it"),
    _refused_case("rar 5", "flowers.rar", lambda: b"Rar!\x1a\x07\x01\x00" + bytes(99), ".rar", "unpack it"),
    _refused_case("7z", "flowers.7z", lambda: b"7z\xbc\xaf\x27\x1c" + bytes(99), ".7z", "unpack it"),
    _refused_case(
        "tar.xz", "flowers.tar.xz", lambda: lzma.compress(_tar(_files(("rose", "tulip")))), ".xz", "unpack it"
    ),
    _refused_case("a packed photo", "rose.jpg.gz", lambda: gzip.compress(picture(0)), "single packed file"),
)
