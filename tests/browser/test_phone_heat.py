"""What a model looked at, on the page that runs it in the browser: the map of the server, computed there."""

import base64
import io
from itertools import pairwise

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from automl.serving.heat import HEAT_PX, ExplainedHead, evidence, shown
from tests.automl.serving.tiny_model import tiny_model
from tests.browser.test_phone_page import a_file, contracted, open_page
from tests.server.trying import add_tried_run

pytestmark = pytest.mark.browser

HEAT = """async ([address, heads, maps, said]) => {
  const { heatOf } = await import(address);
  const numbers = (layer) => ({ kernel: Float32Array.from(layer.kernel), bias: Float32Array.from(layer.bias) });
  const known = heads.map((head) => ({ ...head, layers: head.layers.map(numbers) }));
  const typed = maps.map(({ values, shape }) => ({ values: Float32Array.from(values), shape }));
  return Array.from(heatOf(known, typed, said));
}"""
PICTURE = "document.querySelector('.answer-photo').toDataURL()"
CHANGED = f"(before) => {PICTURE} !== before"
SAME = f"(before) => {PICTURE} === before"
RANDOM = np.random.default_rng(5)


def head(taps, widths, is_unit):
    layers = [
        (RANDOM.normal(size=(n, m)).astype(np.float32), RANDOM.normal(size=m).astype(np.float32))
        for n, m in pairwise(widths)
    ]
    return ExplainedHead(taps, layers, is_unit)


@pytest.mark.parametrize("said", [0, 2])
def test_the_map_is_the_one_of_the_server_without_typical_photos(page, site, said):
    """Two taps of different sizes, a linear head over features of norm 1, and one with a hidden layer."""
    maps = [RANDOM.normal(size=(1, n, n, m)).astype(np.float32) for n, m in ((14, 6), (7, 8))]
    heads = [head((0, 1), (14, 3), True), head((1,), (8, 5, 3), False)]
    none = [np.zeros((1, 1, 1, 1), np.float32)] * 2
    expected = shown(evidence(heads, maps, typical=none, classes=np.array([said])).heat)[0]
    run_id = add_tried_run(site)
    page.goto(f"/runs/{run_id}/phone/")
    address = page.locator("script[src]").get_attribute("src").replace("phone.js", "phone-heat.js")
    told_maps = [
        {"values": values.transpose(0, 3, 1, 2).ravel().tolist(), "shape": values.transpose(0, 3, 1, 2).shape}
        for values in maps
    ]
    told_heads = [
        {
            "taps": one.taps,
            "isUnit": one.is_unit,
            "layers": [{"kernel": kernel.ravel().tolist(), "bias": bias.tolist()} for kernel, bias in one.layers],
        }
        for one in heads
    ]
    found = page.evaluate(HEAT, [address, told_heads, told_maps, said])
    assert np.abs(np.array(found).reshape(HEAT_PX, HEAT_PX) - expected).max() < 1e-4


def half_red():
    """Red on the left, dark gray on the right."""
    image = Image.new("RGB", (64, 64), (40, 40, 40))
    image.paste((255, 0, 0), (0, 0, 32, 64))
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def seen(page):
    """The picture of the first answer, as it is shown, float (height, width, 3)."""
    address = page.locator(".answer-photo").first.evaluate("(canvas) => canvas.toDataURL()")
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(address.partition(",")[2]))).convert("RGB"), float)


def ask_about_half_red(page, site, model):
    open_page(page, add_tried_run(site, model=model))
    page.locator("#photos-input").set_input_files([a_file("half.png", half_red())])
    expect(page.locator("#answers .answer-words")).to_contain_text("red")


@pytest.mark.parametrize("hidden", [0, 3])
def test_what_speaks_for_the_answer_is_bright_until_the_photo_is_shown_again(page, site, hidden):
    ask_about_half_red(page, site, contracted(tiny_model(hidden=hidden)))
    before, shown_before = seen(page), page.evaluate(PICTURE)
    button = page.get_by_role("button", name="What it looked at half.png")
    page.locator("#answers .show-heat").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".heat-words")).to_contain_text("Bright areas speak for red")
    expect(button).to_have_attribute("aria-pressed", "true")
    page.wait_for_function(CHANGED, arg=shown_before)
    heat = seen(page)
    assert heat[:, :20].mean() > 100
    assert heat[:, -20:].mean() < 60
    button.click()
    expect(page.locator(".heat-words")).to_be_empty()
    page.wait_for_function(SAME, arg=shown_before)
    assert np.array_equal(seen(page), before)


def test_a_model_that_cannot_be_explained_offers_no_map(page, site):
    ask_about_half_red(page, site, contracted(tiny_model(has_taps=False)))
    expect(page.locator("#answers .show-heat")).to_be_hidden()
