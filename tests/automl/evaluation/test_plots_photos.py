"""Pages of photos and the table of layers."""

import numpy as np
import pytest
from PIL import Image

from automl.evaluation.plots.layers import LayerRow, layer_rows, layer_table
from automl.evaluation.plots.photos import choose_samples, heat_maps, sample_predictions
from automl.evaluation.plots.style import new_figure, save_photographs
from automl.serving.heat import overlay
from automl.serving.predict import RULES
from tests.automl.evaluation.plotted import assert_readable, cross_validated_score, drawn_texts, pictures, score


def titles(figure):
    return [axes.get_title(loc="left") for axes in figure.axes]


def test_samples_show_actual_and_predicted_with_mistakes_first(tmp_path):
    found = titles(sample_predictions(score(3), pictures(tmp_path, 40), RULES))
    assert len(found) == 12
    assert all("actual:" in title and "predicted:" in title for title in found)
    assert "✗" in found[0] and "✓" in found[-1]


def test_photos_keep_their_colours_in_the_file(tmp_path):
    shades = np.arange(64 * 64 * 3).reshape(64, 64, 3) % 251 * np.array([1, 1, 0]) + np.array([0, 0, 7])
    figure = new_figure(2, 2, "Shades")
    figure.subplots().imshow(shades.astype(np.uint8), interpolation="nearest")
    with Image.open(save_photographs(tmp_path / "a.png", figure).path) as picture:
        assert picture.mode == "RGB" and len(picture.getcolors(1 << 20)) > 256


def test_right_answers_are_spread_over_the_classes():
    result = score(4, 400)
    right = [index for index in choose_samples(result) if result.predicted[index] == result.truth[index]]
    assert len(set(result.truth[right[:4]])) == 4


@pytest.mark.parametrize("n_images", [1, 2, 40])
def test_photos_have_titles_that_fit(n_images, tmp_path, monkeypatch):
    images = pictures(tmp_path, n_images)
    figure = sample_predictions(score(3, n_images), images, RULES)
    assert len(figure.axes) == min(n_images, 12)
    assert_readable(figure, monkeypatch)


def test_each_heat_map_stands_beside_its_photo(tmp_path, monkeypatch):
    heat = np.zeros((3, 7, 7), np.float32)
    figure = heat_maps(score(3), pictures(tmp_path, 40), heat=heat, rows=[5, 7, 11], rules=RULES)
    assert len(figure.axes) == 3
    picture = figure.axes[0].images[0].get_array()
    assert picture.shape == (160, 326, 3)
    assert (picture[80, 80] == (0, 128, 0)).all()  # the photo as it is
    assert_readable(figure, monkeypatch)


def test_without_a_test_set_photos_say_whose_answers_they_show(tmp_path, monkeypatch):
    images, heat = pictures(tmp_path, 40), np.zeros((1, 7, 7), np.float32)
    samples = sample_predictions(cross_validated_score(3), images, RULES)
    maps = heat_maps(cross_validated_score(3), images, heat=heat, rows=[5], rules=RULES)
    assert "What models like it say about photos they had never seen" in drawn_texts(samples, monkeypatch)
    assert "Where the model looks: bright areas speak for the answer that is shown" in drawn_texts(maps, monkeypatch)


def test_heat_maps_belong_to_as_many_photos(tmp_path):
    with pytest.raises(ValueError, match="2 heat maps for 1 photos"):
        heat_maps(score(3), pictures(tmp_path, 40), heat=np.zeros((2, 7, 7), np.float32), rows=[0], rules=RULES)


def test_heat_is_lighter_in_gray_print_too():
    heat = np.linspace(0, 1, 28, dtype=np.float32)[None].repeat(28, axis=0)
    shown = overlay(np.full((28, 28, 3), 100, np.uint8), heat).astype(float) @ (0.299, 0.587, 0.114)
    assert (np.diff(shown[0]) > -1).all()
    assert shown[0, -1] - shown[0, 0] > 100


def layer(name, kind, output_shape, **numbers):
    return LayerRow(name=name, kind=kind, output_shape=output_shape, **numbers)


def test_layers_are_added_up_to_total_and_frozen(monkeypatch):
    backbone = layer("backbone", "Functional", "(None, 1280)", n_params=2_000_000, n_trained=500_000)
    figure = layer_table([backbone, layer("h", "Dense", "", n_params=10, n_trained=10)])
    texts = drawn_texts(figure, monkeypatch)
    assert {"backbone", "2,000,010", "500,010", "1,500,000"} <= set(texts)
    assert_readable(figure, monkeypatch)


def test_of_very_many_layers_the_rest_is_summed_up(monkeypatch):
    rows = [layer(f"layer_{n}", "Dense", "(None, 3)", n_params=10, n_trained=10) for n in range(100)]
    figure = layer_table(rows)
    texts = drawn_texts(figure, monkeypatch)
    assert {"… and 40 more layers", "400", "1,000"} <= set(texts)
    assert_readable(figure, monkeypatch)


def test_rows_are_read_from_a_keras_model():
    import keras

    picture = keras.Input((8, 8, 3), name="image")
    body = keras.Model(picture, [picture, keras.layers.BatchNormalization()(picture)], name="body")
    pooled = keras.layers.GlobalAveragePooling2D(name="pool")(body(picture)[-1])
    model = keras.Model(picture, keras.layers.Dense(2, name="head")(pooled))
    rows = layer_rows(model)
    assert rows[1] == layer("body", "Functional", "2 outputs, last (None, 8, 8, 3)", n_params=12, n_trained=6)
    assert rows[-1] == layer("head", "Dense", "(None, 2)", n_params=8, n_trained=8)
    assert layer_rows(model, frozen=["body"])[1].n_trained == 0
