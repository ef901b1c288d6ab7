"""What programs for labelling, clouds and courses write: COCO, VIA, Label Studio, Roboflow, Vertex, fastai."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.folder_cases.case import FolderCase, picture, put
from bench.folder_cases.tables import CLASSES, EVEN, N, label, photos, rows, table

_NAMES = [f"{i:04d}.jpg" for i in range(N)]


def _coco(names: Sequence[str], classes: Iterable[Sequence[str]], *, supercategory: bool = False) -> str:
    """COCO, in which each photo has an annotation for each of its classes."""
    offset = int(supercategory)
    categories: list[dict[str, Any]] = [{"id": 0, "name": "flowers", "supercategory": "none"}] if supercategory else []
    categories += [{"id": n + offset, "name": name, "supercategory": "flowers"} for n, name in enumerate(CLASSES)]
    annotations = [
        {
            "id": 10 * i + n,
            "image_id": i,
            "category_id": CLASSES.index(one) + offset,
            "bbox": [n, 1, 9, 9],
            "area": 81,
            "iscrowd": 0,
        }
        for i, of_photo in enumerate(classes)
        for n, one in enumerate(of_photo)
    ]
    images = [{"id": i, "file_name": name, "height": 48, "width": 48} for i, name in enumerate(names)]
    return json.dumps(
        {
            "info": {"year": "2024"},
            "licenses": [{"id": 1, "name": "CC", "url": ""}],
            "images": images,
            "annotations": annotations,
            "categories": categories,
        }
    )


def _beside(name: str, text: str) -> Callable[[Path], None]:
    def make(root: Path) -> None:
        photos(root, "images")
        put(root, name, text)

    return make


def _roboflow_coco(root: Path) -> None:
    for part, n, start in (("train", 16, 0), ("valid", 4, 16), ("test", 4, 20)):
        names = [f"{part}_{i}_jpg.rf.0a1b2c.jpg" for i in range(n)]
        for i, name in enumerate(names):
            put(root, f"{part}/{name}", picture(start + i))
        put(
            root,
            f"{part}/_annotations.coco.json",
            _coco(names, [[label(i)] * (1 + i % 3) for i in range(n)], supercategory=True),
        )
    put(root, "README.roboflow.txt", "flowers - v1\nProvided by a Roboflow user\nLicense: CC BY 4.0\n")


def _coco_in_parts(root: Path) -> None:
    for part, n, start in (("train2017", 16, 0), ("val2017", 8, 50)):
        names = [f"{start + i:012d}.jpg" for i in range(n)]
        for i, name in enumerate(names):
            put(root, f"{part}/{name}", picture(start + i))
        put(root, f"annotations/instances_{part}.json", _coco(names, [[label(i)] for i in range(n)]))


def _captions(root: Path) -> None:
    photos(root, "images")
    images = [{"id": i, "file_name": name} for i, name in enumerate(_NAMES)]
    annotations = [{"id": i, "image_id": i, "caption": f"A flower, number {i}"} for i in range(N)]
    put(root, "annotations/captions.json", json.dumps({"images": images, "annotations": annotations}))


def _several(i: int) -> Sequence[str]:
    return CLASSES if i % 2 else CLASSES[:1]


_CREATE_ML = json.dumps(
    [
        {
            "image": name,
            "annotations": [
                {"label": label(i), "coordinates": {"x": n, "y": 9.5, "width": 8, "height": 8}}
                for n in range(1 + i % 3)
            ],
        }
        for i, name in enumerate(_NAMES)
    ]
)
_CREATE_ML_SEVERAL = json.dumps(
    [
        {"image": name, "annotations": [{"label": one, "coordinates": {"x": 1, "y": 9.5}} for one in _several(i)]}
        for i, name in enumerate(_NAMES)
    ]
)
_VIA = json.dumps(
    {
        f"{name}{1000 + i}": {
            "filename": name,
            "size": 1000 + i,
            "regions": [],
            "file_attributes": {"flower": label(i)},
        }
        for i, name in enumerate(_NAMES)
    }
)
_LABELBOX = "\n".join(
    json.dumps(
        {
            "data_row": {"id": f"cl{i:03d}abc", "external_id": name},
            "media_attributes": {"height": 48, "width": 48},
            "projects": {
                "p1": {
                    "name": "Flowers",
                    "labels": [
                        {
                            "annotations": {
                                "objects": [],
                                "classifications": [
                                    {"name": "flower", "radio_answer": {"name": label(i), "value": label(i)}}
                                ],
                            }
                        }
                    ],
                }
            },
        }
    )
    for i, name in enumerate(_NAMES)
)
_VERTEX = "\n".join(
    json.dumps(
        {
            "imageGcsUri": f"gs://bucket/images/{name}",
            "classificationAnnotation": {"displayName": label(i), "annotationResourceLabels": {"env": "prod"}},
            "dataItemResourceLabels": {"aiplatform.googleapis.com/ml_use": "test" if i >= 16 else "training"},
        }
    )
    for i, name in enumerate(_NAMES)
)
_GROUND_TRUTH = "\n".join(
    json.dumps(
        {
            "source-ref": f"s3://bucket/images/{name}",
            "flowers": i % 2,
            "flowers-metadata": {
                "confidence": 0.9 + i / 1000,
                "job-name": "labeling-job/flowers",
                "class-name": label(i),
                "human-annotated": "yes",
                "creation-date": f"2024-01-01T10:00:{i:02d}",
                "type": "groundtruth/image-classification",
            },
        }
    )
    for i, name in enumerate(_NAMES)
)
_EDGE_IMPULSE = json.dumps(
    {
        "version": 1,
        "files": [
            {
                "path": f"images/{name}",
                "name": name[:4],
                "category": "testing" if i >= 16 else "training",
                "label": {"type": "label", "label": label(i)},
            }
            for i, name in enumerate(_NAMES)
        ],
    }
)
_LABEL_STUDIO_MIN = json.dumps(
    [
        {
            "image": f"/data/upload/1/0a1b2c{i:02x}-{name}",
            "id": i + 60,
            "choice": label(i),
            "annotator": 1,
            "annotation_id": i,
            "created_at": f"2024-01-01T10:00:{i:02d}Z",
            "lead_time": i + 0.5,
        }
        for i, name in enumerate(_NAMES)
    ]
)


def _lines(
    name: str,
    lines: Sequence[str],
    *,
    file: str = "labels.csv",
    tested: int = 0,
    classes: Mapping[str, int] = EVEN,
    ask: bool = False,
) -> FolderCase:
    return FolderCase(name=name, make=table(lines, name=file), classes=classes, tested=tested, may_ask=ask)


def _read(name: str, file: str, text: str, *, tested: int = 0, classes: Mapping[str, int] = EVEN) -> FolderCase:
    return FolderCase(name=name, make=_beside(file, text), classes=classes, tested=tested)


def _refused(name: str, file: str, text: str, *words: str) -> FolderCase:
    return FolderCase(name=name, make=_beside(file, text), refused=words)


_SEVERAL = ("several classes at once", "one class for each photo")

CASES = (
    _read(
        "COCO with one class for each photo",
        "annotations/instances_default.json",
        _coco(_NAMES, [[label(i)] for i in range(N)]),
    ),
    FolderCase(name="COCO of Roboflow, with several boxes of a class", make=_roboflow_coco, classes=EVEN, tested=4),
    FolderCase(name="COCO in parts with a folder of annotations", make=_coco_in_parts, classes=EVEN),
    _refused(
        "COCO with several classes for a photo",
        "annotations.json",
        _coco(_NAMES, [_several(i) for i in range(N)]),
        *_SEVERAL,
    ),
    _read(
        "COCO with a few photos without a class",
        "annotations.json",
        _coco(_NAMES, [[label(i)] if i < 20 else [] for i in range(N)]),
        classes={"rose": 10, "tulip": 10},
    ),
    FolderCase(name="COCO of captions", make=_captions, refused=("one class",)),
    _read("Create ML with several boxes of a class", "_annotations.createml.json", _CREATE_ML),
    _refused("Create ML with several classes for a photo", "_annotations.createml.json", _CREATE_ML_SEVERAL, *_SEVERAL),
    _read("JSON of VGG Image Annotator", "via_project.json", _VIA),
    _read(
        "VIA CSV",
        "via.csv",
        "\n".join(
            [
                "filename,file_size,file_attributes,region_count,region_id,region_shape_attributes,region_attributes",
                *(
                    f'{name},{1000 + i},"{{""flower"":""{label(i)}""}}",0,0,"{{}}","{{}}"'
                    for i, name in enumerate(_NAMES)
                ),
            ]
        ),
    ),
    _read("NDJSON of Labelbox", "export.ndjson", _LABELBOX),
    _read("JSON lines of Vertex", "import.jsonl", _VERTEX, tested=8),
    _read(
        "CSV of Vertex",
        "import.csv",
        "\n".join(
            f"{'TEST' if i >= 16 else 'TRAIN'},gs://bucket/images/{name},{label(i)}" for i, name in enumerate(_NAMES)
        ),
        tested=8,
    ),
    _read("manifest of SageMaker Ground Truth", "output.manifest", _GROUND_TRUTH),
    _read("labels of Edge Impulse", "info.labels", _EDGE_IMPULSE, tested=8),
    _read("short JSON of Label Studio", "project-1.json", _LABEL_STUDIO_MIN),
    _read(
        "list of MXNet",
        "flowers.lst",
        "\n".join(f"{i}\t{i % 2}.000000\timages/{name}" for i, name in enumerate(_NAMES)),
        classes={"0": 12, "1": 12},
    ),
    _read(
        "boxes of Roboflow in a table, one class for each photo",
        "_annotations.csv",
        "\n".join(
            [
                "filename,width,height,class,xmin,ymin,xmax,ymax",
                *(f"{name},48,48,{label(i)},{n},2,30,31" for i, name in enumerate(_NAMES) for n in range(1 + i % 3)),
            ]
        ),
    ),
    _refused(
        "boxes of Roboflow in a table, several classes for a photo",
        "_annotations.csv",
        "\n".join(
            [
                "filename,width,height,class,xmin,ymin,xmax,ymax",
                *(
                    f"{name},48,48,{one},{n},2,30,31"
                    for i, name in enumerate(_NAMES)
                    for n, one in enumerate(_several(i))
                ),
            ]
        ),
        *_SEVERAL,
    ),
    _lines("is_valid of fastai", ["name,label,is_valid", *rows(lambda i: f"{i:04d}.jpg,{label(i)},{i >= 16}")]),
    _lines(
        "is_test with ones and zeros",
        ["name,flower,is_test", *rows(lambda i: f"{i:04d}.jpg,{label(i)},{int(i >= 16)}")],
        tested=8,
    ),
    _lines(
        "a column train with yes and no",
        ["file,flower,train", *rows(lambda i: f"{i:04d}.jpg,{label(i)},{'no' if i >= 16 else 'yes'}")],
        tested=8,
    ),
    _lines("numbers of folds", ["file,flower,fold", *rows(lambda i: f"{i:04d}.jpg,{label(i)},{i % 5}")]),
    _lines("kfold before the class", ["file,kfold,flower", *rows(lambda i: f"{i:04d}.jpg,{i // 2 % 5},{label(i)}")]),
    _lines(
        "split as numbers 0, 1 and 2",
        ["file,split,flower", *rows(lambda i: f"{i:04d}.jpg,{0 if i < 16 else 1 if i < 20 else 2},{label(i)}")],
        tested=4,
    ),
    _lines(
        "is_valid beside clean and noisy classes",
        [
            "path,noisy_labels_0,noisy_labels_5,is_valid",
            *rows(lambda i: f"images/{i:04d}.jpg,{label(i)},{label(i + (i % 11 == 0))},{i >= 16}"),
        ],
        ask=True,
    ),
    _lines(
        "probabilities for each class",
        [
            "file,rose,tulip",
            *rows(lambda i: f"{i:04d}.jpg,{(0.93, 0.08)[i % 2]:.4f},{(0.07, 0.92)[i % 2]:.4f}"),
        ],
    ),
    _lines(
        "shares of votes in percent",
        [
            "file,n_votes,rose,tulip,orchid",
            *rows(lambda i: f"{i:04d}.jpg,{40 + i},{(80, 15)[i % 2]},{(15, 80)[i % 2]},5"),
        ],
    ),
    _refused(
        "independent scores for several classes",
        "labels.csv",
        "\n".join(
            [
                "file,rose,tulip,vase",
                *(f"{name},0.9,{0.8 if i % 2 else 0.1},0.{i % 9 + 1}" for i, name in enumerate(_NAMES)),
            ]
        ),
        "several classes at once",
    ),
    _lines(
        "measurements beside a class",
        [
            "file,height,width,flower,brightness",
            *rows(lambda i: f"{i:04d}.jpg,0.{i + 10},0.{90 - i},{label(i)},0.{i * 7 % 90 + 10}"),
        ],
    ),
)
