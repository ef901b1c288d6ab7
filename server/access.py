"""Who may open what: each request passes here before it is answered.

Two kinds of visitors are told apart. Whoever reaches this server's own pages may do everything, see docs/security.md.
Who has a read-only link may open the pages of one of the blueprints in `_LINKED`, for the one run of the link, and
nothing else: no other part of the server reads the secret of a link.
"""

import re
from collections.abc import Mapping

from flask import Flask, Response, g, request

from automl.records import LinkedPage
from automl.store.links import find_link
from automl.store.tables import SharedLink
from server.services import services

LINKS_PREFIX = "/shared"
"""What the paths of all read-only links begin with."""

_LINKED: Mapping[str, LinkedPage] = {"shared_model": LinkedPage.MODEL, "shared_result": LinkedPage.RESULT}
"""What a link must be for, by the blueprint that it is to open."""

_SECRET = re.compile(rf"(?<=^{LINKS_PREFIX})(/\w+)/[^/]+")

_LINK_HEADERS = {
    "Referrer-Policy": "no-referrer",  # the address is the secret
    "X-Robots-Tag": "noindex, nofollow, noarchive",
}


def install(app: Flask) -> None:
    app.before_request(_admit)
    app.after_request(_keep_secret)


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
    return _SECRET.sub(r"\1/…", request.path)


def _admit() -> None:
    """Opens a link. Its view is called with the run of the link, as one that is not linked is with that of its path.

    Raises:
        NotFound: the link opens nothing.
    """
    page = _LINKED.get(request.blueprint or "")
    if page is None or request.view_args is None:
        return
    with services().database.session() as session:
        g.link = find_link(session, request.view_args["secret"], page)
    g.link_secret = request.view_args.pop("secret")
    request.view_args["run_id"] = g.link.run_id


def _keep_secret(response: Response) -> Response:
    if is_by_link():
        response.headers.update(_LINK_HEADERS)
    return response
