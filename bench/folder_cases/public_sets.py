"""Layouts of well-known public data sets, small, with what lies beside the photos in them."""

from collections.abc import Callable
from pathlib import Path

from bench.folder_cases.case import FolderCase, files, folders, in_parts, picture, put


def _with(make: Callable[[Path], None], **texts: str) -> Callable[[Path], None]:
    """What `make` writes, and texts; `__` stands for a slash and `_dot_` for a dot in their names."""

    def make_all(root: Path) -> None:
        make(root)
        for name, text in texts.items():
            put(root, name.replace("__", "/").replace("_dot_", "."), text)

    return make_all


def _traffic_signs(root: Path) -> None:
    for label in range(3):
        for i in range(4):
            put(root, f"Train/{label}/{label:05d}_{i:05d}_00000.png", picture(10 * label + i))
            put(root, f"Test/{4 * label + i:05d}.png", picture(100 + 10 * label + i))
        put(root, f"Meta/{label}.png", picture(200 + label))
    head = "Width,Height,Roi.X1,Roi.Y1,Roi.X2,Roi.Y2,ClassId,Path"
    train = [f"{27 + i},26,5,5,22,20,{n},Train/{n}/{n:05d}_{i:05d}_00000.png" for n in range(3) for i in range(4)]
    test = [f"{27 + i},53,6,5,48,49,{n},Test/{4 * n + i:05d}.png" for n in range(3) for i in range(4)]
    put(root, "Train.csv", "\n".join([head, *train]))
    put(root, "Test.csv", "\n".join([head, *test]))
    put(
        root,
        "Meta.csv",
        "Path,ClassId,ShapeId,ColorId,SignId\n" + "\n".join(f"Meta/{n}.png,{n},1,0,3.{n}" for n in range(3)),
    )


def _food(root: Path) -> None:
    labels = ("apple_pie", "churros", "ramen")
    for number, label in enumerate(labels):
        for i in range(4):
            put(root, f"food-101/images/{label}/{1000 + 10 * number + i}.jpg", picture(10 * number + i))
    for part, which in (("train", range(3)), ("test", range(3, 4))):
        entries = {label: [f"{label}/{1000 + 10 * n + i}" for i in which] for n, label in enumerate(labels)}
        put(root, f"food-101/meta/{part}.json", str(entries).replace("'", '"'))
        put(root, f"food-101/meta/{part}.txt", "\n".join(path for paths in entries.values() for path in paths))
    put(root, "food-101/meta/classes.txt", "\n".join(labels))
    put(root, "food-101/meta/labels.txt", "\n".join(label.replace("_", " ").title() for label in labels))


def _birds(root: Path) -> None:
    names = ("001.Black_footed_Albatross", "002.Laysan_Albatross")
    images, labels, parts = [], [], []
    for number, name in enumerate(names):
        for i in range(4):
            path, index = f"{name}/{name[4:]}_{i:04d}_{number}{i}.jpg", 4 * number + i + 1
            put(root, f"CUB_200_2011/images/{path}", picture(index))
            images.append(f"{index} {path}")
            labels.append(f"{index} {number + 1}")
            parts.append(f"{index} {i % 2}")
    for name, lines in (("images", images), ("image_class_labels", labels), ("train_test_split", parts)):
        put(root, f"CUB_200_2011/{name}.txt", "\n".join(lines))
    put(root, "CUB_200_2011/classes.txt", "\n".join(f"{n} {name}" for n, name in enumerate(names, start=1)))
    put(root, "CUB_200_2011/attributes/attributes.txt", "1 has_bill_shape::curved\n2 has_bill_shape::dagger\n")


def _satellite(root: Path) -> None:
    rows: dict[str, list[str]] = {"train": [], "test": []}
    for number, name in enumerate(("Forest", "River")):
        for i in range(1, 7):
            put(root, f"EuroSAT/{name}/{name}_{i}.jpg", picture(10 * number + i))
            rows["train" if i < 5 else "test"].append(f"{name}/{name}_{i}.jpg,{number},{name}")
    for part, lines in rows.items():
        put(
            root,
            f"EuroSAT/{part}.csv",
            "\n".join([",Filename,Label,ClassName", *(f"{i},{x}" for i, x in enumerate(lines))]),
        )
    put(root, "EuroSAT/label_map.json", '{"Forest": 0, "River": 1}')


def _sports(root: Path) -> None:
    lines = []
    for number, (part, label) in enumerate((p, c) for p in ("train", "valid", "test") for c in ("air hockey", "bmx")):
        for i in range(1, 4):
            put(root, f"{part}/{label}/{i:03d}.jpg", picture(10 * number + i))
            lines.append(f"{number % 2},{part}/{label}/{i:03d}.jpg,{label},{part}")
    put(root, "sports.csv", "\n".join(["class id,filepaths,labels,data set", *lines]))
    put(root, "class_dict.csv", "class_index,class,height,width,scale by\n0,air hockey,224,224,1\n1,bmx,224,224,1\n")
    for i in range(1, 4):
        put(root, f"images to predict/{i}.jpg", picture(500 + i))


def _x_rays(root: Path) -> None:
    folders(*in_parts("chest_xray/train chest_xray/test chest_xray/val", "NORMAL PNEUMONIA"))(root)
    folders(
        *in_parts(
            "chest_xray/chest_xray/train chest_xray/chest_xray/test chest_xray/chest_xray/val", "NORMAL PNEUMONIA"
        )
    )(root)
    for name in ("NORMAL/._0000.jpg", "NORMAL/.DS_Store"):
        put(root, f"chest_xray/__MACOSX/chest_xray/train/{name}", b"\0\5\26\7")


def _takeout(root: Path) -> None:
    for number, album in enumerate(("Katzen", "Hunde", "Fotos von 2023")):
        for i in range(3 if album != "Fotos von 2023" else 2):
            put(root, f"Takeout/Google Fotos/{album}/IMG_{i:04d}.jpg", picture(10 * number + i))
            put(
                root,
                f"Takeout/Google Fotos/{album}/IMG_{i:04d}.jpg.json",
                f'{{"title": "IMG_{i:04d}.jpg", "description": "", "imageViews": "{i}"}}',
            )
        put(root, f"Takeout/Google Fotos/{album}/Metadaten.json", f'{{"title": "{album}", "access": "protected"}}')


def _phone_and_camera(root: Path) -> None:
    for number, name in enumerate(("roses", "tulips")):
        for i in range(3):
            put(root, f"{name}/100APPLE/IMG_{i:04d}.JPG", picture(10 * number + i))
            put(root, f"{name}/100APPLE/IMG_{i:04d}.AAE", "<?xml version='1.0'?><plist/>")
            put(root, f"{name}/101MSDCF/DSC{i:05d}.JPG", picture(100 + 10 * number + i))
        put(root, f"{name}/desktop.ini", "[.ShellClassInfo]")
        put(root, f"{name}/100APPLE/Thumbs.db", b"\xd0\xcf\x11\xe0")


CASES = (
    FolderCase(
        name="traffic signs with tables of both parts and icons of the classes",
        make=_traffic_signs,
        classes={"0": 8, "1": 8, "2": 8},
        tested=12,
    ),
    FolderCase(
        name="traffic signs with a table in each class folder",
        make=_with(
            folders(
                "GTSRB/Final_Training/Images/00000", "GTSRB/Final_Training/Images/00001", "GTSRB/Final_Test/Images"
            ),
            **{
                f"GTSRB__Final_Training__Images__{n:05d}__GT-{n:05d}_dot_csv": "Filename;Width;Height;ClassId\n"
                + "\n".join(f"{i:04d}.jpg;30;30;{n}" for i in range(3))
                for n in range(2)
            },
        ),
        classes={"00000": 3, "00001": 3},
    ),
    FolderCase(
        name="food with lists of both parts in JSON",
        make=_food,
        classes={"apple_pie": 4, "churros": 4, "ramen": 4},
        tested=3,
        may_ask=True,
    ),
    FolderCase(
        name="birds with five texts of numbers",
        make=_birds,
        classes={"001.Black_footed_Albatross": 4, "002.Laysan_Albatross": 4},
    ),
    FolderCase(
        name="satellite photos with tables of both parts",
        make=_satellite,
        classes={"Forest": 6, "River": 6},
        tested=4,
        may_ask=True,
    ),
    FolderCase(name="sports with photos to predict", make=_sports, classes={"air hockey": 9, "bmx": 9}, tested=6),
    FolderCase(
        name="x-rays, all of them twice, with leftovers of a Mac",
        make=_x_rays,
        classes={"NORMAL": 9, "PNEUMONIA": 9},
        tested=6,
    ),
    FolderCase(
        name="fruits with photos of several fruits",
        make=_with(
            folders(
                *(f"fruits-360/{p}/{c}" for p in ("Training", "Test") for c in ("Apple Red 1", "Banana")),
                "fruits-360/test-multiple_fruits",
            ),
            **{"fruits-360__LICENSE": "MIT", "fruits-360__papers__paper_dot_pdf": "%PDF-1.4"},
        ),
        classes={"Apple Red 1": 6, "Banana": 6},
        tested=6,
    ),
    FolderCase(
        name="a photo album of Google Takeout", make=_takeout, classes={"Fotos von 2023": 2, "Hunde": 3, "Katzen": 3}
    ),
    FolderCase(name="folders of cameras inside the classes", make=_phone_and_camera, classes={"roses": 6, "tulips": 6}),
    FolderCase(
        name="ages and genders in names",
        make=files("23_0_2_2017011617452512{i}.jpg.chip.jpg", "31_1_0_2017011617452513{i}.jpg.chip.jpg"),
        refused=("no photo here",),
    ),
    FolderCase(
        name="Czech words of the split",
        make=folders(*in_parts("trénovací validační testovací", "kočka pes")),
        classes={"kočka": 9, "pes": 9},
        tested=6,
    ),
    FolderCase(
        name="Dutch words of the split",
        make=folders(*in_parts("trainen validatie testen", "kat hond")),
        classes={"hond": 9, "kat": 9},
        tested=6,
    ),
    FolderCase(
        name="Swedish words of the split",
        make=folders(*in_parts("träning validering test", "katt hund")),
        classes={"hund": 9, "katt": 9},
        tested=6,
    ),
    FolderCase(
        name="Hebrew words of the split",
        make=folders(*in_parts("אימון בדיקה", "חתול כלב")),
        classes={"חתול": 6, "כלב": 6},
        tested=6,
    ),
    FolderCase(
        name="Vietnamese words of the split",
        make=folders("huấn luyện/mèo", "huấn luyện/chó", "kiểm tra/mèo", "kiểm tra/chó"),
        classes={"chó": 6, "mèo": 6},
        tested=6,
    ),
    FolderCase(
        name="Hungarian words of the split",
        make=folders(*in_parts("tanító teszt", "macska kutya")),
        classes={"kutya": 6, "macska": 6},
        tested=6,
    ),
    FolderCase(
        name="one class in two forms of Unicode",
        make=folders("Löwenzahn", "Lo\u0308wenzahn/neu", "Rose"),
        classes={"Löwenzahn": 6, "Rose": 3},
    ),
)
