"""The web server: pages, uploads and the HTTP API. It never trains; it writes rows and enqueues by task name."""

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from automl.errors import BadSetting
from automl.logs import configure_logging
from automl.settings import Settings, load_settings
from automl.store.artifacts import ArtifactStore
from automl.store.database import Database
from automl.store.events import RunEvents
from automl.store.worker_signs import WorkerSigns
from automl.text.messages import options as option_messages
from server import access, api, errors, identity, openid, probes, rates, request_log, security, static_files
from server import template_filters as words
from server.downloads import everything
from server.downloads import files as artifacts
from server.downloads import photos as photo_downloads
from server.live import stream as live_events
from server.live.hub import LiveHub
from server.pages import (
    accounts,
    camera,
    compare,
    datasets,
    help,
    home,
    links,
    people,
    phone,
    photos,
    results,
    runs,
    shared_result,
    shares,
    sure,
    tokens,
    try_it,
)
from server.pages import answers as answer_pages
from server.pages import bin as bin_pages
from server.pages import formats as exports
from server.pages import openid as openid_pages
from server.pages import sorting as sorting_pages
from server.patient import PatientFlask
from server.services import Enqueue, Services
from server.task_queue import TaskQueue

_MAX_FORM_BYTES = 1 << 20
"""For everything but uploads, which set their own limit."""

_EVENTS_TIMEOUT_S = 0.5
"""A page that is drawn waits no longer for Redis; the thread that follows the runs may."""


def create_app(settings: Settings | None = None, enqueue: Enqueue | None = None) -> Flask:
    """The WSGI application. The tables must exist (`Database.migrate`); nothing is opened or contacted here.

    `enqueue`: called as `enqueue(task_name, *ids)`; default: Celery, through `settings.broker_url`.

    Raises:
        BadSetting: a DARKROOM_* variable that is not of its setting's type, or others can reach the server and it does
            not know by which names.
    """
    settings = settings or load_settings()
    if not settings.trusted_hosts:
        raise BadSetting(option_messages.NO_HOST_NAMES.format(host=settings.host))
    app = PatientFlask(__name__, static_folder=None, template_folder="../templates")
    app.config["MAX_CONTENT_LENGTH"] = _MAX_FORM_BYTES
    database = Database(settings.database_url)
    look = live_events.make_look(database, settings.lease_s)
    app.extensions["darkroom"] = Services(
        settings=settings,
        database=database,
        store=ArtifactStore(settings.files_dir),
        enqueue=enqueue or TaskQueue(settings.broker_url).send,
        events=RunEvents(settings.broker_url, _EVENTS_TIMEOUT_S),
        signs=WorkerSigns(settings.broker_url),
        live=LiveHub(
            RunEvents(settings.broker_url),
            render=live_events.make_renderer(app),
            look=look,
            unwelcome=live_events.make_unwelcome(database),
        ),
    )
    app.context_processor(lambda: {"limits": settings})
    for part in (request_log, errors, security):
        part.install(app)
    identity.install(app, settings)
    openid.install(app, settings)
    for part in (access, static_files, words, probes):
        part.install(app)
    pages = (
        home,
        datasets,
        camera,
        photos,
        runs,
        live_events,
        answer_pages,
        results,
        compare,
        exports,
        artifacts,
        photo_downloads,
        everything,
        try_it,
        sorting_pages,
        sure,
        phone,
        links,
        shared_result,
        bin_pages,
        accounts,
        openid_pages,
        tokens,
        people,
        shares,
        help,
        probes,
    )
    if settings.proxies:
        hops = settings.proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]
    for blueprint in (*(page.blueprint for page in pages), phone.shared, *api.BLUEPRINTS):
        app.register_blueprint(blueprint)
    rates.install(app, settings)
    return app


def serve() -> Flask:
    """As the web server runs it: with its templates compiled, which the first visitors would else wait for."""
    settings = load_settings()
    configure_logging(settings, process="web")
    app = create_app(settings)
    for name in app.jinja_env.list_templates():
        app.jinja_env.get_template(name)
    return app
