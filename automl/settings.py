"""One table of settings; the environment is read once, here.

`docs/settings.md` is tested against this table.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from automl.errors import BadSetting

_REPOSITORY = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Setting:
    """One row: the field of `Settings`, the environment variable, default, unit and a line of help."""

    name: str
    default: str | int | float
    unit: str
    help: str

    @property
    def variable(self) -> str:
        return f"DARKROOM_{self.name.upper()}"


SETTINGS: tuple[Setting, ...] = (
    Setting("home", str(_REPOSITORY / "var"), "folder", "Uploads, runs, logs and the default database."),
    Setting(
        "cache_dir",
        str(Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "darkroom"),
        "folder",
        "Pretrained weights; shared by every copy of Darkroom on this machine.",
    ),
    Setting("database_url", "", "SQLAlchemy URL", "Empty: SQLite in the home folder."),
    Setting("broker_url", "", "Celery URL", "Empty: the embedded Redis, on a socket in the home folder."),
    Setting("host", "127.0.0.1", "address", "Where the web server listens. Anything but this machine needs a proxy."),
    Setting(
        "hosts",
        "",
        "names",
        "Names that browsers may call this server by, with commas between. Empty: this machine's own names while it "
        "listens only here, any name otherwise.",
    ),
    Setting("port", 8000, "TCP port", "Where the web server listens; 0 takes a free one."),
    Setting("max_upload_bytes", 10 * 1024**3, "bytes", "Largest data set, unpacked."),
    Setting("max_request_bytes", 6 * 1024**3, "bytes", "Largest single HTTP request, such as one archive."),
    Setting("max_files", 50_000, "files", "Most pictures in one data set."),
    Setting("max_image_pixels", 100_000_000, "pixels", "Larger pictures are refused before they are decoded."),
    Setting("max_budget_s", 24 * 3600, "seconds", "Longest time budget that a run may ask for."),
    Setting("public_url", "", "URL", "Where people open this server; e-mails and webhook calls link to it."),
    Setting(
        "smtp_url",
        "",
        "URL",
        "The mail server for e-mails at the end of a run: smtp://NAME:PASSWORD@HOST:PORT, or smtps:// for TLS from the "
        "start. Empty: the page offers no e-mail.",
    ),
    Setting("mail_from", "", "address", "Who these e-mails come from. Empty: darkroom@ and this machine's name."),
    Setting("webhook_url", "", "URL", "Is called (POST, JSON) at the end of every run. Empty: no call."),
    Setting("log_level", "info", "level", "Least important lines that are logged: debug, info, warning or error."),
    Setting(
        "log_format",
        "auto",
        "format",
        "How lines are logged: json (one object a line), text (for people), or auto: text on a terminal, else json.",
    ),
    Setting("lease_s", 30, "seconds", "A running worker says this often, at least, that it is alive."),
)


@dataclass(frozen=True, slots=True)
class Settings:
    """The table's values, typed. Make one with `load_settings`."""

    home: Path
    cache_dir: Path
    database_url: str
    broker_url: str
    host: str
    hosts: str
    port: int
    max_upload_bytes: int
    max_request_bytes: int
    max_files: int
    max_image_pixels: int
    max_budget_s: int
    public_url: str
    smtp_url: str
    mail_from: str
    webhook_url: str
    log_level: str
    log_format: str
    lease_s: int

    @property
    def trusted_hosts(self) -> list[str] | None:
        """Host names that requests may carry, so that no page of another name can be made to point here; None: any."""
        if self.hosts:
            return [name.strip() for name in self.hosts.split(",") if name.strip()]
        return ["localhost", "127.0.0.1", "[::1]"] if self.host in ("127.0.0.1", "localhost", "::1") else None

    @property
    def redis_socket(self) -> Path:
        return self.home / "redis" / "redis.sock"

    @property
    def files_dir(self) -> Path:
        """Root of the artifact store: uploads, plots and bundles, under names that are made here."""
        return self.home / "files"

    def workspace(self, run_id: str) -> Path:
        """A run's scratch files while it is under way."""
        return self.home / "work" / run_id

    def export_workspace(self, run_id: str) -> Path:
        """Scratch files of the format that is being made of a finished run."""
        return self.home / "work" / f"export-{run_id}"

    @property
    def weights_dir(self) -> Path:
        return self.cache_dir / "weights"

    @property
    def features_dir(self) -> Path:
        """Pixels and features, keyed by content; may be deleted at any time, costs only time."""
        return self.home / "cache"

    @property
    def composed_dir(self) -> Path:
        """Downloads of chosen formats; may be emptied at any time, they are composed again."""
        return self.features_dir / "composed"


def load_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Reads DARKROOM_* from `environ` (default: this process's).

    Raises:
        BadSetting: a value that is not of its setting's type.
    """
    environ = os.environ if environ is None else environ
    types = {field.name: field.type for field in fields(Settings)}
    values: dict[str, Any] = {}
    for row in SETTINGS:
        text = environ.get(row.variable) or str(row.default)
        convert: Any = types[row.name]
        try:
            values[row.name] = Path(text).expanduser().absolute() if convert is Path else convert(text)
        except ValueError:
            raise BadSetting(f"{row.variable} must be a number of {row.unit}, not {text!r}.") from None
    home: Path = values["home"]
    values["database_url"] = values["database_url"] or f"sqlite:///{home / 'darkroom.sqlite3'}"
    values["broker_url"] = values["broker_url"] or f"redis+socket://{home / 'redis' / 'redis.sock'}"
    return Settings(**values)
