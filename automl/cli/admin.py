"""`automl admin`: accounts, from the machine that Darkroom runs on."""

import argparse
import sys
from getpass import getpass
from pathlib import Path

from rich.console import Console
from rich.table import Table
from sqlalchemy.orm import Session

from automl.cli.commands import Subparsers
from automl.errors import BadSetting, NotAllowedNow
from automl.records import AuditAction, LinkPurpose, Role
from automl.settings import Settings
from automl.store.accounts import add_account, all_accounts, find_by_email, set_disabled
from automl.store.audit import record_event
from automl.store.backups import migrate
from automl.store.database import Database
from automl.store.one_time_links import make_link, path_of, setup_path
from automl.store.tables import Account
from automl.text.messages import accounts as account_messages

_ACTIONS = ("create", "setup-link", "list", "reset-password", "disable", "enable")


def add_parser(commands: Subparsers) -> argparse.ArgumentParser:
    parser = commands.add_parser("admin", help=account_messages.ADMIN_HELP)
    parser.add_argument("action", choices=_ACTIONS, help=account_messages.ADMIN_ACTION_HELP)
    parser.add_argument("--email", default="", help=account_messages.EMAIL_HELP)
    parser.add_argument("--name", default="", help=account_messages.NAME_HELP)
    parser.add_argument("--role", choices=list(Role), default=Role.ADMINISTRATOR, help=account_messages.ROLE_HELP)
    parser.add_argument("--password-file", metavar="FILE", help=account_messages.FILE_HELP)
    return parser


def run(options: argparse.Namespace, settings: Settings, console: Console) -> int:
    """Raises UserError: something that was asked for cannot be done."""
    migrate(settings)
    database = Database(settings.database_url)
    try:
        if options.action == "create":
            said = _create(options, database)
        else:
            with database.session() as session:
                if options.action == "list":
                    console.print(_table(session))
                    return 0
                said = _do(options, session, settings)
    finally:
        database.close()
    console.print(said, markup=False, soft_wrap=True, highlight=False)
    return 0


def _create(options: argparse.Namespace, database: Database) -> str:
    email = _given_email(options)
    password = _password(options.password_file)
    with database.session() as session:
        account = add_account(session, email=email, name=options.name, role=Role(options.role), password=password)
        _record(session, AuditAction.ACCOUNT_MADE, account)
        return account_messages.ACCOUNT_MADE.format(email=account.email, role=account.role)


def _do(options: argparse.Namespace, session: Session, settings: Settings) -> str:
    if options.action == "setup-link":
        path = setup_path(session)
        if path is None:
            raise NotAllowedNow(account_messages.IS_SET_UP)
        return _link(settings, path)
    account = _account(session, _given_email(options))
    if options.action == "reset-password":
        _record(session, AuditAction.RESET_LINK_MADE, account)
        return _link(settings, path_of(make_link(session, LinkPurpose.PASSWORD, account_id=account.id)))
    is_disabled = options.action == "disable"
    set_disabled(session, account, is_disabled)
    _record(session, AuditAction.DISABLED if is_disabled else AuditAction.ENABLED, account)
    said = account_messages.ACCOUNT_DISABLED if is_disabled else account_messages.ACCOUNT_ENABLED
    return said.format(email=account.email)


def _record(session: Session, action: AuditAction, account: Account) -> None:
    """As done by nobody with an account: whoever may run commands on this machine."""
    detail = f"{account.email}: {account.role}"
    record_event(session, action, account_id=None, object_kind="account", object_id=account.id, detail=detail)


def _table(session: Session) -> Table:
    columns = (
        account_messages.COLUMN_EMAIL,
        account_messages.COLUMN_NAME,
        account_messages.COLUMN_ROLE,
        account_messages.COLUMN_STATE,
    )
    table = Table(*columns)
    for account in all_accounts(session):
        state = account_messages.DISABLED if account.disabled_at else account_messages.ACTIVE
        table.add_row(account.email, account.name, account.role, state)
    return table


def _link(settings: Settings, path: str) -> str:
    base = settings.public_url.rstrip("/") or f"http://{settings.host}:{settings.port}"
    return account_messages.ADDRESS_OF_LINK.format(address=f"{base}{path}")


def _given_email(options: argparse.Namespace) -> str:
    if not options.email:
        raise BadSetting(account_messages.NEEDS_EMAIL)
    return str(options.email)


def _account(session: Session, email: str) -> Account:
    account = find_by_email(session, email)
    if account is None:
        raise BadSetting(account_messages.NO_ACCOUNT_WITH.format(email=email))
    return account


def _password(file: str | None) -> str:
    """From a file, or typed twice; never from the command line, which other users of the machine can read."""
    if file is None:
        password = getpass(f"{account_messages.PROMPT} ")
        if getpass(f"{account_messages.AGAIN_PROMPT} ") != password:
            raise BadSetting(account_messages.NOT_THE_SAME_TWICE)
        return password
    text = sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
    return text.partition("\n")[0]
