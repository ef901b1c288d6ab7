"""Logging, set up once at the start of each process: structlog, on top of the standard library.

Everything that is logged, also by libraries, goes to standard error through one handler: one JSON object a line in
production, coloured columns on a terminal. What belongs to every line of a process (a run's id), of a task or of a
request is bound once and appears in all of them.
"""

import logging
import sys
from collections.abc import Sequence
from typing import Any, TextIO

import structlog
from structlog.typing import EventDict, Processor

from automl.errors import BadSetting
from automl.settings import Settings
from automl.text.messages import options as option_messages

LEVELS = ("debug", "info", "warning", "error")
FORMATS = ("auto", "json", "text")

_TOO_CHATTY = ("httpx", "httpcore", "PIL", "matplotlib", "h5py", "alembic", "tensorflow", "absl", "fsspec")
"""Libraries that say at level "info" what interests only those who work on them."""


class StandardError(logging.StreamHandler[TextIO]):
    """Writes to what standard error is at that moment: the command line and tests put other streams in its place."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> TextIO:  # type: ignore[override] # as the handler of last resort in the standard library
        return sys.stderr


def configure_logging(settings: Settings, *, least: str = "debug", **bound: str) -> None:
    """Sends what this process logs to standard error; a second call replaces what the first one set up.

    Args:
        settings: `log_level` is the least important level that is written, `log_format` how a line looks.
        least: a level below which this process writes nothing, whatever the settings say.
        bound: what every line of this process carries, such as `run_id`.

    Raises:
        BadSetting: a level or a format that does not exist; the message names those that do.
    """
    level = max(_number(settings.log_level), _number(least))
    shared = _shared_processors(bound)
    handler = StandardError()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.ExtraAdder()],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_renderers(settings.log_format)],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in _TOO_CHATTY:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        # Tests capture what is logged by replacing the processors, which a logger that was kept would not notice.
        cache_logger_on_first_use=False,
    )


def _shared_processors(bound: dict[str, str]) -> list[Processor]:
    """What lines of ours and those of libraries go through alike."""

    def add_bound(_logger: Any, _method: str, event: EventDict) -> EventDict:
        # Not a context variable: those of the main thread are not seen by other threads.
        return {**bound, **event}

    return [
        structlog.contextvars.merge_contextvars,
        add_bound,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]


def _renderers(log_format: str) -> list[Processor]:
    if log_format not in FORMATS:
        raise _unknown("DARKROOM_LOG_FORMAT", FORMATS, log_format)
    if log_format == "text" or (log_format == "auto" and sys.stderr.isatty()):
        # Its own way to show an exception would show the values of all variables, too.
        plain = structlog.dev.plain_traceback
        return [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=plain)]
    return [
        structlog.processors.format_exc_info,
        structlog.processors.StackInfoRenderer(),
        structlog.processors.JSONRenderer(default=str),
    ]


def _number(level: str) -> int:
    if level not in LEVELS:
        raise _unknown("DARKROOM_LOG_LEVEL", LEVELS, level)
    return logging.getLevelNamesMapping()[level.upper()]


def _unknown(variable: str, known: Sequence[str], text: str) -> BadSetting:
    words = option_messages.NOT_ONE_OF_THESE.format(variable=variable, known=", ".join(known), text=text)
    return BadSetting(words)
