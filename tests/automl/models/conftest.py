import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from automl.models.weights.cache import InstalledWeights, installed
from automl.settings import load_settings
from tests.automl.models.weights.loopback import Loopback

REPOSITORY = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="session")
def weights() -> dict[str, InstalledWeights]:
    """The real pretrained weights; `scripts/test` fetches them before it starts pytest."""
    here = installed(load_settings().weights_dir)
    if not here:
        pytest.fail("No pretrained weights are installed: run `automl weights fetch` first.")
    return here


@pytest.fixture(scope="session")
def photos() -> Path:
    """The measuring photographs."""
    folder = Path(os.environ.get("DARKROOM_TEST_DATA", REPOSITORY.parent / "shared" / "data"))
    if not (folder / "beans").is_dir():
        pytest.skip(f"the measuring photographs are not at {folder}; set DARKROOM_TEST_DATA")
    return folder


@pytest.fixture
def loopback(monkeypatch: pytest.MonkeyPatch) -> Iterator[Loopback]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    server = Loopback()
    yield server
    server.close()
