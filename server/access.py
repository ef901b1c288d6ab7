"""Who may open what: each request passes here before it is answered, and what no rule allows is refused.

Three kinds of senders are told apart: strangers, who see how to sign in; people with an account, or everybody where
nobody needs one (see `server.identity`); and who has a read-only link, which opens one page of one run and nothing
else: no other part of the server reads the secret of a link.
"""

import re
from collections.abc import Mapping
from enum import Enum, auto

from flask import Flask, Response, g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import ColumnElement, false, true
from sqlalchemy.orm import Session

from automl.errors import NotFound
from automl.records import LinkedPage, Role, TokenScope
from automl.store.bin import BinKind
from automl.store.links import find_link
from automl.store.shares import Right, dataset_of_artifact, dataset_of_run, is_visible_to, right_to
from automl.store.tables import Dataset, SharedLink
from automl.text.messages import accounts as account_messages
from automl.text.messages import administration as administration_messages
from automl.text.messages import server as server_messages
from automl.text.messages import store as store_messages
from server.services import services
from server.visitor import NotPermitted, SignInNeeded, Visitor, known_visitor, visitor

LINKS_PREFIX = "/shared"
"""What the paths of all read-only links begin with."""

_LINKED: Mapping[str, LinkedPage] = {"shared_model": LinkedPage.MODEL, "shared_result": LinkedPage.RESULT}
"""What a link must be for, by the blueprint that it is to open."""

_SECRET = re.compile(rf"(?<=^{LINKS_PREFIX})(/\w+)/[^/]+|(?<=^/once)/[^/]+")

_LINK_HEADERS = {
    "Referrer-Policy": "no-referrer",  # the address is the secret
    "X-Robots-Tag": "noindex, nofollow, noarchive",
}


class Rule(Enum):
    """Who may open an address."""

    EVERYBODY = auto()
    """Also strangers."""

    BY_LINK = auto()
    """Who has a read-only link to it."""

    KNOWN = auto()
    """Everybody with an account. What is listed there is what he may see."""

    MEMBER = auto()
    """Members and administrators: something is made there."""

    SEES = auto()
    """Who may see the data set that the address is about."""

    CHANGES = auto()
    """Who may change it."""

    OWNS = auto()
    """Whose it is."""

    ADMINISTRATOR = auto()
    """Administrators."""


_NAMES: Mapping[Rule, str] = {
    Rule.EVERYBODY: """
        static home.health home.favicon probes.is_alive probes.is_ready probes.metrics
        accounts.ask accounts.sign_in accounts.sign_out accounts.open_link accounts.follow_link
        openid.begin openid.finish openid.leave
    """,
    Rule.BY_LINK: """
        shared_model.show shared_model.manifest shared_model.worker shared_model.model
        shared_result.show shared_result.photo
    """,
    Rule.KNOWN: """
        home.index help.show help.api datasets.index dataset_api.list_datasets
        bin.index bin.ask_to_empty bin.empty_it bin_api.list_bin bin_api.empty_bin
        accounts.show accounts.change accounts.change_password accounts.end accounts.ask_to_close
        accounts.close everything.download tokens.make tokens.revoke
    """,
    Rule.MEMBER: """
        home.try_samples datasets.create dataset_api.create_dataset run_api.create_run camera.new
    """,
    Rule.SEES: """
        answers.show artifacts.artifact artifacts.bundle camera.what_next compare.show
        dataset_api.get_dataset dataset_api.list_files datasets.expected datasets.live datasets.photos
        datasets.show datasets.thumbnail export_api.get_exports exports.changed exports.download
        live_events.events phone.manifest phone.model phone.one_file phone.show phone.worker
        photo_downloads.photos photos.picture photos.show results.details results.doubts results.mistakes
        run_api.get_run run_api.get_trials runs.live runs.show runs.show_course runs.show_tries
        sorting.csv_table sorting.folders sorting.show sorting.thumbnail sorting.xlsx_table
        try_api.predict try_it.answer try_it.heat try_it.show try_it.unlabelled
    """,
    Rule.CHANGES: """
        answers.confirm answers.correct camera.show dataset_api.add_files dataset_api.cancel_check_of_dataset
        dataset_api.check_dataset dataset_api.rename datasets.add_files datasets.cancel datasets.check datasets.edit
        datasets.fix datasets.keep datasets.rename
        datasets.settle datasets.start datasets.undo edit_api.edit_dataset edit_api.fix_dataset edit_api.undo
        export_api.make_exports exports.start photos.change run_api.cancel_run run_api.extend_run run_api.rename
        run_api.stop_run runs.cancel runs.extend runs.manage runs.notify runs.rename runs.stop
        sorting.add sorting.add_photos sorting.ask_to_delete sorting.create sorting.delete sorting.say
        sorting_api.add_files sorting_api.create sorting_api.missing sure.choose try_api.add_feedback
        upload_api.missing
    """,
    Rule.OWNS: """
        bin.ask bin.delete_it bin.put_back dataset_api.delete_dataset dataset_api.restore_dataset
        run_api.delete_run run_api.restore_run links.make links.end shares.add shares.end
    """,
    Rule.ADMINISTRATOR: """
        people.index people.invite people.take_back people.change_role people.disable people.enable
        people.make_reset_link people.show_audit
    """,
}

RULES: Mapping[str, Rule] = {name: rule for rule, names in _NAMES.items() for name in names.split()}
"""The rule of each endpoint. A test compares them with the addresses that there are."""

_NOT_BY_TOKEN = frozenset({"accounts", "tokens", "people", "shares", "links"})
"""Blueprints that no token opens: whoever finds one must not be able to make more of it, or what outlives it."""

_RIGHTS = {Rule.SEES: Right.SEE, Rule.CHANGES: Right.CHANGE, Rule.OWNS: Right.OWN}


def install(app: Flask) -> None:
    app.before_request(_admit)
    app.after_request(_keep_secret)
    app.jinja_env.globals["allows"] = allows  # also in macros, which see no context


def is_by_link() -> bool:
    """Whether the current request comes from somebody who has only a read-only link, or a part of one."""
    return request.path.startswith(f"{LINKS_PREFIX}/")


def link() -> SharedLink:
    """The read-only link by which the current request was admitted."""
    found = g.link
    assert isinstance(found, SharedLink)
    return found


def path_for_logs() -> str:
    """The path of the current request without the secret of a link."""
    return _SECRET.sub(lambda found: f"{found.group(1) or ''}/…", request.path)


def right_of_visitor(session: Session, dataset_id: str) -> Right:
    """What the sender of the current request may do with a data set."""
    account_id = _limited_to()
    if account_id is None:
        return Right.OWN
    right = right_to(session, dataset_id, account_id)
    return min(right, Right.SEE) if visitor().role is Role.VIEWER else right


def allows(endpoint: str, dataset_id: str | None = None) -> bool:
    """Whether the sender of the current request may open an address, so that pages offer nothing that is refused.

    Args:
        endpoint: Its name.
        dataset_id: The data set that the address is about, directly or by one of its runs.
    """
    rule, who = RULES[endpoint], known_visitor()
    if rule is Rule.EVERYBODY:
        return True
    if who is None or not _is_for_role(rule, who.role):
        return False
    if rule not in _RIGHTS or who.role is Role.ADMINISTRATOR:
        return True
    assert dataset_id is not None, endpoint
    rights = g.setdefault("rights", {})
    if dataset_id not in rights:
        with services().database.session() as session:
            rights[dataset_id] = right_of_visitor(session, dataset_id)
    return bool(rights[dataset_id] >= _RIGHTS[rule])


def require(right: Right, session: Session, dataset_id: str) -> None:
    """For a data set that is named in the body of a request instead of its address.

    Raises:
        NotFound: Whoever sent it may not see the data set, or there is none.
        NotPermitted: He may see it and no more.
    """
    _require(right, session, dataset_id, store_messages.NO_DATA_SET)


def is_visible() -> ColumnElement[bool]:
    """A condition on data sets, for lists: those that the sender of the current request may see."""
    account_id = _limited_to()
    return true() if account_id is None else is_visible_to(account_id)


def is_own() -> ColumnElement[bool]:
    """A condition on data sets, for lists: those that the sender of the current request may delete and put back."""
    account_id = _limited_to()
    if account_id is None:
        return true()
    return false() if visitor().role is Role.VIEWER else Dataset.owner_id == account_id


def _limited_to() -> str | None:
    """The account to whose data sets, own and shared, the current request is limited. None if it may see all."""
    who = visitor()
    return None if who.role is Role.ADMINISTRATOR else who.account_id


def _admit() -> ResponseReturnValue | None:
    """Lets a request pass, or answers it.

    Raises:
        NotFound: The sender may not see what it is about, or the link opens nothing.
        NotPermitted: His role does not allow it, or he may see it and no more.
        SignInNeeded: Nobody knows who sends it, and it comes from a program.
    """
    if request.endpoint is None:
        return None  # there is nothing at this address
    rule = RULES.get(request.endpoint)
    if rule is Rule.EVERYBODY:
        return None
    if rule is Rule.BY_LINK:
        _open_link()
        return None
    who = known_visitor()
    if who is None:
        return _send_to_sign_in()
    _require_scope(who)
    if rule is None or not _is_for_role(rule, who.role):
        raise NotPermitted(account_messages.NOT_PERMITTED)
    if rule in _RIGHTS and who.role is not Role.ADMINISTRATOR:
        with services().database.session() as session:
            dataset_id, missing = _asked_about(session)
            _require(_RIGHTS[rule], session, dataset_id, missing)
    return None


def _is_for_role(rule: Rule, role: Role) -> bool:
    """Whether a rule lets somebody of this role in, as far as that does not depend on a data set."""
    if rule is Rule.ADMINISTRATOR:
        return role is Role.ADMINISTRATOR
    return rule is not Rule.MEMBER or role is not Role.VIEWER


def _open_link() -> None:
    """Its view is called with the run of the link, as one that is not linked is with that of its path."""
    values = request.view_args or {}
    with services().database.session() as session:
        g.link = find_link(session, values["secret"], _LINKED[request.blueprint or ""])
    g.link_secret = values.pop("secret")
    values["run_id"] = g.link.run_id


def _send_to_sign_in() -> ResponseReturnValue:
    is_program = request.path.startswith("/api/v1/") or "HX-Request" in request.headers
    if is_program or request.method != "GET":
        raise SignInNeeded(account_messages.SIGN_IN_FIRST)
    wanted = request.full_path.rstrip("?")
    return redirect(url_for("accounts.ask", next=None if wanted == "/" else wanted), 303)


def _require_scope(who: Visitor) -> None:
    is_predicting = request.endpoint == "try_api.predict"
    is_reading = request.method in ("GET", "HEAD", "OPTIONS")
    if who.scope is None:
        return
    is_allowed = {TokenScope.READ: is_reading, TokenScope.PREDICT: is_predicting, TokenScope.WRITE: True}[who.scope]
    if not is_allowed or request.blueprint in _NOT_BY_TOKEN:
        raise NotPermitted(administration_messages.OUT_OF_SCOPE)


def _asked_about(session: Session) -> tuple[str | None, str]:
    """The data set that the address of the current request is about, and what to say where there is none."""
    values = request.view_args or {}
    kind, thing_id = values.get("kind"), values.get("thing_id", "")
    if "dataset_id" in values or kind == BinKind.DATASET:
        return values.get("dataset_id", thing_id), store_messages.NO_DATA_SET
    if "run_id" in values or kind == BinKind.RUN:
        return dataset_of_run(session, values.get("run_id", thing_id)), store_messages.NO_RUN
    return dataset_of_artifact(session, values["artifact_id"]), server_messages.FILE_REPLACED


def _require(right: Right, session: Session, dataset_id: str | None, missing: str) -> None:
    has = Right.NONE if dataset_id is None else right_of_visitor(session, dataset_id)
    if has is Right.NONE:
        raise NotFound(missing)
    if has < right:
        raise NotPermitted(account_messages.NOT_PERMITTED)


def _keep_secret(response: Response) -> Response:
    if is_by_link() or request.path.startswith("/once/"):
        response.headers.update(_LINK_HEADERS)
    return response
