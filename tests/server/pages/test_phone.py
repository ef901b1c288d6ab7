"""The page that runs a model in the browser: its parts and its policy. What it does is tested in a browser."""

import gzip
import re

import numpy as np
import pytest

from server.browser_models import for_browsers
from server.packed_models import PackedModels, packed
from server.views.phone import MODULES
from tests.automl.serving.tiny_model import tiny_model
from tests.server.trying import add_tried_run


@pytest.fixture
def run_id(world):
    return add_tried_run(world)


def unpacked(content):
    planes = np.frombuffer(gzip.decompress(content), np.uint8)
    ordered = planes[:-1].reshape(4, -1).T.tobytes()
    return ordered[: len(ordered) - int(planes[-1])]


def test_only_this_page_may_run_a_model_itself(client, run_id):
    policy = client.get(f"/runs/{run_id}/phone/").headers["Content-Security-Policy"]
    assert "script-src 'self' 'wasm-unsafe-eval';" in policy
    assert "worker-src 'self'; manifest-src 'self'" in policy
    assert "wasm" not in client.get(f"/runs/{run_id}/try").headers["Content-Security-Policy"]


def test_the_page_may_use_the_camera(client, run_id):
    assert "camera=(self)" in client.get(f"/runs/{run_id}/phone/").headers["Permissions-Policy"]


def test_the_model_arrives_and_may_be_kept(client, run_id):
    address = re.search(r'data-model="([^"]+)"', client.get(f"/runs/{run_id}/phone/").text)[1]
    answer = client.get(address)
    assert unpacked(answer.data) == for_browsers(tiny_model())
    assert answer.cache_control.immutable
    assert client.get(f"/runs/{run_id}/phone/model-other.bin").status_code == 404


@pytest.mark.parametrize("n_bytes", [1, 2, 3, 4, 5])
def test_packing_keeps_every_byte(n_bytes):
    content = bytes(range(n_bytes))
    assert unpacked(packed(content)) == content


def test_a_model_is_packed_once(run_id):
    read = []
    models = PackedModels()
    for key in ("a", "a", "b", "c", "a"):
        models.get(key, lambda key=key: read.append(key) or b"model")
    assert read == ["a", "b", "c", "a"]  # two are kept


def test_the_service_worker_answers_for_this_page_alone_and_knows_all_of_its_files(client, run_id):
    answer = client.get(f"/runs/{run_id}/phone/worker.js")
    assert answer.mimetype == "text/javascript"
    assert f'"page": "/runs/{run_id}/phone/"' in answer.text
    assert all(f"/{name}" in answer.text for name in (*MODULES, "ort-wasm.bin", "phone.css"))


def test_every_module_of_the_page_is_kept_and_in_the_file(client):
    imported = {"phone.js"}
    for name in MODULES[:-1]:
        with client.get(f"/static/{name}") as answer:
            imported |= set(re.findall(r'from "\./([^"]+)"', answer.text))
    assert imported == set(MODULES)


def test_the_manifest_names_the_photos_and_stays_within_the_page(client, run_id):
    found = client.get(f"/runs/{run_id}/phone/manifest.webmanifest").json
    assert found["name"] == "flowers"
    assert found["scope"] == found["start_url"] == f"/runs/{run_id}/phone/"


def test_the_one_file_holds_everything_and_forbids_connections(client, run_id):
    answer = client.get(f"/runs/{run_id}/phone/page.html")
    assert answer.headers["Content-Disposition"].startswith("attachment; filename=flowers-")
    assert "default-src 'none'" in answer.text
    assert not re.findall(r'(?:src|href)="(?!data:)', answer.text)


def test_a_run_without_a_model_has_no_such_page(client, world):
    assert client.get(f"/runs/{world.add_run()}/phone/").status_code == 409


def test_the_result_leads_there(client, run_id):
    assert f'href="/runs/{run_id}/phone/"' in client.get(f"/runs/{run_id}").text
