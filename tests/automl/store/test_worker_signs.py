import pytest

from automl.store.worker_signs import KEPT_S, SignsAway, WorkerSigns
from tests.redis_server import running_redis, silent_redis


@pytest.mark.stack
def test_who_has_left_a_sign_is_alive_for_a_while(tmp_path):
    with running_redis(tmp_path) as url:
        signs = WorkerSigns(url)
        assert signs.nodes() == {}
        signs.leave("train@here")
        signs.leave("light@here")
        found = signs.nodes()
        assert list(found) == ["light@here", "train@here"] and all(0 <= age < KEPT_S / 2 for age in found.values())
        signs._connected().pexpire("darkroom:worker:train@here", 1)
        while len(signs.nodes()) > 1:
            pass
        assert list(signs.nodes()) == ["light@here"]


def test_where_redis_is_silent_nobody_knows(tmp_path):
    with silent_redis(tmp_path) as url:
        for ask in (WorkerSigns(url).nodes, lambda: WorkerSigns(url).leave("x")):
            with pytest.raises(SignsAway):
                ask()


@pytest.mark.parametrize("url", ["memory://", "redis+socket:///nowhere/at/all.sock"])
def test_where_there_is_no_redis_nobody_knows(url):
    with pytest.raises(SignsAway, match="does not answer"):
        WorkerSigns(url).nodes()
