"""Tables of labels as people and programs write them."""

import io
import json
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

from bench.folder_cases.case import FolderCase, fill, picture, put

N = 24
CLASSES = ("rose", "tulip")
EVEN = {"rose": 12, "tulip": 12}


def label(i: int) -> str:
    return CLASSES[i % 2]


def rows(line: Callable[[int], str], *, n: int = N) -> list[str]:
    return [line(i) for i in range(n)]


def photos(folder: Path, inside: str = "photos", *, name: str = "{i:04d}.jpg", n: int = N, first_seed: int = 0) -> None:
    fill(folder, inside, n, first_seed=first_seed, name=name)


def table(
    lines: Sequence[str],
    *,
    name: str = "labels.csv",
    encoding: str = "utf-8",
    end: str = "\n",
    photo: str = "{i:04d}.jpg",
) -> Callable[[Path], None]:
    """A folder of photos with one table beside it."""

    def make(folder: Path) -> None:
        photos(folder, name=photo)
        put(folder, name, (end.join(lines) + end).encode(encoding))

    return make


def _in_encoding(encoding: str, classes: tuple[str, str]) -> FolderCase:
    lines = ["Datei;Klasse", *rows(lambda i: f"{i:04d}.jpg;{classes[i % 2]}")]
    return FolderCase(
        name=f"table in {encoding}",
        make=table(lines, encoding=encoding, end="\r\n"),
        classes=dict.fromkeys(sorted(classes), 12),
    )


def _written(
    name: str, lines: Sequence[str], *, file: str = "labels.csv", end: str = "\n", ask: bool = False
) -> FolderCase:
    return FolderCase(name=name, make=table(lines, name=file, end=end), classes=EVEN, may_ask=ask)


def _unlabelled_beside(folder: Path) -> None:
    photos(folder, "train", name="{i:032x}.jpg")
    photos(folder, "test", name="f{i:031x}.jpg", first_seed=100)
    put(folder, "labels.csv", "\n".join(["id,breed", *rows(lambda i: f"{i:032x},{label(i)}")]))


def _unlabelled_among(folder: Path) -> None:
    photos(folder, n=48)
    put(folder, "labels.csv", "\n".join(["id,label", *rows(lambda i: f"{i:04d},{label(i)}")]))


def _folders_of_sites(folder: Path) -> None:
    photos(folder, "site A", n=12)
    photos(folder, "site B", n=12, name="b{i:04d}.jpg", first_seed=50)
    lines = [f"{site}{i:04d}.jpg,{label(i)}" for site in ("", "b") for i in range(12)]
    put(folder, "labels.csv", "\n".join(["file,label", *lines]))


def _hugging_face(folder: Path, name: str, text: Callable[[range], str]) -> None:
    for part, numbers in (("train", range(16)), ("test", range(16, 24))):
        fill(folder, part, len(numbers), first_seed=numbers.start, name="{i:03d}.png")
        put(folder, f"{part}/{name}", text(range(len(numbers))))


def _hugging_face_csv(folder: Path) -> None:
    _hugging_face(
        folder, "metadata.csv", lambda r: "\n".join(["file_name,label", *(f"{i:03d}.png,{label(i)}" for i in r)])
    )


def _hugging_face_jsonl(folder: Path) -> None:
    def text(numbers: range) -> str:
        return "\n".join(json.dumps({"file_name": f"{i:03d}.png", "label": label(i), "height": 48}) for i in numbers)

    _hugging_face(folder, "metadata.jsonl", text)


def _roboflow(folder: Path) -> None:
    for part, n, start in (("train", 16, 0), ("valid", 4, 16), ("test", 4, 20)):
        fill(folder, part, n, first_seed=start, name=part + "_{i}_jpg.rf.0a1b2c.jpg")
        lines = [f"{part}_{i}_jpg.rf.0a1b2c.jpg, {int(i % 2 == 0)}, {int(i % 2)}" for i in range(n)]
        put(folder, f"{part}/_classes.csv", "\n".join(["filename, rose, tulip", *lines]))


def _label_studio_json(folder: Path) -> None:
    photos(folder)
    tasks = [
        {
            "id": 100 + i,
            "data": {"image": f"/data/upload/1/0a1b2c{i:02x}-{i:04d}.jpg"},
            "annotations": [
                {
                    "id": 500 + i,
                    "completed_by": 1,
                    "result": [
                        {
                            "value": {"choices": [label(i)]},
                            "id": "x",
                            "from_name": "choice",
                            "to_name": "image",
                            "type": "choices",
                        }
                    ],
                }
            ],
            "project": 1,
        }
        for i in range(N)
    ]
    put(folder, "project-1-at-2024-01-01.json", json.dumps(tasks))


def _teachable_machine(folder: Path) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as project:
        project.writestr("manifest.json", json.dumps({"type": "image", "version": "2.4.10", "appdata": {"epochs": 50}}))
        for i in range(N):
            project.writestr(f"{label(i)}-!-{i // 2}.jpg", picture(i))
    put(folder, "project.tm", out.getvalue())


def _several_tables(folder: Path) -> None:
    photos(folder, "train", n=16)
    photos(folder, "test", n=8, name="t{i:04d}.jpg", first_seed=50)
    put(folder, "train.csv", "\n".join(["image,class", *rows(lambda i: f"{i:04d}.jpg,{label(i)}", n=16)]))
    put(folder, "test.csv", "\n".join(["image,class", *rows(lambda i: f"t{i:04d}.jpg,{label(i)}", n=8)]))


def _unreadable(folder: Path) -> None:
    for number, name in enumerate(CLASSES):
        fill(folder, name, 12, first_seed=100 * number)
    put(folder, "labels.csv", b"file,label\n" + b"x" * 21_000_000)


def _numbered_with_names(folder: Path) -> None:
    photos(folder)
    put(folder, "labels.csv", "\n".join(["file,class_id", *rows(lambda i: f"{i:04d}.jpg,{i % 2}.0")]))
    put(folder, "classes.csv", "id,name\n0,rose\n1,tulip\n")


CASES = (
    FolderCase(name="table beside an unlabelled test set as large", make=_unlabelled_beside, classes=EVEN),
    FolderCase(name="table that names half of the photos of a folder", make=_unlabelled_among, classes=EVEN),
    FolderCase(name="table beside folders that are sites", make=_folders_of_sites, classes=EVEN),
    _in_encoding("utf-8-sig", ("Löwenzahn", "Gänseblümchen")),
    _in_encoding("utf-16", ("Löwenzahn", "Gänseblümchen")),
    _in_encoding("utf-16-be", ("玫瑰", "郁金香")),
    _in_encoding("cp1252", ("Löwenzahn", "Gänseblümchen")),
    _in_encoding("mac_roman", ("œillet", "pâquerette")),
    _in_encoding("cp932", ("バラ", "たんぽぽ")),
    _in_encoding("gbk", ("玫瑰", "郁金香")),
    _in_encoding("cp1251", ("роза", "тюльпан")),
    _written(
        "table with an announced delimiter",
        ["sep=;", "file;label", *rows(lambda i: f"{i:04d}.jpg;{label(i)}")],
        end="\r\n",
    ),
    _written(
        "table with a title, comments and blank lines",
        [
            "Flowers, counted in May",
            "",
            "# made by hand, without hurry",
            "file,label",
            "",
            *rows(lambda i: f"{i:04d}.jpg,{label(i)}"),
        ],
    ),
    _written("table without names of columns", rows(lambda i: f"{label(i)}|photos\\{i:04d}.jpg"), end="\r"),
    _written(
        "table with quoted cells over several lines",
        ['"label","note","file"', *rows(lambda i: f'"{label(i)}","seen, and\nliked","{i:04d}.jpg"')],
    ),
    _written("ids without leading zeros", ["id,label", *rows(lambda i: f"{i},{label(i)}")]),
    _written("ids as decimal numbers", ["n\tid\tlabel", *rows(lambda i: f"{i + 1}\t{i}.0\t{label(i)}")], file="l.tsv"),
    _written(
        "photos named by their addresses",
        ["url,label", *rows(lambda i: f"https://example.org/p%20x/{i:04d}.jpg?width=3,{label(i)}")],
    ),
    _written("names with another ending", ["file,label", *rows(lambda i: f"C:\\me\\{i:04d}.JPEG,{label(i)}")]),
    _written(
        "a number of the row before the name of the photo",
        ["idx,file,label", *rows(lambda i: f"{i + 1},{i:04d}.jpg,{label(i)}")],
    ),
    _written(
        "photographers are no classes",
        ["file,label,photographer", *rows(lambda i: f"{i:04d}.jpg,{label(i)},{('Ann', 'Bob', 'Cleo')[i % 3]}")],
    ),
    _written(
        "two columns that could be the classes",
        ["file,colour,flower", *rows(lambda i: f"{i:04d}.jpg,{('red', 'pink', 'blue')[i % 3]},{label(i)}")],
        ask=True,
    ),
    FolderCase(
        name="several classes for a photo",
        make=table(["file,rose,tulip", *rows(lambda i: f"{i:04d}.jpg,1,{i % 2}")]),
        refused=("several classes at once", "one class for each photo", "--label-column tulip"),
    ),
    FolderCase(
        name="table of other photos",
        make=table(["file,label", *rows(lambda i: f"IMG_{i + 7000}.png,{label(i)}")]),
        refused=("Nothing in the table labels.csv matches", "'IMG_7023.png'", "'photos/0000.jpg'"),
    ),
    FolderCase(name="metadata.csv of Hugging Face", make=_hugging_face_csv, classes=EVEN, tested=8),
    FolderCase(name="metadata.jsonl of Hugging Face", make=_hugging_face_jsonl, classes=EVEN, tested=8),
    FolderCase(name="_classes.csv of Roboflow", make=_roboflow, classes=EVEN, tested=4),
    FolderCase(name="JSON of Label Studio", make=_label_studio_json, classes=EVEN),
    _written(
        "CSV of Label Studio",
        [
            "annotation_id,annotator,choice,created_at,id,image,lead_time,updated_at",
            *rows(
                lambda i: (
                    f"{i},1,{label(i)},2024-01-01T10:00:00Z,{i + 60},/data/upload/1/0a1b2c3d-{i:04d}.jpg,{i}.5,2024"
                )
            ),
        ],
    ),
    FolderCase(name="project file of Teachable Machine", make=_teachable_machine, classes=EVEN),
    FolderCase(name="a table for each part of the split", make=_several_tables, classes=EVEN, tested=8),
    FolderCase(name="numbers for classes, and their names beside", make=_numbered_with_names, classes=EVEN),
    _written("table of 7 MB", ["file,label,report", *rows(lambda i: f"{i:04d}.jpg,{label(i)},{'x' * 300_000}")]),
    FolderCase(name="table that is too large beside class folders", make=_unreadable, classes=EVEN),
)
