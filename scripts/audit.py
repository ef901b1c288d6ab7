"""Asks the advisory services about every locked package: `python -m scripts.audit PIP_AUDIT`.

It fails where one has a known hole. `scripts/check --online` installs pip-audit from `requirements/audit.lock` beside
the project and calls this. A package that could not be asked about counts as a failure, too: pip-audit itself calls a
list clean from which it has skipped everything.
Holes that cannot be mended yet stand in `ACCEPTED`, each with its reason and a date from which on they fail again.
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """A known hole that is lived with for a while.

    Attributes:
        advisory: its name, such as GHSA-xxxx-xxxx-xxxx, PYSEC-2026-1 or CVE-2026-1.
        reason: why it does no harm here, or cannot be mended.
        until: from this day on it counts again.
    """

    advisory: str
    reason: str
    until: date


ACCEPTED: tuple[Accepted, ...] = ()


class NotAudited(Exception):
    """Nobody has answered about some packages; the message says which, and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A known hole of a package. `advisories`: all names that it has; `mended_in`: versions without it, in words."""

    package: str
    advisories: tuple[str, ...]
    mended_in: str

    def __str__(self) -> str:
        return f"{self.package}: {', '.join(self.advisories)}; mended in: {self.mended_in or 'no version yet'}"


def of_pip_audit(text: str, what: str) -> list[Finding]:
    """What pip-audit has found, from its JSON.

    Raises:
        NotAudited: It is no such JSON, or a package was skipped.
    """
    answer = _json(text, what)
    if "dependencies" not in answer:
        raise NotAudited(f"pip-audit has said nothing about {what}.")
    skipped = [one["name"] for one in answer["dependencies"] if "skip_reason" in one]
    if skipped or not answer["dependencies"]:
        raise NotAudited(
            f"The advisory service has no answer about {len(skipped)} packages of {what}, among them "
            f"{', '.join(skipped[:5]) or 'all'}. Is https://pypi.org reachable from here, and not only a mirror of it?"
        )
    return [
        Finding(
            package=f"{one['name']} {one['version']}",
            advisories=(hole["id"], *hole.get("aliases", ())),
            mended_in=", ".join(hole["fix_versions"]),
        )
        for one in answer["dependencies"]
        for hole in one["vulns"]
    ]


def of_npm_audit(text: str, what: str) -> list[Finding]:
    """What npm has found, from its JSON.

    Raises:
        NotAudited: The registry has not answered.
    """
    answer = _json(text, what)
    if "vulnerabilities" not in answer:
        raise NotAudited(
            f"npm's advisory service does not answer about {what} ({answer.get('message', 'no reason given')})."
        )
    return [
        Finding(
            package=name,
            # A text names another package of this list, by which this one is affected.
            advisories=tuple(via["url"].rpartition("/")[2] for via in one["via"] if isinstance(via, Mapping)),
            mended_in=str(one.get("range", "")) and f"after {one['range']}",
        )
        for name, one in answer["vulnerabilities"].items()
        if any(isinstance(via, Mapping) for via in one["via"])
    ]


def open_findings(findings: Iterable[Finding], accepted: Iterable[Accepted], today: date) -> list[Finding]:
    """Those that nobody has accepted, or not until today."""
    names = {one.advisory for one in accepted if today < one.until}
    return [finding for finding in findings if not names & set(finding.advisories)]


def main(arguments: list[str]) -> int:
    pip_audit = arguments[0]
    findings: list[Finding] = []
    silent: list[str] = []
    for lock in sorted((REPOSITORY / "requirements").glob("*.lock")):
        command = [pip_audit, "--disable-pip", "--require-hashes", "--format", "json", "--progress-spinner", "off"]
        _ask([*command, "--requirement", str(lock)], lock.name, of_pip_audit, findings, silent)
    npm = shutil.which("npm") or str(REPOSITORY / ".venv/bin/npm")
    _ask([npm, "audit", "--json"], "package-lock.json", of_npm_audit, findings, silent)
    left = open_findings(findings, ACCEPTED, date.today())
    for line in (*map(str, left), *silent):
        print(line, file=sys.stderr)
    if not (left or silent):
        print("No known hole in any locked package.")
    return 1 if left or silent else 0


def _ask(command: list[str], what: str, read: Any, findings: list[Finding], silent: list[str]) -> None:
    try:
        # Both tools end with 1 where they have found something; what they say decides.
        answered = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
        findings += read(answered.stdout, what)
    except (NotAudited, FileNotFoundError) as error:
        silent.append(f"Not audited: {error}")


def _json(text: str, what: str) -> dict[str, Any]:
    try:
        return dict(json.loads(text))
    except ValueError as error:
        raise NotAudited(f"There is no answer about {what}. Is the network reachable from here?") from error


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
