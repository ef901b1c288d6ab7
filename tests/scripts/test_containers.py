import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from scripts.stack.services import DUTIES_ARGUMENTS, LIGHT_ARGUMENTS, TRAIN_ARGUMENTS, WEB_ARGUMENTS, web

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((REPOSITORY / "docker-compose.yml").read_text())
    return loaded


@pytest.fixture(scope="module")
def dockerfile() -> str:
    return (REPOSITORY / "Dockerfile").read_text()


def test_the_linter_finds_nothing_in_the_dockerfile() -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    result = subprocess.run([hadolint, REPOSITORY / "Dockerfile"], capture_output=True, text=True)
    assert (result.returncode, result.stdout) == (0, "")


def test_the_containers_run_what_the_launcher_runs(compose: dict[str, Any], dockerfile: str) -> None:
    services = compose["services"]
    assert services["worker"]["command"] == ["python", *TRAIN_ARGUMENTS]
    assert services["worker-gpu"]["command"] == ["python", *TRAIN_ARGUMENTS]
    assert services["worker-light"]["command"] == ["python", *LIGHT_ARGUMENTS]
    assert services["worker-duties"]["command"] == ["python", *DUTIES_ARGUMENTS]
    command = json.loads(re.findall(r"^CMD (.*)$", dockerfile, re.MULTILINE)[-1])
    assert command == ["python", *WEB_ARGUMENTS, "--bind", "0.0.0.0:8000"]


def test_the_command_of_the_migration_makes_the_tables(compose: dict[str, Any], tmp_path: Path) -> None:
    program, *arguments = compose["services"]["migrate"]["command"]
    assert program == "python"
    environment = {**os.environ, "DARKROOM_HOME": str(tmp_path), "PYTHONPATH": str(REPOSITORY)}
    subprocess.run([sys.executable, *arguments], env=environment, check=True)
    assert b"darkroom_version" in (tmp_path / "darkroom.sqlite3").read_bytes()


def test_the_gpu_worker_starts_only_when_asked_for(compose: dict[str, Any]) -> None:
    worker = compose["services"]["worker-gpu"]
    assert worker["profiles"] == ["gpu"]
    assert worker["build"]["args"] == {"LOCK": "gpu"}
    assert worker["deploy"]["resources"]["reservations"]["devices"][0]["driver"] == "nvidia"


def test_every_lasting_service_says_whether_it_is_well(compose: dict[str, Any]) -> None:
    lasting = {name: service for name, service in compose["services"].items() if service["restart"] != "no"}
    assert lasting
    assert all("healthcheck" in service for service in lasting.values())


def test_nothing_but_the_page_is_reachable_and_only_from_this_machine(compose: dict[str, Any]) -> None:
    ports = {name: service["ports"] for name, service in compose["services"].items() if "ports" in service}
    assert ports == {"web": ["127.0.0.1:8000:8000"]}


def test_every_volume_and_neighbour_that_is_named_exists(compose: dict[str, Any]) -> None:
    for service in compose["services"].values():
        named = {volume.split(":")[0] for volume in service["volumes"] if ":" in volume}
        assert named <= set(compose["volumes"])
        assert set(service["networks"]) <= {*compose["networks"], "default"}
        assert set(service.get("depends_on", {})) <= set(compose["services"])


def test_everything_that_the_image_copies_is_there_and_sent_to_the_builder(dockerfile: str) -> None:
    sent = {line[1:] for line in (REPOSITORY / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    for line in re.findall(r"^COPY (?!--from)(.*)$", dockerfile, re.MULTILINE):
        for source in line.split()[:-1]:
            for name in [source.replace("${LOCK}", "runtime"), source.replace("${LOCK}", "gpu")]:
                assert (REPOSITORY / name).exists(), name
                assert name.split("/")[0] in sent


def test_no_container_may_do_more_than_its_work(compose: dict[str, Any]) -> None:
    for service in compose["services"].values():
        assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"])
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert service["pids_limit"] > 0


def test_no_log_of_a_container_grows_without_end(compose: dict[str, Any]) -> None:
    for service in compose["services"].values():
        assert set(service["logging"]["options"]) == {"max-size", "max-file"}


def test_the_queue_has_a_password_and_a_network_without_a_way_out(compose: dict[str, Any]) -> None:
    redis = compose["services"]["redis"]
    assert redis["networks"] == ["queue"] and compose["networks"]["queue"] == {"internal": True}
    assert '--requirepass "$$REDISCLI_AUTH"' in redis["command"][-1]
    for name, service in compose["services"].items():
        address = service["environment"]["REDISCLI_AUTH" if name == "redis" else "DARKROOM_BROKER_URL"]
        assert "${DARKROOM_REDIS_PASSWORD:?" in address


def test_the_image_does_not_run_as_root(dockerfile: str) -> None:
    assert re.findall(r"^USER (.*)$", dockerfile, re.MULTILINE)[-1] not in ("root", "0")


def test_the_web_server_keeps_no_memory_for_each_of_its_threads(compose: dict[str, Any]) -> None:
    environment = compose["services"]["web"]["environment"]
    assert environment["MALLOC_ARENA_MAX"] == web(3).environment["MALLOC_ARENA_MAX"] == "2"
    assert environment["DARKROOM_HOME"] == "/data"
