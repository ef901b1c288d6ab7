"""What Lighthouse says of the pages: performance, accessibility, best practices, SEO, each out of 100.

    npm install --prefix /tmp/lighthouse lighthouse
    python -m bench.lighthouse --lighthouse /tmp/lighthouse/node_modules/.bin/lighthouse [--folder PHOTOS]

Lighthouse's default for phones: a slow 4G line and a processor throttled four times, both simulated. The pages are
those of a stack of its own, on which a short run has ended.
"""

import argparse
import json
import os
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from bench.harness import DATA, report
from scripts.stack.running import running_stack
from tests.browser.conftest import FLAGS


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lighthouse", default="lighthouse", help="the program")
    parser.add_argument("--folder", type=Path, default=DATA / "hymenoptera" / "train", help="photos of the run")
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    options = parser.parse_args()
    with running_stack() as service:
        dataset = service.upload(options.folder, options.folder.parent.name)
        run = service.start(dataset, "40s", seed=0)
        service.wait_for(run, "done")
        paths = {
            "first page": "/",
            "data set": f"/datasets/{dataset}",
            "result": f"/runs/{run}",
            "try it": f"/runs/{run}/try",
        }
        pages = {name: audit(options.lighthouse, options.chromium, service.url + path) for name, path in paths.items()}
    report("lighthouse", pages=pages)


def audit(program: str, chromium: str, url: str) -> dict[str, Any]:
    """Scores by category, and the titles of what did not pass."""
    with tempfile.TemporaryDirectory(prefix="darkroom-bench-") as folder:
        result = Path(folder) / "report.json"
        flags = " ".join(["--headless", *FLAGS])
        command = [program, url, "--quiet", "--output=json", f"--output-path={result}", f"--chrome-flags={flags}"]
        subprocess.run(command, check=True, env={**os.environ, "CHROME_PATH": chromium}, timeout=300)
        found = json.loads(result.read_text())
    audits = found["audits"]
    return {
        **{name: round(100 * one["score"]) for name, one in found["categories"].items()},
        "largest_contentful_paint": audits["largest-contentful-paint"]["displayValue"].replace("\u00a0", " "),
        "total_blocking_time": audits["total-blocking-time"]["displayValue"].replace("\u00a0", " "),
        "failed": sorted(a["title"] for a in audits.values() if a["score"] == 0 and a["scoreDisplayMode"] == "binary"),
    }


if __name__ == "__main__":
    main()
