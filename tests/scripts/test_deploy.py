"""The files for systemd and Prometheus, and logs that do not grow without end."""

import configparser
import json
import os
import re
import signal
import sys
from pathlib import Path

import pytest
import yaml

from automl.settings import load_settings
from scripts.stack.__main__ import Stack
from scripts.stack.child import Service, rotate, stop_children

REPOSITORY = Path(__file__).parents[2]
DEPLOY = REPOSITORY / "docs" / "deploy"


def test_the_unit_starts_what_is_there_and_may_do_little_else():
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str
    unit.read(DEPLOY / "darkroom.service")
    service = unit["Service"]
    assert (REPOSITORY / service["ExecStart"].removeprefix("/opt/darkroom/")).is_file()
    assert service["User"] == "darkroom"
    assert (service["NoNewPrivileges"], service["ProtectSystem"], service["UMask"]) == ("true", "strict", "0077")
    assert unit["Install"]["WantedBy"] == "multi-user.target"


def test_prometheus_reads_the_alerts_and_the_dashboard_has_a_panel_at_each_place():
    scraped = yaml.safe_load((DEPLOY / "prometheus.yml").read_text())
    assert all((DEPLOY / name).is_file() for name in scraped["rule_files"])
    (group,) = yaml.safe_load((DEPLOY / "darkroom-alerts.yml").read_text())["groups"]
    assert all(rule["expr"] and rule["annotations"]["summary"] for rule in group["rules"])
    panels = json.loads((DEPLOY / "grafana-dashboard.json").read_text())["panels"]
    places = {(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in panels}
    assert len(places) == len({panel["id"] for panel in panels}) == len(panels)


def test_a_log_is_put_aside_and_its_writer_goes_on_at_the_beginning(tmp_path):
    log = tmp_path / "web.log"
    with log.open("ab", buffering=0) as writer:
        for number in range(4):
            writer.write(b"%d" % number * 11)
            rotate(log, max_bytes=10, n_older=2)
            assert log.read_bytes() == b""
        writer.write(b"short")
        rotate(log, max_bytes=10, n_older=2)
    assert {path.name: path.read_bytes()[:1] for path in tmp_path.iterdir()} == {
        "web.log": b"s",
        "web.log.1": b"3",
        "web.log.2": b"2",
    }


def test_the_launcher_does_so_while_a_service_runs(tmp_path, monkeypatch):
    monkeypatch.setattr(signal, "signal", lambda *_: None)  # Ctrl-C stays with the tests
    settings = load_settings({"DARKROOM_HOME": str(tmp_path), "DARKROOM_LOG_BYTES": "10"})
    stack = Stack(settings, dict(os.environ))
    noisy = "import time; print('x' * 100, flush=True); time.sleep(600)"
    stack.start(Service("noisy", "a service", (sys.executable, "-c", noisy)))
    try:
        stack.wait_until((tmp_path / "logs" / "noisy.log.1").exists, 60, "a service")
    finally:
        stop_children(stack._children, 0, 0, ())
    assert (tmp_path / "logs" / "noisy.log").read_bytes() == b""


@pytest.mark.parametrize(("max_bytes", "left"), [(0, b"x" * 20), (10, b"")])
def test_no_limit_and_nothing_kept(tmp_path, max_bytes, left):
    log = tmp_path / "web.log"
    log.write_bytes(b"x" * 20)
    rotate(log, max_bytes=max_bytes, n_older=0)
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [left]
    rotate(tmp_path / "none.log", max_bytes=10, n_older=1)


def test_the_line_that_learns_digests_finds_every_image_that_is_named_by_tag():
    text = "".join((REPOSITORY / name).read_text() for name in ("docker-compose.yml", "Dockerfile"))
    found = {line.split()[-1] for line in re.findall(r"(?:image: |FROM )[a-z]+:[^ \n]+", text)}
    named = set(re.findall(r"^(?:\s+image: |FROM )([^ \n]*:[^ \n]+)", text, re.MULTILINE))
    assert found == named
    assert "redis:7-bookworm" in found
