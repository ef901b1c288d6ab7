"""However a table was written, it says the same."""

import json
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from automl.labelling.label_tables import MAX_TABLE_BYTES, read_tables
from automl.labelling.places import NoPlace, Place, Reading
from automl.labelling.reading import Layout, read_layout
from automl.labelling.table_encodings import decoded
from automl.records import Split

N = 12
PHOTOS = [f"photos/{i:04d}.jpg" for i in range(N)]

SPELLINGS: dict[str, Callable[[int], str]] = {
    "file": lambda i: f"{i:04d}.jpg",
    "path": lambda i: f"photos/{i:04d}.jpg",
    "windows": lambda i: f"C:\\Users\\me\\photos\\{i:04d}.JPG",
    "stem": lambda i: f"{i:04d}",
    "number": lambda i: str(i),
    "decimal": lambda i: f"{i}.0",
    "ending": lambda i: f"{i:04d}.jpeg",
    "address": lambda i: f"https://example.org/a%20b/{i:04d}.jpg?width=3",
    "label studio": lambda i: f"/data/upload/7/0a1b2c{i:02x}-{i:04d}.jpg",
    "local file": lambda i: f"/data/local-files/?d=photos/{i:04d}.jpg",
}
CLASSES = {
    "utf-8": ("Löwenzahn", "玫瑰"),
    "utf-8-sig": ("Löwenzahn", "玫瑰"),
    "utf-16": ("Löwenzahn", "玫瑰"),
    "utf-16-le": ("Löwenzahn", "Rose"),
    "utf-16-be": ("Löwenzahn", "Rose"),
    "cp1252": ("Löwenzahn", "Gänseblümchen"),
    "mac_roman": ("Löwenzahn", "Gänseblümchen"),
    "cp850": ("Löwenzahn", "Gänseblümchen"),
    "cp932": ("バラ", "たんぽぽ"),
    "gbk": ("玫瑰", "郁金香"),
    "cp950": ("玫瑰", "鬱金香"),
    "cp949": ("장미", "튤립"),
    "cp1251": ("роза", "тюльпан"),
}
BEGINNINGS = {
    "none": [],
    "announced": ["sep={delimiter}"],
    "title": ["Flowers of 2024", ""],
    "comments": ["# counted by hand", "", "# twice"],
}


def read(content: bytes, *, name: str = "labels.csv", column: str = "", reading: Reading | None = None) -> Layout:
    tables = read_tables({name: lambda n_bytes: content[:n_bytes]}, PHOTOS)
    return read_layout([*PHOTOS, name], tables, reading=reading, column=column)


def labels(layout: Layout) -> list[str | None]:
    return [place.label if isinstance(place, Place) else None for place in layout.places[:N]]


@settings(derandomize=True, database=None, deadline=None, max_examples=150)
@given(
    encoding=st.sampled_from(sorted(CLASSES)),
    delimiter=st.sampled_from(",;\t|"),
    spelling=st.sampled_from(sorted(SPELLINGS)),
    order=st.permutations(["photo", "label", "age"]),
    beginning=st.sampled_from(sorted(BEGINNINGS)),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    is_quoted=st.booleans(),
)
def test_the_form_of_a_table_does_not_change_what_it_says(
    encoding: str, delimiter: str, spelling: str, order: list[str], beginning: str, end: str, is_quoted: bool
) -> None:
    quote = '"' if is_quoted else ""
    rows = [{"photo": "photo", "label": "label", "age": "age"}]
    rows += [{"photo": SPELLINGS[spelling](i), "label": CLASSES[encoding][i % 2], "age": f"{i % 5}"} for i in range(N)]
    lines = [line.format(delimiter=delimiter) for line in BEGINNINGS[beginning]]
    lines += [delimiter.join(f"{quote}{row[name]}{quote}" for name in order) for row in rows]
    layout = read(end.join([*lines, ""]).encode(encoding))
    assert labels(layout) == [CLASSES[encoding][i % 2] for i in range(N)]
    assert layout.reading is Reading.TABLE


@settings(derandomize=True, database=None, deadline=None, max_examples=300)
@given(st.binary(max_size=300) | st.text(max_size=100).map(lambda text: text.encode("utf-16")))
def test_any_bytes_are_read_without_an_error(content: bytes) -> None:
    assert len(read(content).places) == N + 1
    assert len(read(b"[" + content, name="labels.json").places) == N + 1


@pytest.mark.parametrize(
    ("encoding", "words"),
    [
        ("cp1252", ("café", "thé")),
        ("cp1252", ("Bär", "Hund")),
        ("mac_roman", ("Bär", "Hund")),
        ("mac_roman", ("café", "thé")),
        ("cp1250", ("růže", "tulipán")),
        ("cp1250", ("róża", "mięta")),
        ("cp1254", ("ağaç", "kırmızı")),
        ("cp932", ("良品", "不良品")),
        ("gbk", ("猫", "狗")),
        ("koi8_r", ("роза", "тюльпан")),
        ("cp1253", ("γάτα", "σκύλος")),
        ("cp1252", ("1 €", "2 €")),
        ("iso8859_2", ("śliwka", "gruszka żółta")),
        ("euc_jp", ("バラ", "たんぽぽ")),
        ("cp866", ("роза", "тюльпан")),
        ("cp1256", ("وردة", "زنبق")),
        ("cp874", ("กุหลาบ", "ทิวลิป")),
    ],
)
def test_two_words_are_enough_to_tell_an_encoding(encoding: str, words: tuple[str, ...]) -> None:
    text = "".join(f"{i}.jpg;{words[i % 2]}\n" for i in range(N))
    found, name = decoded(text.encode(encoding))
    assert found == text
    assert name


def test_names_of_files_tell_an_encoding_that_letters_do_not() -> None:
    text = "żółć.jpg,a\n"
    assert decoded(text.encode("cp1250"))[0] != text
    assert decoded(text.encode("cp1250"), ["photos/żółć.jpg"])[0] == text


def test_what_was_guessed_is_said() -> None:
    layout = read("".join(f"{i};{'BL'[i % 2]}öwe\n" for i in range(N)).encode("cp1252"))
    assert layout.notes[0].startswith("labels.csv is not written in UTF-8; its letters were read as Windows-1252")


def test_a_number_is_no_name_where_another_photo_could_be_meant() -> None:
    names = ["a/1.jpg", "a/01.jpg", "a/2.jpg"]
    tables = read_tables({"l.csv": lambda _: b"id,label\n001,cat\n2,dog\n"}, names)
    layout = read_layout([*names, "l.csv"], tables, reading=Reading.TABLE)
    assert [place.label if isinstance(place, Place) else None for place in layout.places[:3]] == [None, None, "dog"]


def test_columns_that_could_be_meant_are_offered_and_can_be_chosen() -> None:
    text = "file,colour,flower\n" + "".join(f"{i:04d},{'rgb'[i % 3]},{'xy'[i % 2]}\n" for i in range(N))
    layout = read(text.encode())
    assert "labels.csv has another column that could be meant: 'flower'." in layout.notes[0]
    assert [other.column for other in layout.others] == ["flower"]
    for column in ("flower", "Flower", "3"):
        assert labels(read(text.encode(), column=column)) == ["xy"[i % 2] for i in range(N)]
    missing = read(text.encode(), column="leaf").places[0]
    assert missing == NoPlace(reason="labels.csv has no column 'leaf' for the classes. It has 'colour' and 'flower'.")


def test_a_column_of_words_does_not_take_the_place_of_the_column_of_classes() -> None:
    text = "file,label,photographer\n" + "".join(f"{i:04d},{i % 2},{'AB'[i % 2]}nn\n" for i in range(N))
    layout = read(text.encode())
    assert labels(layout) == [str(i % 2) for i in range(N)]
    assert [other.column for other in layout.others] == ["photographer"]


def test_a_table_with_several_classes_for_a_photo_offers_each_as_a_question() -> None:
    text = "file,rose,tulip\n" + "".join(f"{i:04d},1,{i % 2}\n" for i in range(N))
    layout = read(text.encode())
    place = layout.places[0]
    assert isinstance(place, NoPlace)
    assert place.reason.startswith(
        "labels.csv gives some photos several classes at once ('0001' is 'rose' and 'tulip'). Darkroom learns one class"
    )
    assert [other.column for other in layout.others] == ["rose", "tulip"]
    assert labels(read(text.encode(), column="tulip")) == [("no", "yes")[i % 2] for i in range(N)]


def test_several_choices_for_a_photo_are_refused() -> None:
    tasks = [
        {"image": f"/data/upload/1/{i:04d}.jpg", "choice": {"choices": ["a", "b"]} if i == 3 else "a"} for i in range(N)
    ]
    place = read(json.dumps(tasks).encode(), name="l.json").places[0]
    assert isinstance(place, NoPlace) and "('/data/upload/1/0003.jpg' is 'a' and 'b')" in place.reason


@pytest.mark.parametrize(
    "values", [("Mass", "Mass|Nodule"), ("a;b", "b;c"), ("a,b", "a", "b"), ("a b", "b a", "a", "b")]
)
def test_several_classes_in_one_text_are_refused(values: tuple[str, ...]) -> None:
    rows = "".join(f'{i:04d}.jpg\t"{values[i % len(values)]}"\n' for i in range(N))
    place = read(f"file\tlabels\n{rows}".encode()).places[0]
    assert isinstance(place, NoPlace) and "several classes at once" in place.reason
    assert set(labels(read(f"file\tlabels\n{rows}".encode(), column="labels"))) == set(values)


@pytest.mark.parametrize("values", [("rose, red", "tulip, red"), ("red apple", "green apple"), ("rose", "rose, red")])
def test_a_name_may_have_several_words(values: tuple[str, str]) -> None:
    rows = "".join(f"{i:04d}.jpg\t{values[i % 2]}\n" for i in range(N))
    assert set(labels(read(f"file\tlabel\n{rows}".encode()))) == set(values)


def test_a_table_in_which_all_photos_have_several_rows_says_why_it_is_not_used() -> None:
    text = "file,class,x\n" + "".join(f"{i // 2:04d}.jpg,{'ab'[i % 2]},{i}\n" for i in range(2 * N))
    layout = read(text.encode())
    assert layout.reading is Reading.TABLE
    assert "('0000.jpg' is 'a' and 'b')" in layout.notes[0]


def test_minus_one_says_that_something_is_not_there() -> None:
    rows = "".join(f"{i:04d}.jpg {1 - i % 2 * 2} {1 - i % 3 // 2 * 2}\n" for i in range(N))
    for header in ("image_id Smiling Young", f"{N}\nSmiling Young"):
        layout = read(f"{header}\n{rows}".encode(), name="attributes.txt")
        assert [other.column for other in layout.others] == ["Smiling", "Young"]


def test_the_names_of_columns_may_leave_out_the_first_one() -> None:
    rows = "".join(f'"{i + 1}" "{i:04d}.jpg" "{"ab"[i % 2]}"\n' for i in range(N))
    layout = read(f'"file" "label"\n{rows}'.encode(), name="labels.txt")
    assert layout.description == "The table labels.txt says what each photo shows (column 'label')."


@pytest.mark.parametrize("score", ["0,{i}", "{i},50", "{i}.25"])
def test_measured_numbers_are_no_classes(score: str) -> None:
    rows = "".join(f"{i:04d}.jpg;{score.format(i=i % 7 + 1)};{'ab'[i % 2]}\n" for i in range(N))
    layout = read(f"Datei;Wert;Blume\n{rows}".encode())
    assert labels(layout) == ["ab"[i % 2] for i in range(N)]
    assert layout.others == ()


def test_whole_numbers_may_be_written_with_decimals() -> None:
    rows = "".join(f"{i}\t{i % 2}.000000\t{i:04d}.jpg\n" for i in range(N))
    assert labels(read(rows.encode(), name="train.tsv")) == [str(i % 2) for i in range(N)]


def test_photos_of_no_part_are_not_a_class() -> None:
    rows = "".join(f"{('UNASSIGNED', 'TEST')[i % 2]},gs://b/{i:04d}.jpg,{'ab'[i // 2 % 2]}\n" for i in range(N))
    layout = read(rows.encode())
    assert labels(layout) == ["ab"[i // 2 % 2] for i in range(N)]
    assert layout.places[1] == Place(label="a", split=Split.TEST)


def test_the_name_of_what_is_said_is_no_class() -> None:
    rows = "".join(f'{i:04d}.jpg,"{{""type"":""{"ab"[i % 2]}""}}","{{}}"\n' for i in range(N))
    assert labels(read(f"filename,file_attributes,regions\n{rows}".encode())) == ["ab"[i % 2] for i in range(N)]


def test_the_folder_may_stand_in_a_column_of_its_own() -> None:
    photos = [f"{site}/{i}.jpg" for site in "xy" for i in range(6)]
    text = "folder,file,label\n" + "".join(f"{p[0]},{p[2:]},{'ab'[i // 3 % 2]}\n" for i, p in enumerate(photos))
    layout = read_layout([*photos, "l.csv"], read_tables({"l.csv": lambda _: text.encode()}, photos))
    assert [place.label for place in layout.places if isinstance(place, Place)] == list("aaabbbaaabbb")


def test_a_table_that_does_not_say_which_of_several_photos_it_means_says_so() -> None:
    photos = [f"{site}/{i}.jpg" for site in ("train", "test") for i in range(6)]
    text = "id,label\n" + "".join(f"{i},{'ab'[i % 2]}\n" for i in range(6))
    layout = read_layout([*photos, "l.csv"], read_tables({"l.csv": lambda _: text.encode()}, photos))
    assert layout.notes == (
        "Several photos are called '0', and l.csv does not say which of them it means. Write the folder before each "
        "name, as in 'train/0.jpg'.",
    )


def test_where_nothing_matches_a_name_of_each_side_is_shown() -> None:
    place = read(b"file,label\n12.jpg,cat\n13.jpg,dog\n").places[0]
    assert place == NoPlace(
        reason="Nothing in the table labels.csv matches the photos: it names '13.jpg', and a photo here is called "
        "'photos/0000.jpg'. Make the names in the table those of the photos."
    )


@pytest.mark.parametrize("header", ["group", "patient_id", "Site", "clipId", "camera"])
def test_a_column_may_say_what_belongs_together(header: str) -> None:
    text = f"file,{header},label,set\n" + "".join(
        f"{i:04d},p{i // 4},{'ab'[i % 2]},{'test' if i < 4 else 'train'}\n" for i in range(N)
    )
    layout = read(text.encode())
    assert layout.places[0] == Place(label="a", split=Split.TEST, group="p0")
    assert layout.places[N - 1] == Place(label="b", split=Split.TRAIN, group="p2")
    assert f"Photos with the same '{header}' in labels.csv stay together" in layout.notes[0]


def test_a_column_that_could_group_is_the_class_where_nothing_else_is() -> None:
    layout = read(b"file,site\n" + b"".join(b"%04d,%d\n" % (i, i % 2) for i in range(N)))
    assert layout.places[1] == Place(label="1")


@pytest.mark.parametrize(
    "value",
    [
        {f"{i:04d}.jpg": "ab"[i % 2] for i in range(N)},
        {label: [f"{i:04d}.jpg" for i in range(N) if "ab"[i % 2] == label] for label in "ab"},
        {"images": [{"file_name": f"{i:04d}.jpg", "label": "ab"[i % 2]} for i in range(N)]},
        {"labels": [[f"photos/{i:04d}.jpg", "ab"[i % 2]] for i in range(N)]},
        {"f": {str(i): f"{i:04d}.jpg" for i in range(N)}, "l": {str(i): "ab"[i % 2] for i in range(N)}},
    ],
)
def test_json_of_many_shapes_is_a_table(value: object) -> None:
    assert labels(read(json.dumps(value).encode(), name="labels.json")) == ["ab"[i % 2] for i in range(N)]


@pytest.mark.parametrize(
    "text", ['{"name": "app", "scripts": {"a": 1}}', "[1, 2", "[" * 100_000, "[" + "{}," * 2_000_000 + "{}]"]
)
def test_other_json_is_no_table(text: str) -> None:
    assert read_tables({"x.json": lambda _: text.encode()}, PHOTOS) == []


def test_a_table_that_is_too_large_and_a_workbook_are_told_also_where_folders_give_the_classes() -> None:
    names = ["cat/1.jpg", "dog/2.jpg"]
    contents = {"labels.csv": b"x" * (MAX_TABLE_BYTES + 1), "sheet.xlsx": b"PK"}
    tables = read_tables({name: lambda n, c=content: c[:n] for name, content in contents.items()}, names)
    layout = read_layout([*names, *contents], tables)
    assert layout.reading is Reading.FOLDERS
    assert (
        layout.notes[0]
        == "labels.csv is larger than 20 MB, so it was not read. Delete the columns that are not needed."
    )
    assert layout.notes[1].startswith("sheet.xlsx is a workbook of a spreadsheet program, so it was not read.")
