"""Two real workers, one of which is stopped and continued, or killed; `bench.chaos` plays many more rounds."""

from collections.abc import Iterator

import pytest

from bench.chaos import Site, play, running_site

pytestmark = [pytest.mark.stack, pytest.mark.slow]


@pytest.fixture(scope="module")
def site() -> Iterator[tuple[Site, str]]:
    with running_site(away_s=18.0) as site:  # longer than SQLite waits, and than the lease
        yield site, site.add_dataset()


@pytest.mark.parametrize("kind", ["freeze", "kill", "redis", "database"])
def test_no_trial_is_doubled_and_no_run_fails(site: tuple[Site, str], kind: str) -> None:
    played = play(*site, kind, seed=1)
    assert played.faults == []
    assert played.figures.get("taken_back_s", 0) < 15
