"""Each format is the same model, carries its labels, and is written without a word or not at all."""

import zipfile

import numpy as np
import pytest
from PIL import Image

from automl.delivery import format_writer as formats
from automl.delivery.format_writer import FormatWriter, add_labels
from automl.evaluation.novelty import learn_distance
from automl.formats import FORMATS, size_of
from automl.models.quiet_tensorflow import import_tensorflow
from automl.records import DeliveredContract
from automl.search.joined import unit
from automl.serving import predict_litert, predict_tensorflow
from automl.serving.predict_tensorflow import with_taps
from tests.automl.delivery.delivered import LABELS, SIZE_PX, delivered_model, pictures

CONTRACT = DeliveredContract(background="black", sure=1.0).json_text()

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def model():
    import_tensorflow()
    return delivered_model()


@pytest.fixture(scope="module")
def keras_file(model, tmp_path_factory):
    path = tmp_path_factory.mktemp("delivered") / "model.keras"
    model.save(path)
    return path


@pytest.fixture(scope="module")
def writer(keras_file, tmp_path_factory):
    return FormatWriter(
        keras_file,
        labels=LABELS,
        size_px=SIZE_PX,
        contract=CONTRACT,
        calibration=pictures(40),
        target=tmp_path_factory.mktemp("formats"),
    )


@pytest.fixture(scope="module")
def expected(model):
    return np.asarray(model(pictures(6, seed=2).astype(np.float32)))


@pytest.mark.parametrize(("name", "most"), [("litert_float32", 1e-4), ("litert_float16", 0.01), ("litert_int8", 0.06)])
def test_litert_says_what_the_model_says(writer, expected, name, most):
    classifier = predict_litert.Classifier(writer.write(name))
    assert classifier.predict_arrays(pictures(6, seed=2)) == pytest.approx(expected, abs=most)
    assert (classifier.labels, classifier.size_px) == (LABELS, SIZE_PX)
    assert classifier.rules.background == 0


@pytest.mark.parametrize(("name", "most"), [("litert_float32", 1e-4), ("litert_float16", 0.01), ("litert_int8", 0.06)])
def test_heads_on_taps_that_are_divided_by_their_norm_say_the_same(tmp_path, name, most):
    units = delivered_model(has_units=True)
    units.save(tmp_path / "model.keras")
    writer = FormatWriter(
        tmp_path / "model.keras",
        labels=LABELS,
        size_px=SIZE_PX,
        contract=CONTRACT,
        calibration=pictures(40),
        target=tmp_path / "formats",
    )
    images = pictures(6, seed=2)
    written = writer.write(name)
    found = predict_litert.Classifier(written).predict_arrays(images)
    assert found == pytest.approx(np.asarray(units(images.astype(np.float32))), abs=most)
    interpreter = predict_litert.load_interpreter(model_path=str(written))
    floats = [one["name"] for one in interpreter.get_tensor_details() if one["dtype"] is np.float32]
    assert name != "litert_int8" or len(floats) <= 1, "only the probabilities"


@pytest.fixture(scope="module")
def able_keras_file(tmp_path_factory):
    """A model that knows how far pictures are from those that it has learned from."""
    model = delivered_model(has_units=True)
    taps = ("tap_0", "tap_1", "tap_2")
    pooled = with_taps(model, taps)(pictures(60).astype(np.float32))[1].numpy()
    widths = [model.get_layer(name).output.shape[-1] for name in taps]
    units = [unit(part) for part in np.split(pooled, np.cumsum(widths)[:-1], axis=1)]
    found = learn_distance(np.concatenate(units, axis=1), taps=taps, widths=widths, folds=np.arange(60) % 5)
    path = tmp_path_factory.mktemp("able") / "model.keras"
    model.save(path)
    contract = DeliveredContract(foreign=1.0).json_text()
    add_labels(path, LABELS, SIZE_PX, contract=contract, distance=found.distance.stored())
    return path


@pytest.mark.parametrize(
    ("name", "most"),
    [("saved_model", 1e-3), ("litert_float32", 1e-3), ("litert_float16", 0.05), ("litert_int8", 0.1)],
)
def test_each_format_gives_the_distance_of_the_model(able_keras_file, tmp_path, name, most):
    images = np.concatenate([pictures(5, seed=2), np.zeros((1, SIZE_PX, SIZE_PX, 3), np.uint8)])
    able = predict_tensorflow.Classifier(able_keras_file)
    expected, distances = able.ask_arrays(images)
    assert able.foreign == 1 and distances[:5].max() < distances[5] > 1
    writer = FormatWriter(
        able_keras_file,
        labels=LABELS,
        size_px=SIZE_PX,
        contract=DeliveredContract(foreign=1.0).json_text(),
        calibration=pictures(40),
        target=tmp_path,
    )
    module = predict_tensorflow if name == "saved_model" else predict_litert
    classifier = module.Classifier(writer.write(name))
    probabilities, found = classifier.ask_arrays(images)
    assert classifier.foreign == 1
    assert probabilities == pytest.approx(expected, abs=max(most, 0.06 if "int8" in name else 0))
    assert found[:5] == pytest.approx(distances[:5], abs=most)
    # Far beyond all photos that calibrate whole numbers, whose range therefore takes in more than these.
    assert found[5] == pytest.approx(distances[5], rel=most)


def test_int8_takes_bytes_and_uses_integer_arithmetic(writer):
    interpreter = predict_litert.load_interpreter(model_path=str(writer.write("litert_int8")))
    interpreter.allocate_tensors()
    assert interpreter.get_input_details()[0]["dtype"] is np.uint8
    floats = [one["name"] for one in interpreter.get_tensor_details() if one["dtype"] is np.float32]
    assert len(floats) <= 1, "only the probabilities"


def test_a_saved_model_says_what_the_model_says_of_photos_of_any_size(writer, model, expected):
    classifier = predict_tensorflow.Classifier(writer.write("saved_model"))
    assert classifier.predict_arrays(pictures(6, seed=2)) == pytest.approx(expected, abs=1e-4)
    larger = pictures(2, 96)
    by_model = np.asarray(model(larger.astype(np.float32)))
    assert classifier.predict_arrays(larger) == pytest.approx(by_model, abs=1e-4)
    assert (classifier.labels, classifier.size_px) == (LABELS, SIZE_PX)
    assert classifier.rules.background == 0


def test_a_saved_model_holds_every_weight_once(writer, model):
    import tensorflow as tf

    folder = writer.write("saved_model")
    sizes = [np.prod(shape) for name, shape in tf.train.list_variables(str(folder / "variables" / "variables"))]
    n_in_model = sum(weights.size for weights in model.get_weights())
    assert n_in_model <= sum(sizes) < n_in_model + 200
    assert size_of(folder) > 4 * n_in_model


def test_labels_in_a_keras_file_do_not_hinder_keras(keras_file, expected, tmp_path):
    copy = tmp_path / "model.keras"
    copy.write_bytes(keras_file.read_bytes())
    for _ in range(2):
        add_labels(copy, LABELS, SIZE_PX, contract=CONTRACT)
    classifier = predict_tensorflow.Classifier(copy)
    assert classifier.predict_arrays(pictures(6, seed=2)) == pytest.approx(expected, abs=1e-4)
    assert (classifier.labels, classifier.size_px) == (LABELS, SIZE_PX)
    assert classifier.rules.background == 0
    with zipfile.ZipFile(copy) as archive:
        assert archive.namelist().count("labels.txt") == 1


def test_the_converters_say_nothing(writer, capfd):
    writer.write("saved_model")
    writer.write("litert_float16")
    assert capfd.readouterr() == ("", "")


def test_a_failed_conversion_leaves_nothing_and_gives_the_outputs_back(keras_file, tmp_path, monkeypatch, capfd):
    writer = FormatWriter(
        keras_file, labels=LABELS, size_px=SIZE_PX, contract=CONTRACT, calibration=pictures(1), target=tmp_path / "out"
    )
    monkeypatch.setattr(formats, "_converter", lambda _: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        writer.write("litert_float32")
    assert list((tmp_path / "out").iterdir()) == []
    print("heard again")
    assert "heard again" in capfd.readouterr().out


@pytest.mark.parametrize(("script", "name"), [(predict_litert, "litert_float32"), (predict_tensorflow, "saved_model")])
def test_a_script_names_the_three_likeliest_classes_of_each_photo(writer, tmp_path, capsys, script, name):
    photo = tmp_path / "photo.png"
    Image.fromarray(pictures(1)[0]).save(photo)
    model = writer.write(name)
    assert script.main(["--model", str(model), str(photo)]) == 0
    said = capsys.readouterr().out
    assert said.startswith(f"{photo}: not sure, perhaps ") and all(label in said for label in LABELS)
    beside = model.with_name("serving.json")
    beside.write_text(DeliveredContract(sure=0.0).json_text())
    assert script.main(["--model", str(model), str(photo)]) == 0
    assert "not sure" not in capsys.readouterr().out
    beside.unlink()  # other tests have the same folder


def test_int8_without_photographs_is_refused(keras_file, tmp_path):
    writer = FormatWriter(
        keras_file, labels=LABELS, size_px=SIZE_PX, contract=CONTRACT, calibration=pictures(0), target=tmp_path
    )
    with pytest.raises(ValueError, match="photographs"):
        writer.write("litert_int8")


def test_every_other_format_has_a_writer(writer, monkeypatch):
    written = []
    monkeypatch.setattr(writer, "_write_saved_model", lambda target: written.append(target))
    monkeypatch.setattr(writer, "_write_litert", lambda target, *_converters: written.append(target))
    monkeypatch.setattr(writer, "_int8", lambda: ())
    for one in FORMATS:
        if not one.is_made_at_once:
            writer._write(one.name, one.file_name)
    assert written == [one.file_name for one in FORMATS if not one.is_made_at_once]


def test_what_comes_with_the_model_is_not_converted_from_it(writer):
    with pytest.raises(ValueError, match=r"model\.onnx comes with the model"):
        writer.write("onnx")
