"""The form that starts a run: what it offers, and what it sends when nobody has touched it."""

from html.parser import HTMLParser

import pytest

from automl.limits import SAMPLERS
from automl.options import RUN_OPTIONS
from automl.records import RunSettings, TunerKind


@pytest.fixture
def limits(tmp_path):
    """An installation with two backbones."""
    weights = tmp_path / "cache" / "weights"
    weights.mkdir(parents=True)
    for name in ("mobilenet_v2", "mobilenet_v1", "missing"):
        (weights / f"{name}.json").write_text("{}")
    return {"DARKROOM_CACHE_DIR": str(tmp_path / "cache")}


@pytest.fixture
def dataset_id(world):
    return world.add_dataset()


@pytest.fixture
def page(client, dataset_id):
    return client.get(f"/datasets/{dataset_id}").text.split('id="start-form"')[1].split("</form>")[0]


class Untouched(HTMLParser):
    """Collects the pairs that a browser would send if nobody touched the form."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.pairs: list[tuple[str, str]] = []
        self._select = ""
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        if tag == "select":
            self._select = values["name"]
        elif tag == "option" and ("selected" in values or self._select not in dict(self.pairs)):
            self.pairs = [pair for pair in self.pairs if pair[0] != self._select]
            self.pairs.append((self._select, values["value"]))
        elif tag == "input" and ("checked" in values or values["type"] not in ("radio", "checkbox")):
            self.pairs.append((values["name"], values.get("value", "")))


def start(client, world, dataset_id, pairs):
    body = {}
    for name, value in pairs:
        body.setdefault(name, []).append(value)
    assert client.post(f"/datasets/{dataset_id}/runs", data=body).status_code == 303
    return RunSettings.from_json(world.run(world.queue.sent[-1][1]).settings)


def test_the_form_as_it_is_starts_a_run_with_the_defaults(client, world, dataset_id, page):
    assert start(client, world, dataset_id, Untouched(page).pairs) == RunSettings()


def test_every_option_is_there_with_its_name_its_words_and_its_help(page):
    page = " ".join(page.split()).replace("&#39;", "'")
    for option in list(RUN_OPTIONS.values())[1:]:  # the first one is the question above the form
        assert f"{option.title} <code>{option.name}</code>" in page
        assert f'<small id="{option.name}-help">{option.help}</small>' in page
        assert f'aria-describedby="{option.name}-help"' in page


def test_only_the_installed_backbones_can_be_ticked_and_those_ticked_are_used(client, world, dataset_id, page):
    assert 'value="mobilenet_v1"' in page and 'value="mobilenet_v2"' in page
    assert "efficientnet_lite0" not in page and 'value="missing"' not in page
    ticked = [("backbones", "mobilenet_v1"), ("backbones", "mobilenet_v2")]
    assert start(client, world, dataset_id, ticked).backbones == ("mobilenet_v1", "mobilenet_v2")


def test_a_switch_that_is_turned_off_says_no(client, world, dataset_id, page):
    pairs = [pair for pair in Untouched(page).pairs if pair != ("early_stopping", "yes")]
    settings = start(client, world, dataset_id, pairs)
    assert (settings.early_stopping, settings.fine_tuning) == (False, True)


def test_each_tuner_offers_its_own_samplers(page):
    for tuner in TunerKind:
        group = page.split(f'data-of="{tuner}"')[1].split("</optgroup>")[0]
        assert [part.split('"')[0] for part in group.split('value="')[1:]] == list(SAMPLERS[tuner])


def test_the_largest_size_goes_up_to_320_and_starts_at_the_default(page):
    sizes = page.split('id="max_image_size_px"')[1].split("</select>")[0]
    assert '<option value="224" selected>224 × 224 pixels' in sizes
    assert '<option value="320" >' in sizes
