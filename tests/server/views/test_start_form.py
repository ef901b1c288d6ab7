"""The form that starts a run: what it offers, and what it sends when nobody has touched it."""

from html.parser import HTMLParser

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from automl.options import RUN_OPTIONS
from automl.records import LR_SCHEDULES, SAMPLERS, Goal, PrunerKind, RunSettings, RunState, TunerKind
from automl.text.names import BACKBONE_TITLES
from server.views.aims import AIMS


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
    return world.run(world.queue.sent[-1][1]).settings


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


def test_the_largest_size_goes_up_to_320_and_is_left_open_at_first(page):
    sizes = page.split('id="max_image_size_px"')[1].split("</select>")[0]
    assert '<option value="" selected>As large as helps (recommended)' in sizes
    assert '<option value="320" >' in sizes


@pytest.mark.parametrize("aim", AIMS, ids=lambda aim: aim.name)
def test_a_form_like_a_run_has_its_aim_chosen(client, world, aim):
    settings = RunSettings(**aim.limits)
    run_id = world.add_run(settings=settings)
    page = client.get(f"/datasets/{world.run(run_id).dataset_id}?like={run_id}").text
    assert f'name="aim" value="{aim.name}" checked' in page


def form_like(client, world, run_id, more=""):
    answer = client.get(f"/datasets/{world.run(run_id).dataset_id}?like={run_id}{more}")
    return answer.text.split('id="start-form"')[1].split("</form>")[0]


ANY_SETTINGS = st.sampled_from(list(TunerKind)).flatmap(
    lambda tuner: st.builds(
        RunSettings,
        tuner=st.just(tuner),
        sampler=st.sampled_from([None, *SAMPLERS[tuner]]),
        budget_s=st.sampled_from([120.0, 600.0, 3600.0]) | st.floats(30, 86_400),
        goal=st.sampled_from([None, *Goal]),
        max_model_mb=st.none() | st.floats(0.1, 10_000),
        max_latency_ms=st.none() | st.floats(0.1, 60_000),
        pruner=st.sampled_from(list(PrunerKind)),
        seed=st.integers(0, 2**31 - 1),
        max_trials=st.none() | st.integers(1, 1_000_000),
        backbones=st.sets(st.sampled_from(list(BACKBONE_TITLES))).map(
            lambda names: tuple(name for name in BACKBONE_TITLES if name in names)
        ),
        max_image_size_px=st.none() | st.sampled_from(range(96, 321, 32)),
        early_stopping=st.booleans(),
        lr_scheduler=st.sampled_from([None, *LR_SCHEDULES]),
        epochs=st.none() | st.integers(1, 1000),
        head_layers=st.none() | st.lists(st.integers(2, 2048), max_size=3).map(tuple),
        fine_tuning=st.booleans(),
    )
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(chosen=ANY_SETTINGS)
def test_a_form_that_was_filled_in_from_a_run_starts_one_with_the_same_settings(client, world, chosen):
    run_id = world.add_run(RunState.DONE, settings=chosen, budget_s=chosen.budget_s)
    pairs = Untouched(form_like(client, world, run_id)).pairs
    assert start(client, world, world.run(run_id).dataset_id, pairs) == chosen
    assert world.run(world.queue.sent[-1][1]).parent_id == run_id


def test_a_filled_in_form_says_from_where_and_is_open_for_who_wants_to_change_it(client, world):
    run_id = world.add_run(RunState.DONE)
    form = form_like(client, world, run_id)
    assert f'href="/runs/{run_id}">run of 2 minutes</a>' in form
    assert '<details class="advanced" >' in form
    changing = form_like(client, world, run_id, "&change=1")
    assert '<details class="advanced" open>' in changing and 'id="start-own"' not in changing


def test_a_setting_that_only_advanced_shows_is_named_and_shown(client, world):
    own = RunSettings(seed=41, fine_tuning=False, max_model_mb=12.5, backbones=("mobilenet_v2", "mobilenet_v1"))
    form = form_like(client, world, world.add_run(RunState.DONE, settings=own))
    told = form.split('id="start-own">')[1].split("</span>")[0]
    assert told == (
        "Its settings under “Advanced”: Largest model: 12.5 MB; Fine-tuning: no; "
        "Networks to build on: MobileNetV2, MobileNetV1; Seed: 41."
    )
    assert '<details class="advanced" open>' in form


def test_what_stands_above_advanced_does_not_open_it(client, world):
    plain = RunSettings(budget_s=900.0, **AIMS[2].limits)
    form = form_like(client, world, world.add_run(RunState.DONE, settings=plain))
    assert '<details class="advanced" >' in form and 'id="start-own"' not in form


def test_an_empty_form_is_folded_and_follows_nothing(page):
    assert '<details class="advanced" >' in page
    assert 'name="parent"' not in page and 'id="start-changed"' not in page


def test_a_run_without_a_result_fills_the_form_in_but_is_not_followed(client, world):
    run_id = world.add_run(RunState.FAILED, settings=RunSettings(seed=41))
    form = form_like(client, world, run_id)
    assert 'value="41"' in form
    assert 'name="parent"' not in form


def test_a_network_that_is_gone_is_said_to_be(client, world):
    run_id = world.add_run(RunState.DONE, settings=RunSettings(backbones=("efficientnet_lite0",)))
    assert "EfficientNet-Lite0 (no longer installed)" in form_like(client, world, run_id)


def test_a_run_of_other_photos_fills_nothing_in(client, world, dataset_id):
    assert client.get(f"/datasets/{dataset_id}?like={world.add_run(RunState.DONE)}").status_code == 404


@pytest.mark.parametrize("kind", ["foreign", "unknown"])
def test_a_run_of_other_photos_cannot_be_followed(client, world, dataset_id, kind):
    parent = world.add_run(RunState.DONE) if kind == "foreign" else "nothing"
    answer = client.post(f"/datasets/{dataset_id}/runs", data={"parent": parent})
    assert answer.status_code == 404
    assert "does not belong to these photos" in answer.text
    assert world.queue.sent == []


def test_a_run_can_be_named_and_a_form_like_it_has_no_name(client, world, dataset_id):
    start(client, world, dataset_id, [("run_name", " red <b>\n or not " + "x" * 200)])
    run = world.run(world.queue.sent[-1][1])
    assert run.name.startswith("red <b> or not x") and len(run.name) == 100
    form = form_like(client, world, run.id)
    assert "run “red &lt;b&gt; or not" in form
    assert ("run_name", "") in Untouched(form).pairs


def test_the_name_of_a_run_stands_on_the_pages_that_list_it(client, world, dataset_id):
    run_id = world.add_run(dataset_id=dataset_id, name="with <i>dusk</i>")
    for page in (f"/runs/{run_id}", "/", f"/datasets/{dataset_id}"):
        text = client.get(page).text
        assert "with &lt;i&gt;dusk&lt;/i&gt;" in text and "<i>dusk" not in text
