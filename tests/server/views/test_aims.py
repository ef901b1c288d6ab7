import pytest

from automl.errors import BadSetting
from server.forms import run_settings
from server.views.aims import AIMS, with_limits


def settings(**values):
    return run_settings(with_limits(values), 3600)


def test_the_most_accurate_model_has_no_limits():
    assert settings() == settings(aim="accurate")
    assert (settings().max_model_mb, settings().max_latency_ms) == (None, None)


def test_small_and_fast_is_the_limits_that_the_form_shows():
    small = AIMS[-1]
    chosen = settings(aim=small.name)
    assert f"{chosen.max_model_mb:g} MB" in small.help
    assert f"{chosen.max_latency_ms:g} ms" in small.help


def test_each_aim_is_stricter_than_the_one_before():
    sizes = [settings(aim=aim.name).max_model_mb or 1e9 for aim in AIMS]
    assert sizes == sorted(sizes, reverse=True)


def test_a_limit_that_was_written_counts_more():
    chosen = settings(aim="small", max_model_mb="30", max_latency_ms="")
    assert (chosen.max_model_mb, chosen.max_latency_ms) == (30.0, 20.0)


def test_an_unknown_aim_is_refused():
    with pytest.raises(BadSetting, match="accurate, balanced or small"):
        settings(aim="cheap")
