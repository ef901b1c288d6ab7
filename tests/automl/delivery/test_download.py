"""A download holds what was chosen, what uses it and what is said of it, and always the same bytes."""

import json
import zipfile
import zlib

import pytest

from automl.delivery.download import Chosen, compose
from automl.errors import BadBundle
from automl.formats import FORMATS, find_format
from automl.records import DeliveredContract

SENTENCE = "It was right on 9 of 10."
ALWAYS = {"README.txt", "labels.txt", "metrics.json", "plots/roc.png", "predict.py"}
OF_ONNX = {"model.onnx", "requirements.txt", "README_onnx.txt"}
OF_TENSORFLOW = {"predict_tensorflow.py", "requirements_tensorflow.txt", "README_tensorflow.txt"}
OF_LITERT = {"predict_litert.py", "requirements_litert.txt", "README_litert.txt"}
SAVED_MODEL = {"saved_model/saved_model.pb", "saved_model/assets.extra/labels.txt"}


@pytest.fixture
def base(tmp_path):
    path = tmp_path / "base.zip"
    with zipfile.ZipFile(path, "w") as bundle:
        for name in ("README.txt", "labels.txt", "predict.py", "requirements.txt", "model.onnx", "plots/roc.png"):
            bundle.writestr(name, f"base {name}")
        bundle.writestr("model.keras", b"keras")
        bundle.writestr(zipfile.ZipInfo("metrics.json", (2026, 11, 22, 1, 2, 4)), json.dumps({"sentence": SENTENCE}))
    return path


@pytest.fixture
def chosen(tmp_path):
    """By name, in the order of the names."""
    folder = tmp_path / "exports"
    folder.mkdir()
    with zipfile.ZipFile(folder / "saved_model", "w") as archive:
        archive.writestr("saved_model.pb", b"graph")
        archive.writestr("assets.extra/labels.txt", b"a\n")

    def choose(*names, remark=""):
        for one in map(find_format, names):
            if one.name.startswith("litert"):
                (folder / one.name).write_bytes(one.name.encode())
        made = {one.name: None if one.is_made_at_once else folder / one.name for one in FORMATS}
        return [Chosen(find_format(name), made[name], remark) for name in names]

    return choose


def composed(tmp_path, base, choice):
    compose(tmp_path / "out.zip", base, choice)
    with zipfile.ZipFile(tmp_path / "out.zip") as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["onnx"], OF_ONNX),
        (["onnx", "keras"], OF_ONNX | {"model.keras"} | OF_TENSORFLOW),
        (["keras", "saved_model"], {"model.keras"} | SAVED_MODEL | OF_TENSORFLOW),
        (["litert_int8"], {"model_int8.tflite"} | OF_LITERT),
        (
            [one.name for one in FORMATS],
            OF_ONNX | OF_TENSORFLOW | OF_LITERT | SAVED_MODEL
            | {"model.keras", "model_int8.tflite", "model_float16.tflite", "model_float32.tflite"},
        ),
    ],
)  # fmt: skip
def test_the_members_are_those_of_the_choice(tmp_path, base, chosen, names, expected):
    assert set(composed(tmp_path, base, chosen(*names))) == ALWAYS | expected


def test_models_and_figures_are_as_they_were(tmp_path, base, chosen):
    members = composed(tmp_path, base, chosen("onnx", "litert_int8", "saved_model"))
    assert members["model.onnx"] == b"base model.onnx"
    assert members["model_int8.tflite"] == b"litert_int8"
    assert members["saved_model/saved_model.pb"] == b"graph"
    assert members["plots/roc.png"] == b"base plots/roc.png"


def test_the_folder_of_a_saved_model_may_itself_be_in_its_archive(tmp_path, base, chosen):
    with zipfile.ZipFile(tmp_path / "exports" / "saved_model", "w") as archive:
        archive.writestr("saved_model/saved_model.pb", b"graph")
        archive.writestr("saved_model/assets.extra/labels.txt", b"a\n")
    assert set(composed(tmp_path, base, chosen("saved_model"))) == ALWAYS | SAVED_MODEL | OF_TENSORFLOW


def test_the_same_choice_gives_the_same_bytes_in_any_order(tmp_path, base, chosen):
    choice = chosen("onnx", "saved_model", "litert_float32")
    compose(tmp_path / "one.zip", base, choice)
    compose(tmp_path / "two.zip", base, choice[::-1])
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()
    with zipfile.ZipFile(tmp_path / "one.zip") as archive:
        assert archive.getinfo("README.txt").date_time == (2026, 11, 22, 1, 2, 4)


def test_a_threshold_that_was_chosen_is_beside_the_models_and_nothing_else_changes(tmp_path, base, chosen):
    contract = DeliveredContract(background="gray", sure=0.8)
    with zipfile.ZipFile(base, "a") as bundle:
        bundle.writestr("serving.json", contract.json_text())
    before = composed(tmp_path, base, chosen("onnx"))
    compose(tmp_path / "out.zip", base, chosen("onnx"), sure=0.95)
    with zipfile.ZipFile(tmp_path / "out.zip") as archive:
        after = {name: archive.read(name) for name in archive.namelist()}
    assert DeliveredContract.model_validate_json(after["serving.json"]) == contract.model_copy(update={"sure": 0.95})
    assert "Below a confidence of 95.0 % the programs say “not sure”" in after.pop("README.txt").decode()
    changed = {"README.txt", "serving.json"}
    assert {name: after.get(name) for name in set(before) - changed} == {
        name: before[name] for name in set(before) - changed
    }


def test_models_are_stored_and_texts_are_deflated(tmp_path, base, chosen):
    compose(tmp_path / "out.zip", base, chosen("onnx", "litert_int8"))
    with zipfile.ZipFile(tmp_path / "out.zip") as archive:
        kinds = {info.filename: info.compress_type for info in archive.infolist()}
    stored = {name for name, kind in kinds.items() if kind == zipfile.ZIP_STORED}
    assert stored == {"model.onnx", "model_int8.tflite", "plots/roc.png"}


def test_the_readme_names_the_program_of_each_model_in_this_very_zip(tmp_path, base, chosen):
    readme = composed(tmp_path, base, chosen("keras", "litert_float16", "litert_int8"))["README.txt"].decode()
    assert readme.startswith(SENTENCE)
    assert "venv/bin/python predict_tensorflow.py photo.jpg" in readme
    assert "venv\\Scripts\\python predict_litert.py photo.jpg" in readme
    assert "predict_litert.py --model model_int8.tflite photo.jpg" in readme and "--model model.keras" not in readme
    assert "venv\\Scripts\\pip install -r requirements_litert.txt" in readme
    assert "model.onnx" not in readme and "saved_model" not in readme
    assert "Keep predict.py beside" in readme


def test_the_readme_repeats_what_has_to_be_minded(tmp_path, base, chosen):
    readme = composed(tmp_path, base, chosen("litert_int8", remark="It is not the same."))["README.txt"].decode()
    assert "Mind: It is not the same." in readme


def test_requirements_are_those_of_their_runtime(tmp_path, base, chosen):
    members = composed(tmp_path, base, chosen("onnx", "litert_int8"))
    assert b"onnxruntime" in members["requirements.txt"]
    assert b"ai-edge-litert" in members["requirements_litert.txt"] and b"onnx" not in members["requirements_litert.txt"]


def test_a_base_without_the_chosen_model_is_refused(tmp_path, base, chosen):
    with zipfile.ZipFile(tmp_path / "poor.zip", "w") as bundle:
        bundle.writestr("metrics.json", json.dumps({"sentence": SENTENCE}))
    with pytest.raises(BadBundle, match=r"model\.keras"):
        compose(tmp_path / "out.zip", tmp_path / "poor.zip", chosen("keras"))


@pytest.mark.parametrize("content", [b"", b"no zip"])
def test_a_damaged_base_is_refused(tmp_path, chosen, content):
    (tmp_path / "broken.zip").write_bytes(content)
    with pytest.raises(BadBundle):
        compose(tmp_path / "out.zip", tmp_path / "broken.zip", chosen("onnx"))


@pytest.mark.parametrize("name", ["base.zip", "exports/saved_model"])
def test_what_is_damaged_inside_is_refused(tmp_path, base, chosen, name):
    choice = chosen("saved_model")
    with zipfile.ZipFile(tmp_path / name, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("notes.txt", "abc " * 1000)
    content = (tmp_path / name).read_bytes()
    packed = zlib.compress(b"abc " * 1000, wbits=-15)
    assert packed in content
    (tmp_path / name).write_bytes(content.replace(packed, b"\xff" * len(packed)))
    with pytest.raises(BadBundle, match="damaged"):
        compose(tmp_path / "out.zip", base, choice)


def test_an_archive_without_a_saved_model_is_refused(tmp_path, base, chosen):
    choice = chosen("saved_model")
    with zipfile.ZipFile(choice[0].model, "w") as archive:
        archive.writestr("something.txt", b"")
    with pytest.raises(BadBundle, match=r"saved_model\.pb"):
        compose(tmp_path / "out.zip", base, choice)
