"""One table of settings; the environment is read once, here.

`docs/settings.md` is written from this table by `python -m scripts.documents`.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, EnvSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from automl.errors import BadSetting
from automl.text.messages import options as option_messages

_PREFIX = "DARKROOM_"
_REPOSITORY = Path(__file__).resolve().parent.parent
_CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "darkroom"

THIS_MACHINE = ("127.0.0.1", "localhost", "::1")
"""What only this machine itself answers to."""

_Folder = Annotated[Path, AfterValidator(lambda path: path.expanduser().absolute())]


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What a field of `Settings` says of itself beside its type and its default.

    Attributes:
        unit: what the value is, in a word or two.
        help: one line about what it is for.
        name: the field. `SETTINGS` fills it in.
        default: its default; empty where that follows from another setting. `SETTINGS` fills it in.
    """

    unit: str
    help: str
    name: str = ""
    default: str | int | float | Path = ""

    @property
    def variable(self) -> str:
        """The environment variable that has it."""
        return _PREFIX + self.name.upper()


class Settings(BaseSettings):
    """The settings of an installation, one a field. Make them with `load_settings`."""

    model_config = SettingsConfigDict(env_prefix=_PREFIX, env_ignore_empty=True, frozen=True, extra="forbid")

    home: Annotated[_Folder, Setting(unit="folder", help="Uploads, runs, logs and the default database.")] = (
        _REPOSITORY / "var"
    )
    cache_dir: Annotated[
        _Folder,
        Setting(unit="folder", help="Pretrained weights; shared by every copy of Darkroom on this machine."),
    ] = _CACHE
    database_url: Annotated[str, Setting(unit="SQLAlchemy URL", help="Empty: SQLite in the home folder.")] = Field(
        default_factory=lambda known: f"sqlite:///{known['home'] / 'darkroom.sqlite3'}"
    )
    broker_url: Annotated[
        str, Setting(unit="Celery URL", help="Empty: the embedded Redis, on a socket in the home folder.")
    ] = Field(default_factory=lambda known: f"redis+socket://{known['home'] / 'redis' / 'redis.sock'}")
    host: Annotated[
        str,
        Setting(
            unit="address",
            help="Where the web server listens. Where others reach it, everybody signs in, and `DARKROOM_HOSTS` or "
            "`DARKROOM_PUBLIC_URL` must be set.",
        ),
    ] = "127.0.0.1"
    hosts: Annotated[
        str,
        Setting(
            unit="names",
            help="Names that browsers may call this server by, with commas between, beside that in "
            "`DARKROOM_PUBLIC_URL` and this machine's own.",
        ),
    ] = ""
    proxies: Annotated[
        int,
        Setting(
            unit="proxies",
            help="How many proxies in front of it hand requests on, each trusted to say whom for (X-Forwarded-For, "
            "-Proto and -Host). Where there are any, everybody signs in.",
        ),
    ] = Field(0, ge=0, le=10)
    port: Annotated[int, Setting(unit="TCP port", help="Where the web server listens; 0 takes a free one.")] = 8000
    max_upload_bytes: Annotated[int, Setting(unit="bytes", help="Largest data set, unpacked.")] = 10 * 1024**3
    max_request_bytes: Annotated[
        int, Setting(unit="bytes", help="Largest single HTTP request, such as one archive.")
    ] = 6 * 1024**3
    arriving_requests: Annotated[
        int,
        Setting(
            unit="requests",
            help="Most requests of one client that may arrive at the same time; further connections are closed unread. "
            "Not counted behind a proxy, which limits its clients itself. 0: any number.",
        ),
    ] = Field(100, ge=0)
    request_grace_s: Annotated[
        int, Setting(unit="seconds", help="How long a request may take to arrive, however slow its sender is.")
    ] = Field(15, gt=0)
    request_bytes_per_s: Annotated[
        int,
        Setting(
            unit="bytes a second",
            help="A large request may take longer, as long as so much of it arrives. The slowest connections that "
            "people still use are a hundred times as fast.",
        ),
    ] = Field(500, gt=0)
    request_stall_s: Annotated[
        int, Setting(unit="seconds", help="A request of which nothing arrives for so long is ended.")
    ] = Field(60, gt=0)
    max_files: Annotated[int, Setting(unit="files", help="Most pictures in one data set.")] = 50_000
    max_image_bytes: Annotated[
        int,
        Setting(
            unit="bytes",
            help="Largest picture, decoded: width x height x channels x bytes of a sample. Larger ones are refused "
            "before they are decoded. A process that opens pictures may take this and 400 MB.",
        ),
    ] = 400_000_000
    max_budget_s: Annotated[int, Setting(unit="seconds", help="Longest time budget that a run may ask for.")] = (
        24 * 3600
    )
    sign_in_days: Annotated[
        int, Setting(unit="days", help="After so long, whoever has signed in signs in again, however busy.")
    ] = 30
    sign_in_idle_hours: Annotated[
        int, Setting(unit="hours", help="Whoever has not opened a page for so long signs in again.")
    ] = 168
    token: Annotated[
        str,
        Setting(
            unit="token", help="Token of an account, which `automl upload` sends to a server where people sign in."
        ),
    ] = ""
    account_runs_at_once: Annotated[
        int,
        Setting(
            unit="runs", help="Most runs of one account that are under way at once; 0: as many as workers are free."
        ),
    ] = 0
    account_queue: Annotated[
        int, Setting(unit="runs", help="Most unfinished runs of one account, with those under way; 0: any number.")
    ] = 50
    max_queue: Annotated[int, Setting(unit="runs", help="Most unfinished runs of all together; 0: any number.")] = 500
    account_datasets: Annotated[
        int, Setting(unit="data sets", help="Most data sets of one account, with those in the bin; 0: any number.")
    ] = 0
    account_photos: Annotated[
        int, Setting(unit="files", help="Most uploaded files of one account, with those in the bin; 0: any number.")
    ] = 0
    account_bytes: Annotated[
        int,
        Setting(
            unit="bytes",
            help="Most bytes that one account may hold, photos and models, with those in the bin; 0: any number.",
        ),
    ] = 0
    account_minutes_a_day: Annotated[
        int,
        Setting(
            unit="minutes",
            help="Most minutes of training that one account may ask for within 24 hours; 0: any number.",
        ),
    ] = Field(0, ge=0)
    rate_uploads: Annotated[
        str,
        Setting(
            unit="rate",
            help="How often one account may send files, in parts of many files each. Empty: no limit.",
        ),
    ] = "1200 per minute"
    rate_predictions: Annotated[
        str, Setting(unit="rate", help="How often one account may ask models about photos. Empty: no limit.")
    ] = "600 per minute"
    rate_creations: Annotated[
        str,
        Setting(
            unit="rate",
            help="How often one account may start runs and exports, and make tokens and links. Empty: no limit.",
        ),
    ] = "60 per minute"
    retention_days: Annotated[
        int,
        Setting(
            unit="days",
            help="Data sets that nobody has used for so long are moved to the bin, after a warning; 0: never.",
        ),
    ] = 0
    bin_days: Annotated[
        int,
        Setting(
            unit="days",
            help="How long what was deleted stays in the bin, from which it can be put back; 0: it is removed at once.",
        ),
    ] = 14
    bin_free_bytes: Annotated[
        int,
        Setting(
            unit="bytes",
            help="While less is free on the disk of the home folder, the bin is emptied early, the oldest first.",
        ),
    ] = 2 * 1024**3
    reserve_bytes: Annotated[
        int,
        Setting(
            unit="bytes",
            help="While less is free on the disk of the home folder, uploads, checks and new runs are refused; what is "
            "under way, downloads and deletion go on.",
        ),
    ] = 1024**3
    sorting_days: Annotated[
        int,
        Setting(
            unit="days",
            help="How long photos that a model has sorted are kept for going on, with what was said of them; counted "
            "from the last change.",
        ),
    ] = 14
    max_link_days: Annotated[
        int,
        Setting(
            unit="days",
            help="Longest time that a read-only link to a model or a result may be open; 0: none can be made.",
        ),
    ] = 90
    public_url: Annotated[
        str,
        Setting(
            unit="URL",
            help="Where people open this server; e-mails, webhook calls and read-only links begin with it.",
        ),
    ] = ""
    openid_issuer: Annotated[
        str,
        Setting(
            unit="URL",
            help="The OpenID provider that people may sign in with, as its tokens name it: "
            "https://login.example.org/realms/family. Empty: they sign in with a password.",
        ),
    ] = ""
    openid_client_id: Annotated[str, Setting(unit="text", help="What the provider calls this server.")] = ""
    openid_client_secret: Annotated[
        str, Setting(unit="text", help="The secret that the provider has given to this server.")
    ] = ""
    openid_title: Annotated[
        str, Setting(unit="text", help="What the button on the page for signing in calls the provider.")
    ] = "your organisation"
    openid_domains: Annotated[
        str,
        Setting(
            unit="names",
            help="Whoever has a verified address of these domains gets an account when he first signs in there: "
            "example.org,example.com. Others need an account with their address first.",
        ),
    ] = ""
    openid_role: Annotated[
        Literal["member", "viewer"], Setting(unit="role", help="What such a new account may do: member or viewer.")
    ] = "member"
    openid_trusts_addresses: Annotated[
        bool,
        Setting(
            unit="yes or no",
            help="Addresses count as verified although the provider does not say so, as Microsoft Entra never does. "
            "Only for a provider where nobody can enter somebody else's address.",
        ),
    ] = False
    smtp_url: Annotated[
        str,
        Setting(
            unit="URL",
            help="The mail server for e-mails at the end of a run: smtp://NAME:PASSWORD@HOST:PORT, or smtps:// for TLS "
            "from the start. Empty: the page offers no e-mail.",
        ),
    ] = ""
    mail_to: Annotated[
        str,
        Setting(
            unit="address",
            help="Where these e-mails go while nobody signs in. Who signs in gets them at the address of his account.",
        ),
    ] = ""
    mail_from: Annotated[
        str, Setting(unit="address", help="Who these e-mails come from. Empty: darkroom@ and this machine's name.")
    ] = ""
    webhook_url: Annotated[
        str, Setting(unit="URL", help="Is called (POST, JSON) at the end of every run. Empty: no call.")
    ] = ""
    log_level: Annotated[
        str, Setting(unit="level", help="Least important lines that are logged: debug, info, warning or error.")
    ] = "info"
    log_format: Annotated[
        str,
        Setting(
            unit="format",
            help="How lines are logged: json (one object a line), text (for people), or auto: text on a terminal, else "
            "json.",
        ),
    ] = "auto"
    light_tasks: Annotated[
        int,
        Setting(
            unit="tasks",
            help="Checks and exports side by side. 0: as many as there are processors, at least 2 and at most 8, as "
            "far as each finds 2 GB of memory.",
        ),
    ] = Field(0, ge=0)
    log_bytes: Annotated[
        int,
        Setting(unit="bytes", help="A log of a service that has grown past this is put aside as .log.1; 0: never."),
    ] = 20_000_000
    log_older: Annotated[int, Setting(unit="files", help="How many logs that were put aside are kept of each.")] = 5
    lease_s: Annotated[
        int, Setting(unit="seconds", help="A running worker says this often, at least, that it is alive.")
    ] = 30

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - pydantic-settings prescribes these parameters
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what the constructor is given: `load_settings` alone reads an environment."""
        return (init_settings,)

    @property
    def trusted_hosts(self) -> list[str]:
        """Host names that requests may carry, so that no page of another name can be made to point here.

        Empty where none are known: then no request could be answered.
        """
        named = _names_in(self.hosts)
        if public := urlsplit(self.public_url).hostname:
            named.append(public)
        # This machine's own names cannot be made to point elsewhere, and probes on it use them.
        return [*named, "localhost", "127.0.0.1", "[::1]"] if named or self.host in THIS_MACHINE else []

    @property
    def openid_domain_names(self) -> list[str]:
        """Domains whose addresses get an account by themselves, in lower case."""
        return _names_in(self.openid_domains.lower())

    @property
    def needs_accounts(self) -> bool:
        """Whether others than the people at this machine can reach it, so that everybody has to sign in."""
        return self.host not in THIS_MACHINE or self.proxies > 0 or bool(self.public_url)

    @property
    def bin_s(self) -> float:
        """Seconds that what was deleted stays in the bin."""
        return self.bin_days * 86_400.0

    @property
    def sorting_s(self) -> float:
        """Seconds that a sorting is kept after its last change."""
        return self.sorting_days * 86_400.0

    @property
    def max_link_s(self) -> float:
        """Seconds that a read-only link may be open."""
        return self.max_link_days * 86_400.0

    @property
    def redis_socket(self) -> Path:
        return self.home / "redis" / "redis.sock"

    @property
    def files_dir(self) -> Path:
        """Root of the artifact store: uploads, plots and bundles, under names that are made here."""
        return self.home / "files"

    def workspace(self, run_id: str, number: int) -> Path:
        """A run's scratch files while it is under way under the lease of this number."""
        return self.home / "work" / f"{run_id}-{number}"

    def export_workspace(self, run_id: str, name: str, number: int) -> Path:
        """Scratch files of a format of a finished run that is being made under the lease of this number."""
        return self.home / "work" / f"export-{run_id}-{name}-{number}"

    @property
    def weights_dir(self) -> Path:
        return self.cache_dir / "weights"

    @property
    def locks_dir(self) -> Path:
        """What only one process may use at a time, such as a graphics card."""
        return self.home / "locks"

    @property
    def features_dir(self) -> Path:
        """Pixels and features, keyed by content; may be deleted at any time, costs only time."""
        return self.home / "cache"

    @property
    def composed_dir(self) -> Path:
        """Downloads of chosen formats; may be emptied at any time, they are composed again."""
        return self.features_dir / "composed"


def _row(name: str, info: FieldInfo) -> Setting:
    (row,) = (item for item in info.metadata if isinstance(item, Setting))
    return replace(row, name=name, default="" if info.default_factory else info.default)


SETTINGS: tuple[Setting, ...] = tuple(_row(name, info) for name, info in Settings.model_fields.items())
"""What the documentation and those who hand settings on to another process go through."""

_ROWS = {row.name: row for row in SETTINGS}


def _names_in(text: str) -> list[str]:
    """Those of a list with commas between them."""
    return [name.strip() for name in text.split(",") if name.strip()]


def load_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Reads DARKROOM_* from `environ` (default: this process's).

    Raises:
        BadSetting: a value that is not of its setting's type.
    """
    source = EnvSettingsSource(Settings)
    source.env_vars = {
        name.lower(): text for name, text in (os.environ if environ is None else environ).items() if text
    }  # an empty variable counts as not set
    try:
        return Settings(**source())
    except ValidationError as error:
        raise _refusal(error.errors()[0]) from None


def _refusal(problem: ErrorDetails) -> BadSetting:
    """What to say of the first value that cannot be used."""
    row, text = _ROWS[str(problem["loc"][0])], problem["input"]
    if expected := problem.get("ctx", {}).get("expected"):
        return BadSetting(option_messages.NOT_ONE_OF.format(variable=row.variable, choices=expected, text=text))
    if problem["type"].startswith("bool"):
        return BadSetting(option_messages.NOT_ONE_OF.format(variable=row.variable, choices=row.unit, text=text))
    return BadSetting(option_messages.NOT_A_NUMBER_OF_UNIT.format(variable=row.variable, unit=row.unit, text=text))
