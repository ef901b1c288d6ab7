"""The page that runs a model in the visitor's own browser, compared with predict.py, also without a server."""

import base64
import io
import json
import re
import struct
import threading
import zlib

import numpy as np
import onnx
import pytest
from PIL import Image, ImageCms
from playwright.sync_api import expect
from werkzeug.serving import make_server

from automl.records import RunState
from automl.records.serving_contract import ServingContract
from automl.serving.predict import CONTRACT, PhotoRules, load_image
from automl.store.database import find_run
from server.packed_models import packed
from tests.automl.serving.tiny_model import tiny_model
from tests.browser.conftest import always_closed
from tests.browser.test_try_page import CAMERA
from tests.server.conftest import zip_of
from tests.server.trying import add_tried_run, picture

pytestmark = pytest.mark.browser

PHONE = {"width": 390, "height": 844}
READY = "#phone[data-state=ready]"
SQUARE = """async ([address, content, size, rules]) => {
  const { decoded, squareOf } = await import(address);
  const bytes = Uint8Array.from(atob(content), (one) => one.charCodeAt(0));
  const square = squareOf(await decoded(new File([bytes], "photo")), size, rules);
  return btoa(Array.from(square, (one) => String.fromCharCode(one)).join(""));
}"""

REPLACED = """async (before) => {
  while ((await caches.keys()).includes(before[0])) await new Promise((resolve) => setTimeout(resolve, 50));
  return (await caches.keys()).length;
}"""
PASTE = """(content) => {
  const bytes = Uint8Array.from(atob(content), (one) => one.charCodeAt(0));
  const data = new DataTransfer();
  data.items.add(new File([bytes], "pasted.png", { type: "image/png" }));
  document.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data }));
}"""


@pytest.fixture
def run_id(site):
    return add_tried_run(site)


def a_file(name, content):
    return {"name": name, "mimeType": "image/png", "buffer": content}


def textured(size, seed=0):
    """A picture with edges and noise, of any mode's size."""
    random = np.random.default_rng(seed)
    coarse = Image.fromarray(random.integers(0, 256, (9, 7, 3), dtype=np.uint8)).resize(size, Image.Resampling.BICUBIC)
    noise = random.integers(-30, 31, (size[1], size[0], 3))
    return Image.fromarray(np.clip(np.asarray(coarse, dtype=np.int16) + noise, 0, 255).astype(np.uint8))


def saved(image, form, **options):
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def open_page(page, run_id):
    page.goto(f"/runs/{run_id}/phone/")
    expect(page.locator(READY)).to_be_attached(timeout=30_000)


def test_a_photo_is_answered_in_the_browser(page, run_id):
    open_page(page, run_id)
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.locator("#photos-input").set_input_files([a_file("a.png", picture()), a_file("b.png", picture((60, 40, 40)))])
    expect(page.locator("#answers .answer-words")).to_have_text(
        ["Not sure. Perhaps red (56.2 %).", "It says red, 99.9 % sure."]
    )
    assert asked == []


RULES = {
    "squeeze": ServingContract(),
    "whole": ServingContract(aspect="whole", background="gray"),
    "crop": ServingContract(aspect="crop", background="black"),
}
PHOTOS = {
    "tall": lambda: saved(textured((211, 640)), "PNG"),
    "wide and small": lambda: saved(textured((97, 31)), "PNG"),
    "enlarged": lambda: saved(textured((5, 3)), "BMP"),
    "gray": lambda: saved(textured((300, 200)).convert("L"), "PNG"),
    "palette": lambda: saved(textured((300, 200)).quantize(64), "PNG"),
    "gif": lambda: saved(textured((120, 90)).quantize(64), "GIF"),
    "lossless webp": lambda: saved(textured((300, 200)), "WEBP", lossless=True),
    "jpeg": lambda: saved(textured((500, 375)), "JPEG", quality=90),
    "turned tall jpeg": lambda: turned(textured((500, 375)), "JPEG", 6),
    "mirrored and turned jpeg": lambda: turned(textured((200, 301)), "JPEG", 5),
    "gray jpeg": lambda: saved(textured((500, 375)).convert("L"), "JPEG", quality=90),
    "jpeg with a profile": lambda: profiled("JPEG", quality=90),
    "png with a profile": lambda: profiled("PNG"),
    "webp with a profile": lambda: profiled("WEBP", lossless=True),
    "png with a gamma": lambda: with_gamma(saved(textured((300, 200)), "PNG")),
}


def profiled(form, **options):
    """With a profile that swaps red and green, so that nobody overlooks whether it is applied."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    red, green = profile.index(b"rXYZ"), profile.index(b"gXYZ")
    profile[red : red + 4], profile[green : green + 4] = b"gXYZ", b"rXYZ"
    return saved(textured((300, 200)), form, icc_profile=bytes(profile), **options)


def with_gamma(png):
    """With a chunk that calls its numbers linear."""
    chunk = b"gAMA" + struct.pack(">I", 100_000)
    whole = struct.pack(">I", 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
    return png[:33] + whole + png[33:]


def turned(image, form, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    return saved(image, form, exif=exif, quality=90)


def squares(page, content, size, contract):
    """What the page and what predict.py make of a file, int (size, size, 3)."""
    address = page.locator("script[src]").get_attribute("src").replace("phone.js", "phone-pixels.js")
    rules = {"version": contract.version, "aspect": contract.aspect}
    rules["background"] = {"white": 255, "gray": 128, "black": 0}[contract.background]
    found = page.evaluate(SQUARE, [address, base64.b64encode(content).decode(), size, rules])
    square = np.frombuffer(base64.b64decode(found), np.uint8).reshape(size, size, 3)
    expected = load_image(io.BytesIO(content), size, PhotoRules.read(contract.json_text()))
    return square.astype(int), expected.astype(int)


@pytest.mark.parametrize("name", PHOTOS)
def test_pixels_are_those_of_predict_py(page, run_id, name):
    """Of tall photos within one gray level: Pillow 13 resamples some of them from top to bottom first."""
    page.goto(f"/runs/{run_id}/phone/")
    content = PHOTOS[name]()
    for contract in RULES.values():
        found, expected = squares(page, content, 224, contract)
        assert np.abs(found - expected).max() <= ("tall" in name), contract.aspect


def test_of_a_large_jpeg_the_pixels_are_nearly_those_that_libjpeg_reduces(page, run_id):
    page.goto(f"/runs/{run_id}/phone/")
    for size in ((1700, 1301), (4000, 3000)):
        content = saved(textured(size), "JPEG", quality=90)
        for contract in RULES.values():
            found, expected = squares(page, content, 224, contract)
            assert np.abs(found - expected).mean() < 1.0, contract.aspect


def test_transparent_photos_lie_before_the_background_of_the_model(page, run_id):
    page.goto(f"/runs/{run_id}/phone/")
    image = textured((300, 200))
    image.putalpha(textured((300, 200), 1).getchannel("R"))
    for contract in RULES.values():
        found, expected = squares(page, saved(image, "PNG"), 96, contract)
        assert np.abs(found - expected).max() <= 1, contract.aspect


REFUSED = {
    "TIFF": (lambda: saved(textured((30, 20)), "TIFF"), "Browsers cannot read TIFF."),
    "16 bits": (lambda: saved(Image.fromarray(np.zeros((20, 30), np.uint16)), "PNG"), "half of the 16 bits"),
    "print": (lambda: saved(textured((30, 20)).convert("CMYK"), "JPEG"), "colours of a print"),
    "words": (lambda: b"No photo.", "No photo that it can read."),
    "damaged": (lambda: saved(textured((30, 20)), "PNG")[:60], "This photo is damaged"),
    "cut off": (lambda: saved(textured((300, 200)), "PNG")[:-2000], "This photo is damaged"),
    "JPEG, cut off": (lambda: saved(textured((300, 200)), "JPEG")[:-2000], "This photo is damaged"),
    "WebP, cut off": (lambda: saved(textured((300, 200)), "WEBP")[:-2000], "This photo is damaged"),
    "all clear": (lambda: saved(Image.new("RGBA", (30, 20), (9, 9, 9, 0)), "PNG"), "transparent"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_a_browser_cannot_read_like_predict_py_is_refused_in_words(page, site, name):
    run_id = add_tried_run(site, model=contracted(tiny_model()))
    make, words = REFUSED[name]
    open_page(page, run_id)
    page.locator("#photos-input").set_input_files([a_file("a.png", make())])
    expect(page.locator("#answers .answer-words")).to_contain_text(words)


def contracted(model, **metadata):
    """The model with a serving contract and more metadata."""
    proto = onnx.load_model_from_string(model)
    known = {entry.key: entry.value for entry in proto.metadata_props}
    onnx.helper.set_model_props(proto, known | {CONTRACT: ServingContract().json_text()} | metadata)
    return proto.SerializeToString()


def with_distance(model):
    """The model with the mean of its picture as a second output, as if that were how far it is from all photos."""
    proto = onnx.load_model_from_string(model)
    proto.graph.node.append(onnx.helper.make_node("ReduceMax", ["image"], ["distance"], keepdims=0))
    proto.graph.output.append(onnx.helper.make_tensor_value_info("distance", onnx.TensorProto.FLOAT, []))
    return proto.SerializeToString()


UNSURE = "Not sure. Perhaps red (56.2 %)."


@pytest.mark.parametrize(
    ("in_contract", "beside", "words"),
    [(0.6, None, UNSURE), (None, "0.6", UNSURE), (0.5, "0.6", "It says red, 56.2 % sure."), (None, "odd", None)],
)
def test_without_a_threshold_of_the_run_that_in_the_model_counts(page, site, in_contract, beside, words):
    contract = ServingContract().json_text().replace("{", f'{{"sure": {json.dumps(in_contract)},', 1)
    metadata = {CONTRACT: contract} | ({"sure": beside} if beside else {})
    run_id = site.add_run(RunState.SEARCHING)
    bundle = zip_of(**{"model.onnx": contracted(tiny_model(), **metadata)})
    site.add_artifact(run_id, "best_so_far", bundle, "model.zip", "application/zip")
    open_page(page, run_id)
    page.locator("#photos-input").set_input_files([a_file("b.png", picture((60, 40, 40)))])
    expect(page.locator("#answers .answer-words")).to_have_text(words or "It says red, 56.2 % sure.")


def test_a_photo_that_is_far_from_all_that_was_learned_is_named_so(page, site):
    model = contracted(with_distance(tiny_model()), foreign="200")
    open_page(page, add_tried_run(site, model=model))
    page.locator("#photos-input").set_input_files([a_file("a.png", picture()), a_file("b.png", picture((150, 9, 9)))])
    expect(page.locator("#answers .answer-words")).to_have_text(
        [re.compile("red"), "This looks like nothing it has learned."]
    )


def test_a_model_of_a_newer_darkroom_is_refused_in_words(page, site):
    newer = ServingContract().json_text().replace('"version": 2', '"version": 9')
    run_id = add_tried_run(site, model=contracted(tiny_model()))
    model = contracted(tiny_model(), **{CONTRACT: newer})
    page.route("**/phone/model-*.bin", lambda route: route.fulfill(body=packed(model)))
    page.goto(f"/runs/{run_id}/phone/")
    words = "A newer Darkroom has made this model. Open the page again with that one."
    expect(page.locator("#status")).to_have_text(words)


class OtherServer:
    """The same application on an address of its own, which can end. `paths`: what was asked for."""

    def __init__(self, app):
        self.paths = []

        def listening(environ, start_response):
            self.paths.append(environ["PATH_INFO"])
            return app(environ, start_response)

        self._server = make_server("127.0.0.1", 0, always_closed(listening), threaded=True)
        self.url = f"http://127.0.0.1:{self._server.port}"
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def end(self):
        if not self._thread.is_alive():
            return
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def other_server(site):
    server = OtherServer(site.app)
    yield server
    server.end()


@pytest.fixture
def kept_page(browser, other_server, run_id):
    """A page that has been visited once."""
    context = browser.new_context(base_url=other_server.url)
    page = context.new_page()
    open_page(page, run_id)
    expect(page.locator("#kept")).to_have_text("Kept on this device: the page works without a network from now on.")
    yield page
    context.close()


def test_the_page_works_when_its_server_is_gone(kept_page, other_server):
    other_server.end()
    kept_page.reload()
    expect(kept_page.locator(READY)).to_be_attached(timeout=30_000)
    kept_page.locator("#photos-input").set_input_files([a_file("a.png", picture())])
    expect(kept_page.locator("#answers .answer-words")).to_have_text("It says red, 99.9 % sure.")


def test_the_large_parts_are_fetched_once(kept_page, other_server, run_id):
    open_page(kept_page, run_id)
    assert sum(path.endswith("ort-wasm.bin") for path in other_server.paths) == 1
    assert sum("/phone/model-" in path for path in other_server.paths) == 1


def test_what_is_newer_on_the_page_is_kept_as_well(kept_page, other_server, site, run_id):
    with site.database.session() as session:
        find_run(session, run_id).dataset.name = "other flowers"
    open_page(kept_page, run_id)
    expect(kept_page.get_by_role("heading", name="other flowers")).to_be_visible()
    other_server.end()
    open_page(kept_page, run_id)
    expect(kept_page.get_by_role("heading", name="other flowers")).to_be_visible()


def test_a_model_that_is_replaced_replaces_what_was_kept(page, site, run_id):
    open_page(page, run_id)
    expect(page.locator("#kept")).to_contain_text("Kept on this device")
    before = page.evaluate("caches.keys()")
    site.add_artifact(run_id, "bundle", zip_of(**{"model.onnx": tiny_model(3.0)}), "model.zip", "application/zip")
    open_page(page, run_id)
    expect(page.locator("#kept")).to_contain_text("Kept on this device")
    assert page.evaluate(REPLACED, before) == 1


def test_the_camera_says_what_it_sees_until_it_is_turned_off(page, run_id):
    open_page(page, run_id)
    page.evaluate(CAMERA)
    page.get_by_role("button", name="Use the camera").click()
    expect(page.locator("#camera-says")).to_have_text("It says blue, 99.9 % sure.")
    expect(page.locator("#camera-bars .bar-name")).to_have_text(["red", "green", "blue"])
    page.evaluate("window.sees = '#f00'")
    expect(page.locator("#camera-says")).to_have_text("It says red, 99.9 % sure.")
    expect(page.locator("#camera-told")).to_have_text("red")
    page.get_by_role("button", name="Turn the camera off").click()
    expect(page.get_by_role("button", name="Use the camera")).to_be_focused()
    expect(page.locator("#camera")).to_be_hidden()


def test_a_picture_is_pasted(page, run_id):
    open_page(page, run_id)
    page.evaluate(PASTE, base64.b64encode(picture()).decode())
    expect(page.locator("#answers .answer-words")).to_have_text("It says red, 99.9 % sure.")


def test_the_one_file_works_from_a_disk_and_connects_to_nothing(page, browser, run_id, tmp_path):
    page.goto(f"/runs/{run_id}/phone/")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download the page").click()
    assert download.value.suggested_filename.endswith(".html")
    path = tmp_path / "model.html"
    download.value.save_as(path)
    context = browser.new_context(offline=True)
    alone = context.new_page()
    problems, asked = [], []
    alone.on("pageerror", lambda error: problems.append(str(error)))
    alone.on("console", lambda line: "Content Security Policy" in line.text and problems.append(line.text))
    alone.on("request", lambda request: asked.append(request.url[:60]))
    alone.goto(path.as_uri())
    expect(alone.locator(READY)).to_be_attached(timeout=30_000)
    alone.locator("#photos-input").set_input_files([a_file("a.png", picture())])
    expect(alone.locator("#answers .answer-words")).to_have_text("It says red, 99.9 % sure.")
    alone.evaluate(PASTE, base64.b64encode(picture((0, 0, 255))).decode())
    expect(alone.locator("#answers .answer-words").first).to_have_text("It says blue, 99.9 % sure.")
    assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []
    assert alone.evaluate("fetch('http://127.0.0.1:1/').catch((error) => error.message)") == "Failed to fetch"
    assert [words for words in problems if "127.0.0.1:1" not in words] == []
    context.close()


def test_the_page_fits_a_phone_and_is_used_with_the_keyboard(page, run_id):
    page.set_viewport_size(PHONE)
    page.on("filechooser", lambda _: None)
    open_page(page, run_id)
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Use the camera")).to_be_focused()
    page.keyboard.press("Tab")
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Enter")
    chooser.value.set_files([a_file("a-name-that-is-" + "long" * 30 + ".png", picture())])
    expect(page.locator("#answers .answer-words")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
