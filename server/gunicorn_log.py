"""Gunicorn's own messages, in the same form as all others."""

from typing import Any

from gunicorn.glogging import Logger

from automl.logs import configure_logging
from automl.settings import load_settings


class GunicornLog(Logger):  # type: ignore[misc]
    """For gunicorn's option `--logger-class`. Its loggers get no handlers of their own, so ours write their lines."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        configure_logging(load_settings(), process="web")
        self.error_log.handlers.clear()
        self.error_log.propagate = True
