"""Read-only links, as the page of a result offers and lists them."""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

import segno
from flask import request, url_for
from markupsafe import Markup
from sqlalchemy.orm import Session

from automl.records import LinkedPage
from automl.settings import Settings
from automl.store.links import links_of
from automl.store.tables import Run, SharedLink

_DAY_S = 86_400
_OFFERED_S = (3600, _DAY_S, 7 * _DAY_S, 30 * _DAY_S, 90 * _DAY_S)
_USUAL_S = 7 * _DAY_S


@dataclass(frozen=True, slots=True, kw_only=True)
class LinksPanel:
    """What the page of a result says of links.

    Attributes:
        links: Those that open something, the latest first.
        times_s: For how long a link may be made, in seconds; empty where this server has none.
        usual_s: The one of these that is chosen at first.
    """

    links: Sequence[SharedLink]
    times_s: Sequence[int]
    usual_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeLink:
    """A link that was just made: the only moment at which its address is known.

    Attributes:
        address: What opens the page, in full.
        qr_code: The same as a QR code, as SVG.
        is_only_here: Whether no other device can reach that address.
        is_safe: Whether browsers lend a page with that address the camera, and keep it for times without a network.
    """

    address: str
    qr_code: Markup
    is_only_here: bool
    is_safe: bool


def links_panel(session: Session, run: Run, settings: Settings) -> LinksPanel:
    times_s = times_of_links(settings)
    usual_s = max((time_s for time_s in times_s if time_s <= _USUAL_S), default=0)
    return LinksPanel(links=links_of(session, run.id), times_s=times_s, usual_s=usual_s)


def times_of_links(settings: Settings) -> tuple[int, ...]:
    """For how long a link may be made, in seconds."""
    return tuple(time_s for time_s in _OFFERED_S if time_s <= settings.max_link_s)


def made_link(page: LinkedPage, secret: str, settings: Settings) -> MadeLink:
    """The address of a link, under the name by which people reach this server."""
    path = url_for(f"shared_{page}.show", secret=secret)
    address = (settings.public_url or request.url_root).rstrip("/") + path
    parts = urlsplit(address)
    is_only_here = _is_loopback(parts.hostname or "")
    return MadeLink(
        address=address,
        qr_code=_qr_code(address),
        is_only_here=is_only_here,
        is_safe=parts.scheme == "https" or is_only_here,
    )


def _qr_code(address: str) -> Markup:
    """Black on white also in the dark: cameras expect it so, with a border of four modules."""
    code = segno.make_qr(address, error="m")
    return Markup(code.svg_inline(border=4, dark="#000", light="#fff", omitsize=True, svgclass="qr-code"))  # noqa: S704


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:  # a name
        return host == "localhost" or host.endswith(".localhost")
