"""The web server: pages, uploads and the HTTP API. It never trains; it writes rows and enqueues by task name."""

from flask import Flask

from automl.settings import Settings, load_settings
from automl.store.artifacts import ArtifactStore
from automl.store.database import Database
from server import api, artifacts, datasets, errors, home, runs, security, upload_api, words
from server.queue import TaskQueue
from server.services import Enqueue, Services

_MAX_FORM_BYTES = 1 << 20
"""For everything but uploads, which set their own limit."""


def create_app(settings: Settings | None = None, enqueue: Enqueue | None = None) -> Flask:
    """The WSGI application. The tables must exist (`Database.migrate`); nothing is opened or contacted here.

    `enqueue`: called as `enqueue(task_name, *ids)`; default: Celery, through `settings.broker_url`.

    Raises:
        BadSetting: a DARKROOM_* variable that is not of its setting's type.
    """
    settings = settings or load_settings()
    app = Flask(__name__, template_folder="../templates")
    app.config["MAX_CONTENT_LENGTH"] = _MAX_FORM_BYTES
    app.extensions["darkroom"] = Services(
        settings=settings,
        database=Database(settings.database_url),
        store=ArtifactStore(settings.files_dir),
        enqueue=enqueue or TaskQueue(settings.broker_url).send,
    )
    app.context_processor(lambda: {"limits": settings})
    for part in (errors, security, words):
        part.install(app)
    for module in (home, datasets, runs, artifacts, api, upload_api):
        app.register_blueprint(module.blueprint)
    return app
