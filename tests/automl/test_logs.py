import json
import logging
import subprocess
import sys
from typing import Any

import pytest
import structlog

from automl.errors import BadSetting
from automl.logs import configure_logging
from automl.settings import load_settings

SETTINGS = load_settings({"DARKROOM_LOG_FORMAT": "json"})


def logged(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_a_line_is_one_json_object_with_time_level_logger_and_what_is_bound(capsys) -> None:
    configure_logging(SETTINGS, process="pipeline", run_id="r1")
    structlog.stdlib.get_logger("somewhere").info("trial ended", number=3)
    (line,) = logged(capsys)
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "trial ended",
        "level": "info",
        "logger": "somewhere",
        "number": 3,
        "process": "pipeline",
        "run_id": "r1",
    }


def test_lines_of_libraries_look_the_same(capsys) -> None:
    configure_logging(SETTINGS, process="web")
    structlog.contextvars.bind_contextvars(request_id="q1")
    logging.getLogger("celery.worker").warning("lost %d messages", 2)
    (line,) = logged(capsys)
    assert (line["event"], line["level"], line["request_id"]) == ("lost 2 messages", "warning", "q1")


def test_an_exception_is_a_field_of_its_line(capsys) -> None:
    configure_logging(SETTINGS)
    try:
        raise ValueError("no such fold")
    except ValueError:
        structlog.stdlib.get_logger().exception("trial failed")
    (line,) = logged(capsys)
    assert "ValueError: no such fold" in line["exception"]


@pytest.mark.parametrize(
    ("level", "least", "shown"), [("info", "debug", 1), ("debug", "debug", 2), ("info", "warning", 0)]
)
def test_levels_below_the_setting_or_the_least_are_left_out(capsys, level: str, least: str, shown: int) -> None:
    configure_logging(SETTINGS.model_copy(update={"log_level": level}), least=least)
    structlog.stdlib.get_logger().info("shown")
    structlog.stdlib.get_logger().debug("hidden")
    assert len(logged(capsys)) == shown


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_an_exception_is_shown_without_the_values_of_variables(capsys, log_format: str) -> None:
    configure_logging(load_settings({"DARKROOM_LOG_FORMAT": log_format}))
    password = "hunter2"
    try:
        raise ValueError(f"a word of {len(password)} letters")
    except ValueError:
        structlog.stdlib.get_logger("somewhere").exception("it broke")
    said = capsys.readouterr().err
    assert "a word of 7 letters" in said
    assert said.count("hunter2") == 0


def test_text_is_for_people(capsys) -> None:
    configure_logging(SETTINGS.model_copy(update={"log_format": "text"}))
    structlog.stdlib.get_logger().warning("redis is away", since_s=3)
    shown = capsys.readouterr().err
    assert "redis is away" in shown
    assert not shown.startswith("{")


@pytest.mark.parametrize(("name", "value"), [("log_level", "loud"), ("log_format", "xml")])
def test_a_level_or_a_format_that_does_not_exist_is_explained(name: str, value: str) -> None:
    with pytest.raises(BadSetting, match=f"DARKROOM_{name.upper()} must be one of .*, not '{value}'"):
        configure_logging(SETTINGS.model_copy(update={name: value}))


def test_the_pipeline_process_logs_at_info_with_the_id_of_its_run(tmp_path) -> None:
    """Run on a database that has no such run: it ends with an error, after logging has been set up."""
    code = (
        "from automl.logs import configure_logging\n"
        "from automl.settings import load_settings\n"
        "from automl.pipeline import __main__ as process\n"
        "process.Database.session = property(lambda _: process._log.info('reached') or exit(0))\n"
        "process.main(['run-1', '1', '0'])\n"
    )
    environ = {"DARKROOM_HOME": str(tmp_path), "PATH": "/usr/bin", "DARKROOM_LOG_FORMAT": "json"}
    done = subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=True)
    (line,) = [json.loads(line) for line in done.stderr.splitlines() if line.startswith("{")]
    assert (line["event"], line["level"], line["run_id"]) == ("reached", "info", "run-1")
