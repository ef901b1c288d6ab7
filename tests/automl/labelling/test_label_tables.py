import time

import pytest

from automl.labelling.label_tables import LabelTable
from automl.labelling.places import NoPlace, Place, Reading
from automl.labelling.reading import Layout, read_layout
from automl.records import Split

PHOTOS = ("1.jpg", "2.jpg", "3.jpg", "4.jpg")


def read(text: str, *names: str, table: str = "labels.csv", **others: str) -> Layout:
    tables = [
        LabelTable(name=table, text=text),
        *(LabelTable(name=f"{name}.csv", text=other) for name, other in others.items()),
    ]
    return read_layout([*(names or PHOTOS), *(table.name for table in tables)], tables, reading=Reading.TABLE)


def labels(layout: Layout) -> list[str | None]:
    return [place.label if isinstance(place, Place) else None for place in layout.places]


def reason(layout: Layout, index: int) -> str:
    place = layout.places[index]
    assert isinstance(place, NoPlace)
    return place.reason


@pytest.mark.parametrize(
    "text",
    [
        "file,label\n1.jpg,cat\n2.jpg,dog\n3.jpg,cat\n4.jpg,dog\n",
        "\ufefffile;label\r\n1.jpg;cat\r\n2.jpg;dog\r\n3.jpg;cat\r\n4.jpg;dog\r\n",
        "id\tspecies\n1\tcat\n2\tdog\n3\tcat\n4\tdog\n",
        "1.jpg,cat\n2.jpg,dog\n3.jpg,cat\n4.jpg,dog\n",
        "label,path\ncat,/home/me/set/1.JPG\ndog,C:\\set\\2.jpg\ncat,3.png\n dog ,./4.jpg\n",
        "n,file,comment,what\n0,1,sleeps,cat\n1,2,barks,dog\n2,3,eats,cat\n3,4,runs,dog\n",
        "image,cat,dog\n1,1,0\n2,0,1\n3,1.0,0.0\n4,0,1\n",
        "file,label,label_name\n1,0,cat\n2,1,dog\n3,0,cat\n4,1,dog\n",
        "file,age,sex,class\n1,3,f,cat\n2,3,m,dog\n3,4,m,cat\n4,3,f,dog\n",
        '"file","label"\n\n"1.jpg","cat"\n"2.jpg","dog"\n"3.jpg","cat",extra\n"4.jpg","dog"\n',
    ],
)
def test_the_columns_are_found_by_what_is_in_them(text: str) -> None:
    layout = read(text)
    assert labels(layout) == ["cat", "dog", "cat", "dog", None]
    assert layout.places[-1] == NoPlace(reason="It is the table that says what the photos show.", is_table=True)


def test_a_column_for_the_split_is_understood() -> None:
    layout = read("file,set,label\n1,train,cat\n2,train,dog\n3,valid,cat\n4,test,dog\n")
    assert layout.places[:2] == [Place(label="cat", split=Split.TRAIN), Place(label="dog", split=Split.TRAIN)]
    assert layout.places[2:4] == [Place(label="cat", split=Split.VALIDATION), Place(label="dog", split=Split.TEST)]
    assert layout.description == (
        "The table labels.csv says what each photo shows (column 'label'), "
        "with your own train, validation and test photos."
    )


def test_folders_name_the_split_where_the_table_does_not() -> None:
    layout = read("file,label\na,cat\nb,dog\nc,cat\n", "train/a.jpg", "train/b.jpg", "test/c.jpg")
    assert layout.places[1:3] == [Place(label="dog", split=Split.TRAIN), Place(label="cat", split=Split.TEST)]


def test_one_table_for_each_part_of_the_split() -> None:
    text = "file,label\n{},cat\n{},dog\n"
    tables = [
        LabelTable(name="train.csv", text=text.format(1, 2)),
        LabelTable(name="test_labels.csv", text=text.format(3, 4)),
    ]
    places = read_layout([*PHOTOS, "train.csv", "test_labels.csv"], tables).places
    assert places[:2] == [Place(label="cat", split=Split.TRAIN), Place(label="dog", split=Split.TRAIN)]
    assert places[2:4] == [Place(label="cat", split=Split.TEST), Place(label="dog", split=Split.TEST)]


def test_photos_of_one_name_are_told_apart_by_their_folders() -> None:
    names = ("set/a/1.jpg", "set/b/1.jpg")
    assert labels(read("path,label\na/1.jpg,cat\nb/1.jpg,dog\n", *names))[:2] == ["cat", "dog"]
    assert labels(read("path,label\nx/a/1,cat\nx/b/1,dog\n", *names))[:2] == ["cat", "dog"]


def test_each_table_means_the_photos_beside_it() -> None:
    tables = [
        LabelTable(name="a/l.csv", text="file,label\n1,cat\n2,dog\n"),
        LabelTable(name="b/l.csv", text="file,label\n1,dog\n2,cat\n"),
    ]
    names = ["a/1.jpg", "a/2.jpg", "b/1.jpg", "b/2.jpg"]
    assert labels(read_layout(names, tables, reading=Reading.TABLE)) == ["cat", "dog", "dog", "cat"]


def test_a_name_that_several_photos_have_is_not_guessed_at() -> None:
    layout = read("file,label\n1,cat\n2,dog\n", "a/1.jpg", "b/1.jpg", "b/2.jpg")
    assert labels(layout)[:3] == [None, None, "dog"]
    assert "does not say which" in reason(layout, 0)


def test_two_classes_for_one_photo_are_reported() -> None:
    layout = read("file,class\n1,cat\n1,dog\n2,dog\n3,cat\n4,dog\n3,cat\n")
    assert labels(layout)[:4] == [None, "dog", "cat", "dog"]
    assert "two classes: 'cat' and 'dog'" in reason(layout, 0)


def test_photos_and_rows_without_each_other_are_reported() -> None:
    layout = read("file,label\n1,cat\n2,dog\n3,\n7,cat\n8,cat\n")
    assert reason(layout, 2) == "The table labels.csv gives it no class."
    assert reason(layout, 3) == "The table labels.csv has no row with the file's name."
    assert layout.notes == ("In labels.csv, 2 rows name photos that cannot be found here.",)


def test_numbered_classes_get_their_names_from_another_table() -> None:
    layout = read("file,label\n1,0\n2,1\n3,0\n4,1\n", classes="id,name\n0,cat\n1,dog\n")
    assert labels(layout) == ["cat", "dog", "cat", "dog", None, None]
    assert all(isinstance(place, NoPlace) and place.is_table for place in layout.places[4:])
    assert labels(read("1,0\n2,1\n", classes="cat,0\ndog,1\n"))[:2] == ["cat", "dog"]


def test_numbers_without_names_are_classes_too() -> None:
    assert labels(read("1,0\n2,1\n3,0\n4,1\n"))[:4] == ["0", "1", "0", "1"]


def test_the_same_class_written_twice_is_joined() -> None:
    layout = read("file,label\n1,Cat\n2,cat\n3,cat \n4,dog\n")
    assert labels(layout)[:4] == ["cat", "cat", "cat", "dog"]
    assert layout.joined == ("'Cat' was taken for another spelling of 'cat'.",)


def test_a_table_that_says_it_names_classes_is_used_rather_than_folders() -> None:
    table = LabelTable(name="labels.csv", text="file,label\n1,x\n2,y\n")
    layout = read_layout(["site A/1.jpg", "site B/2.jpg"], [table])
    assert layout.reading is Reading.TABLE
    assert Reading.FOLDERS in [other.reading for other in layout.others]


def test_folders_are_used_where_the_table_says_the_same_of_fewer_photos() -> None:
    table = LabelTable(name="labels.csv", text="file,label\n1,cat\n2,Dog\n")
    assert read_layout(["cat/1.jpg", "dog/2.jpg", "dog/3.jpg"], [table]).reading is Reading.FOLDERS


def test_another_table_is_used_only_where_folders_do_not_say_the_classes() -> None:
    table = LabelTable(name="labels.csv", text="file,sex\n1,x\n2,y\n")
    assert read_layout(["cat/1.jpg", "dog/2.jpg"], [table]).reading is Reading.FOLDERS
    assert [other.reading for other in read_layout(["cat/1.jpg", "dog/2.jpg"], [table]).others] == [Reading.TABLE]
    assert read_layout(["all/1.jpg", "all/2.jpg"], [table]).reading is Reading.TABLE
    assert read_layout(["train/1.jpg", "test/2.jpg"], [table]).reading is Reading.TABLE
    assert read_layout(["train_images/1.jpg", "test_images/2.jpg"], [table]).reading is Reading.TABLE


def test_a_table_that_names_few_photos_is_not_guessed() -> None:
    layout = read_layout([f"{n}.jpg" for n in range(10)], [LabelTable(name="l.csv", text="file,label\n1,cat\n2,dog\n")])
    assert layout.reading is Reading.FOLDERS


def test_a_table_that_is_not_used_is_not_taken_for_a_photo() -> None:
    layout = read_layout(["cat/1.jpg", "dog/2.jpg", "sizes.csv"], [LabelTable(name="sizes.csv", text="a,b\n3,4\n")])
    assert reason(layout, 2).startswith("It is a table, not a photo")
    assert not layout.notes


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n\n",
        "hello",
        '"',
        "\x00,\x00\n",
        "a,b\n",
        "1.jpg\n2.jpg\n",
        "1.jpg,0.12\n2.jpg,0.4\n3.jpg,0.5\n4.jpg,7.1\n",
    ],
)
def test_a_table_that_says_no_classes_is_passed_over(text: str) -> None:
    layout = read(text)
    assert labels(layout) == [None] * 5
    assert layout.description == "No table here says what the photos show."


def test_a_table_that_cannot_be_read_is_reported() -> None:
    assert read('a,"' + "x" * 200_000).notes == ("labels.csv could not be read as a table, so it was not used.",)


def test_made_up_answers_to_a_contest_are_no_classes() -> None:
    table = LabelTable(name="sample_submission.csv", text="file,label\n1,cat\n2,dog\n3,cat\n4,dog\n")
    assert read_layout(PHOTOS, [table]).reading is Reading.FOLDERS


def test_a_label_has_no_separators_and_no_line_breaks() -> None:
    layout = read('file,label\n1,a/b\\c\n2,"x\ny"\n3,..\n4,a/b\\c\n')
    assert labels(layout)[:4] == ["a-b-c", "x y", None, "a-b-c"]


def test_a_class_name_of_endless_length_is_refused() -> None:
    layout = read(f"file,label\n1,{'x' * 201}\n2,dog\n3,dog\n4,dog\n")
    assert "longer than 200" in reason(layout, 0)


def test_thousands_of_photos_and_rows_of_one_name_take_no_endless_time() -> None:
    names = [f"{n}/cam/frame.jpg" for n in range(4000)]
    text = "file,label\n" + "".join(f"frame.jpg,{n % 2}\nx{n}/frame.jpg,{n % 2}\n" for n in range(4000))
    begin = time.process_time()
    assert "does not say which" in reason(read(text, *names), 0)
    assert time.process_time() - begin < 5.0


def test_one_wide_row_among_thousands_of_narrow_ones_fills_no_memory() -> None:
    layout = read("x" + "," * 500_000 + "\n" + "1,cat\n2,dog\n" * 50_000)
    assert labels(layout)[:2] == ["cat", "dog"]
