"""The start form as people use it: the advanced part, mistakes in it, and fields that follow each other."""

import pytest
from playwright.sync_api import expect

from automl.records import Goal, RunSettings, Sampler, TunerKind
from tests.server.views.test_estimate import add_done  # noqa: F401 - a fixture

pytestmark = pytest.mark.browser


@pytest.fixture
def world(site):
    """What fixtures of the server's tests call it."""
    return site


@pytest.fixture
def form(page, site):
    """The page of a checked data set with the advanced part open."""
    page.goto(f"/datasets/{site.add_dataset()}")
    page.get_by_text("Advanced", exact=True).click()
    return page


def start(form, site):
    form.get_by_role("button", name="Start").click()
    form.wait_for_url("**/runs/*")
    return site.run(site.queue.sent[-1][1]).settings


def test_what_is_chosen_reaches_the_run(form, site):
    form.get_by_label("What counts").select_option("balanced_accuracy")
    form.get_by_label("Largest model").fill("12.5")
    form.get_by_label("Search method").select_option("keras-tuner")
    form.get_by_label("Sampling strategy").select_option("hyperband")
    form.get_by_label("Early stopping").uncheck()
    form.get_by_label("Hidden layers of the head").fill("256,64")
    assert start(form, site) == RunSettings(
        goal=Goal.BALANCED_ACCURACY,
        max_model_mb=12.5,
        tuner=TunerKind.KERAS_TUNER,
        sampler=Sampler.HYPERBAND,
        early_stopping=False,
        head_layers=(256, 64),
    )


def test_the_other_tuner_takes_back_a_sampler_that_it_does_not_have(form, site):
    form.locator("#sampler").select_option("cma-es")
    form.locator("#tuner").select_option("keras-tuner")
    expect(form.locator("#sampler")).to_have_value("")
    assert start(form, site) == RunSettings(tuner=TunerKind.KERAS_TUNER)


def test_a_mistake_in_the_closed_part_is_shown(form, site):
    form.locator("#epochs").fill("5000")
    form.get_by_text("Advanced", exact=True).click()
    expect(form.locator("#epochs")).to_be_hidden()
    form.get_by_role("button", name="Start").click()
    expect(form.locator("#epochs")).to_be_focused()
    assert site.queue.sent == []


def test_the_advanced_part_is_not_wider_than_a_phone(form):
    form.set_viewport_size({"width": 360, "height": 740})
    assert form.evaluate("document.documentElement.scrollWidth") <= 360


def test_another_aim_brings_its_own_limits(form, site):
    form.get_by_label("Largest model").fill("12.5")
    form.get_by_label("Small and fast").check()
    expect(form.get_by_label("Largest model")).to_have_value("")
    assert start(form, site) == RunSettings(max_model_mb=12.0, max_latency_ms=20.0)


def test_an_own_time_without_minutes_is_asked_for_on_the_spot(form, site):
    form.get_by_label("My own time").check()
    form.get_by_role("button", name="Start").click()
    expect(form.locator("#minutes")).to_be_focused()
    assert site.queue.sent == []
    form.get_by_label("Quick").check()
    assert start(form, site) == RunSettings()


def test_an_own_time_says_what_it_has_room_for_as_it_is_typed(page, add_done):  # noqa: F811
    page.goto(f"/datasets/{add_done()}")
    told = page.locator("#expected-of-own")
    page.locator("#minutes").press_sequentially("2")
    expect(told).to_have_text("Room for some 10 tries.")
    page.get_by_label("Standard").check()
    expect(told).to_have_text("")
    page.locator("#minutes").press_sequentially("60")
    expect(told).to_contain_text("more than 300 tries")
