"""The web process is light: what it imports, how long that takes, how much memory it needs."""

import json
import subprocess
import sys

from server import serve

HEAVY = ("tensorflow", "keras", "keras_tuner", "optuna", "sklearn", "scipy", "skimage", "matplotlib", "onnx", "worker")

PROGRAM = """
import json, sys, time
from pathlib import Path
before = time.process_time()  # other tests run beside this one
import server
took_s = time.process_time() - before
server.create_app()
# Not getrusage: its peak is inherited from the process that forked this one.
peak = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
rss_bytes = int(peak.split()[1]) * 1024
print(json.dumps({"took_s": took_s, "rss_bytes": rss_bytes, "modules": sorted(sys.modules)}))
"""


def import_server(home: str) -> dict[str, object]:
    environment = {"DARKROOM_HOME": home, "PATH": "/usr/bin:/bin"}
    output = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=environment, check=True, capture_output=True, text=True
    )
    figures: dict[str, object] = json.loads(output.stdout)
    return figures


def test_importing_the_server_is_quick_and_light(tmp_path):
    import_server(str(tmp_path))  # the first import of an installation writes its byte code
    tries = [import_server(str(tmp_path)) for _ in range(3)]
    for figures in tries:
        assert [name for name in HEAVY if name in figures["modules"]] == []
        assert figures["rss_bytes"] < 200e6
    # Tests that run beside this one share its caches and memory: the quickest try tells most of the import itself.
    assert min(figures["took_s"] for figures in tries) < 2


def test_no_visitor_waits_for_templates(tmp_path, monkeypatch):
    monkeypatch.setenv("DARKROOM_HOME", str(tmp_path))
    templates = serve().jinja_env
    assert {name for _, name in templates.cache} == set(templates.list_templates())
