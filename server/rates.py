"""How often one account, or one address where nobody has signed in, may ask for what costs this server much.

Flask-Limiter counts in Redis, so that all processes that answer requests count together; while Redis is away each
counts for itself. Where nobody needs an account, only the people at this machine can ask, and nothing is counted.
"""

from collections.abc import Mapping
from typing import cast

from flask import Flask, request
from flask.typing import RouteCallable
from flask_limiter import HeaderNames, Limiter
from limits import parse_many

from automl.errors import BadSetting
from automl.settings import Settings
from automl.text.messages import quotas as quota_messages
from server.rate_storage import address_of, options_of
from server.visitor import known_visitor

_ENDPOINTS: Mapping[str, str] = {
    "rate_uploads": """
        datasets.create datasets.add_files dataset_api.create_dataset dataset_api.add_files
        sorting.create sorting.add_photos sorting_api.add_files
    """,
    "rate_predictions": "try_it.answer try_api.predict",
    "rate_creations": """
        home.try_samples datasets.start run_api.create_run exports.start export_api.make_exports sorting_api.create
        links.make tokens.make shares.add people.invite people.make_reset_link accounts.follow_link
    """,
}
"""Endpoints that count together, by the name of the setting."""


def install(app: Flask, settings: Settings) -> None:
    """Must come after all views, and after it is known who sends a request.

    Raises:
        BadSetting: One of the settings is no rate.
    """
    limiter = Limiter(
        _sender,
        app=app,
        storage_uri=address_of(settings),
        storage_options=options_of(settings),
        strategy="moving-window",
        in_memory_fallback_enabled=True,
        headers_enabled=True,
        header_name_mapping={HeaderNames.RETRY_AFTER: "Retry-After"},
        retry_after="delta-seconds",
        key_prefix="darkroom",
    )
    for name, endpoints in _ENDPOINTS.items():
        rate = str(getattr(settings, name))
        if not rate:
            continue
        try:
            parse_many(rate)
        except ValueError:
            raise BadSetting(quota_messages.NO_RATE.format(variable=f"DARKROOM_{name.upper()}", rate=rate)) from None
        limited = limiter.shared_limit(rate, scope=name, exempt_when=_needs_no_account)
        for endpoint in endpoints.split():
            app.view_functions[endpoint] = cast(RouteCallable, limited(app.view_functions[endpoint]))


def _sender() -> str:
    who = known_visitor()
    return who.account_id if who is not None and who.account_id else request.remote_addr or "unknown"


def _needs_no_account() -> bool:
    who = known_visitor()
    return who is not None and who.account_id is None
