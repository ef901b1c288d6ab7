"""The command line: what it prints, and how it ends."""

import csv
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from PIL import Image

from automl.cli import main, parser
from automl.cli.photos import scratch_folder
from automl.cli.run_options import read_run_settings
from automl.records import DeliveredContract, Goal, PrunerKind, RunSettings, Sampler, TunerKind
from automl.settings import load_settings
from tests.automl.images.pictures import encoded, write_files
from tests.automl.serving.tiny_model import tiny_model
from tests.reports import made_report


@pytest.fixture
def photos(tmp_path):
    for label, color in (("red", (200, 0, 0)), ("blue", (0, 0, 200))):
        (tmp_path / "photos" / label).mkdir(parents=True)
        for number in range(4):
            shade = tuple(max(0, value - 10 * number) for value in color)
            Image.new("RGB", (40, 40), shade).save(tmp_path / "photos" / label / f"{number}.png")
    return tmp_path / "photos"


def test_check_counts_the_photos_of_each_class(photos, capfd):
    assert main(["check", str(photos)]) == 0
    shown = capfd.readouterr().err
    assert "red" in shown and "blue" in shown and "4" in shown


def test_check_says_how_else_the_classes_can_be_read_and_reads_them_so(tmp_path, capfd):
    folds = {
        f"fold_{n}/{label}/{i}.png": encoded(40 * n + 20 * (label == "dog") + i)
        for n in (1, 2)
        for label in ("cat", "dog")
        for i in range(4)
    }
    folder = write_files(tmp_path / "pets", folds)
    assert main(["check", str(folder)]) == 0
    said = " ".join(capfd.readouterr().err.split())
    assert "The innermost folder of each photo is its class" in said and "--layout folders" in said
    assert main(["check", str(folder), "--layout", "folders"]) == 0
    said = " ".join(capfd.readouterr().err.split())
    assert "One folder for each class." in said and "--layout innermost" in said


def test_check_names_what_is_not_used(photos, capfd):
    (photos / "red" / "notes.jpg").write_text("not a picture")
    assert main(["check", str(photos)]) == 0
    assert "notes.jpg" in capfd.readouterr().err


def test_the_column_of_the_classes_can_be_chosen(photos, capfd):
    paths = sorted(photos.rglob("*.png"))
    rows = [f"{path.relative_to(photos)},{'xy'[n % 2]},{'pqq'[n % 3]}\n" for n, path in enumerate(paths)]
    (photos / "labels.csv").write_text("file,label,shape\n" + "".join(rows))
    assert main(["check", str(photos)]) == 0
    shown = " ".join(capfd.readouterr().err.split())
    assert (
        "(column 'label')" in shown
        and "Another reading is possible with --label-column shape. The column 'shape' of" in shown
    )
    assert main(["check", str(photos), "--label-column", "shape"]) == 0
    assert "(column 'shape')" in " ".join(capfd.readouterr().err.split())


def test_one_class_is_explained(photos, capfd):
    for path in (photos / "blue").iterdir():
        path.unlink()
    assert main(["train", str(photos), "--out", str(photos / "model.zip")]) == 2
    assert "class" in capfd.readouterr().err
    assert not (photos / "model.zip").exists()


def test_a_folder_that_is_not_there_is_one_clear_line(tmp_path, capfd):
    assert main(["check", str(tmp_path / "nowhere")]) == 2
    shown = capfd.readouterr().err
    assert "nowhere" in shown and "Traceback" not in shown


def test_a_budget_that_is_no_time_is_explained(photos, capfd):
    assert main(["train", str(photos), "--budget", "soon"]) == 2
    assert "soon" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("option", "value", "words"),
    [
        ("--budget", "0", "between 30 seconds and 24 hours"),
        ("--budget", "29s", "between 30 seconds and 24 hours"),
        ("--budget", "25h", "between 30 seconds and 24 hours"),
        ("--max-trials", "0", "Max trials must be a whole number from 1"),
        ("--seed", "-1", "Seed must be a whole number from 0"),
        ("--max-image-size", "0", "from 96 to 320, a multiple of 32"),
        ("--max-image-size", "97", "from 96 to 320, a multiple of 32"),
        ("--max-image-size", "-5", "from 96 to 320, a multiple of 32"),
        ("--budget", "none", "without a time limit needs a trial limit"),
        ("--epochs", "0", "Epochs must be a whole number from 1"),
        ("--head-layers", "wide", "such as 256 or 256,64"),
        ("--max-model-mb", "0", "Max model size must be a number from 0.1"),
        ("--max-latency-ms", "0", "Max latency must be a number from 0.1"),
        ("--sampler", "bayesian", "sampler of optuna must be tpe, random or cma-es"),
        ("--out", "/proc/x/model.zip", "cannot be written"),
    ],
)
@pytest.mark.parametrize("command", [["train", "/no/such/folder"], ["demo"]])
def test_settings_are_checked_before_anything_is_read(command, option, value, words, capfd):
    assert main([*command, option, value]) == 2
    shown = " ".join(capfd.readouterr().err.split())
    assert words in shown
    assert "no folder" not in shown and "photos" not in shown


def settings_of(tmp_path, *arguments):
    options = parser().parse_args(["train", "photos", "--out", str(tmp_path / "model.zip"), *arguments])
    return read_run_settings(options, load_settings({}))


def test_scratch_files_lie_beside_the_features_and_are_gone_afterwards(tmp_path):
    settings = load_settings({"DARKROOM_HOME": str(tmp_path)})
    with scratch_folder(settings) as folder:
        assert Path(folder).parent == settings.features_dir
        assert settings.features_dir.is_relative_to(tmp_path)
    assert list(settings.features_dir.iterdir()) == []


def test_no_options_are_the_default_settings(tmp_path):
    assert settings_of(tmp_path) == RunSettings()


def test_every_option_reaches_the_run(tmp_path):
    arguments = (
        "--budget none --max-trials 9 --goal balanced_accuracy --max-model-mb 12.5 --max-latency-ms 20 --seed 3 "
        "--tuner keras-tuner --sampler hyperband --pruner none --no-early-stopping --lr-scheduler cosine --epochs 7 "
        "--head-layers 256,64 --no-fine-tuning --max-image-size 320 --backbones mobilenet_v2"
    )
    assert settings_of(tmp_path, *arguments.split()) == RunSettings(
        budget_s=None,
        goal=Goal.BALANCED_ACCURACY,
        max_model_mb=12.5,
        max_latency_ms=20.0,
        tuner=TunerKind.KERAS_TUNER,
        sampler=Sampler.HYPERBAND,
        pruner=PrunerKind.NONE,
        seed=3,
        max_trials=9,
        backbones=("mobilenet_v2",),
        max_image_size_px=320,
        early_stopping=False,
        lr_scheduler="cosine",
        epochs=7,
        head_layers=(256, 64),
        fine_tuning=False,
    )


def test_a_folder_to_write_the_model_to_is_refused_with_a_name_to_use(photos, capfd):
    assert main(["train", str(photos), "--out", str(photos)]) == 2
    assert f"{photos / 'model.zip'}".replace(" ", "") in "".join(capfd.readouterr().err.split())


def test_a_bad_setting_makes_no_folder_for_the_model(tmp_path, capfd):
    assert main(["demo", "--budget", "0", "--out", str(tmp_path / "new" / "model.zip")]) == 2
    assert not (tmp_path / "new").exists()
    assert "30 seconds" in capfd.readouterr().err


def test_a_missing_archive_is_one_clear_line(tmp_path, capfd):
    assert main(["check", str(tmp_path / "missing.zip")]) == 2
    shown = capfd.readouterr().err
    assert "There is no file" in shown and "Traceback" not in shown


def test_a_class_name_is_shown_as_it_is_written(photos, capfd):
    (photos / "red").rename(photos / "[bold]red")
    assert main(["check", str(photos)]) == 0
    assert "[bold]red" in capfd.readouterr().err


def test_a_folder_may_be_called_zip(photos, capfd):
    assert main(["check", str(photos.rename(photos.with_suffix(".zip")))]) == 0
    assert "red" in capfd.readouterr().err


def _write_model(path, model=None):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("model.onnx", model or tiny_model())
        archive.writestr("metrics.json", made_report(calibration={"threshold": 0.9}).json_text())


def test_predict_refuses_a_zip_without_a_model(tmp_path, capfd):
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("readme", "nothing")
    assert main(["predict", str(tmp_path / "x.zip"), "a.jpg"]) == 2
    assert "not a model that Darkroom made" in " ".join(capfd.readouterr().err.split())


def test_predict_says_of_a_missing_model_that_it_is_not_found(tmp_path, capfd):
    assert main(["predict", str(tmp_path / "x.zip"), "a.jpg"]) == 2
    shown = " ".join(capfd.readouterr().err.split())
    assert "There is no file" in shown and "not a model" not in shown


def test_predict_says_of_a_missing_photo_that_it_is_not_found_and_answers_the_rest(tmp_path, capfd):
    _write_model(tmp_path / "model.zip")
    Image.new("RGB", (8, 8), (255, 0, 0)).save(tmp_path / "1.png")
    photos = [str(tmp_path / name) for name in ("0.png", "1.png")]
    assert main(["predict", str(tmp_path / "model.zip"), *photos]) == 2
    shown = capfd.readouterr()
    assert "0.png: There is no such file." in " ".join(shown.err.split())
    assert "1.png: red" in shown.out


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("x" * 300 + ".png", "its name is longer than any file's can be here"),
        ("a\0b.png", "its name has a character that no file can have"),
        ("1.png/2.png", "There is no such file"),
    ],
)
def test_a_photo_whose_name_no_file_can_have_is_told_in_a_sentence_and_the_rest_answered(tmp_path, capfd, name, words):
    _write_model(tmp_path / "model.zip")
    Image.new("RGB", (8, 8), (255, 0, 0)).save(tmp_path / "1.png")
    assert main(["predict", str(tmp_path / "model.zip"), f"{tmp_path}/{name}", str(tmp_path / "1.png")]) == 2
    shown = capfd.readouterr()
    assert words in " ".join(shown.err.split()) and "Errno" not in shown.err
    assert "1.png: red" in shown.out


@pytest.mark.parametrize("command", ["predict", "check", "train", "upload"])
def test_what_no_file_can_be_called_is_told_in_a_sentence(tmp_path, capfd, command):
    for name in ("x" * 300 + ".zip", "a\0b.zip"):
        assert main([command, f"{tmp_path}/{name}", *(["a.png"] if command == "predict" else [])]) == 2
        shown = " ".join(capfd.readouterr().err.split())
        assert "There is no" in shown and "Errno" not in shown and "File name too long" not in shown


def test_a_folder_for_the_table_of_answers_is_told_in_a_sentence(tmp_path, capfd):
    _write_model(tmp_path / "model.zip")
    assert main(["predict", str(tmp_path / "model.zip"), "a.png", "--csv", str(tmp_path)]) == 2
    assert "It is a folder, not a file." in " ".join(capfd.readouterr().err.split())


def test_an_answer_below_the_threshold_is_said_to_be_not_sure(tmp_path, capsys):
    _write_model(tmp_path / "model.zip")
    for name, colour in (("1.png", (255, 0, 0)), ("2.png", (60, 40, 40))):
        Image.new("RGB", (8, 8), colour).save(tmp_path / name)
    assert main(["predict", str(tmp_path / "model.zip"), str(tmp_path / "1.png"), str(tmp_path / "2.png")]) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith(f"{tmp_path / '1.png'}: red ")
    assert second.startswith(f"{tmp_path / '2.png'}: not sure, perhaps red ")


def test_a_photo_of_nothing_that_was_learned_is_named_so_in_words_and_in_the_table(tmp_path, capsys):
    _write_model(tmp_path / "model.zip", tiny_model(has_distance=True))
    Image.new("RGB", (8, 8), (255, 255, 255)).save(tmp_path / "1.png")
    command = ["predict", str(tmp_path / "model.zip"), str(tmp_path / "1.png")]
    assert main(command) == 0
    assert f"{tmp_path / '1.png'}: this looks like nothing it has learned (otherwise " in capsys.readouterr().out
    assert main([*command, "--csv", str(tmp_path / "answers.csv")]) == 0
    with (tmp_path / "answers.csv").open(encoding="utf-8") as file:
        assert [row["foreign"] for row in csv.DictReader(file)] == ["yes"]


def test_the_threshold_that_its_user_chose_for_a_download_counts(tmp_path, capsys):
    _write_model(tmp_path / "model.zip")
    with zipfile.ZipFile(tmp_path / "model.zip", "a") as archive:
        archive.writestr("serving.json", DeliveredContract(sure=0.5).json_text())
    Image.new("RGB", (8, 8), (60, 40, 40)).save(tmp_path / "1.png")
    assert main(["predict", str(tmp_path / "model.zip"), str(tmp_path / "1.png")]) == 0
    assert capsys.readouterr().out.startswith(f"{tmp_path / '1.png'}: red ")


@pytest.mark.parametrize(
    ("calibration", "sure"),
    [({"threshold": 0.9}, ["yes", "no", ""]), ({"threshold": None}, [""] * 3), (None, [""] * 3)],
)
def test_the_table_of_answers_says_which_are_sure(tmp_path, calibration, sure):
    with zipfile.ZipFile(tmp_path / "model.zip", "w") as archive:
        archive.writestr("model.onnx", tiny_model())
        archive.writestr("metrics.json", made_report(calibration=calibration).json_text())
    Image.new("RGB", (8, 8), (255, 0, 0)).save(tmp_path / "1.png")
    Image.new("RGB", (8, 8), (60, 40, 40)).save(tmp_path / "2.png")
    (tmp_path / "3.png").write_text("words")
    photos = [str(tmp_path / f"{number}.png") for number in (1, 2, 3)]
    assert main(["predict", str(tmp_path / "model.zip"), *photos, "--csv", str(tmp_path / "answers.csv")]) == 2
    with (tmp_path / "answers.csv").open(encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    assert header == ["photo", "answer", "confidence", "sure", "foreign", "red", "green", "blue", "error"]
    assert [row[3] for row in rows] == sure
    assert {len(row) for row in rows} == {9}


def test_train_without_weights_says_how_to_get_them(photos, tmp_path, monkeypatch, capfd):
    monkeypatch.setenv("DARKROOM_CACHE_DIR", str(tmp_path / "empty"))
    assert main(["train", str(photos), "--budget", "30s"]) == 1
    assert "automl weights fetch" in " ".join(capfd.readouterr().err.split())


def test_starting_the_command_line_loads_no_tensorflow():
    code = "import automl.cli, sys; assert not {'tensorflow', 'keras', 'optuna'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, env=os.environ)
