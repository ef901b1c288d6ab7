"""Environments that hold few packages, to show what is enough for a model that was delivered."""

import re
import venv
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path


def environment_with(packages: Iterable[str], folder: Path) -> Path:
    """The interpreter of a fresh environment that holds some packages and what they need: links, no download."""
    venv.create(folder, with_pip=False)
    (site,) = (folder / "lib").glob("python3*/site-packages")
    for name in _closure([re.split("[<>=~]", line)[0] for line in packages]):
        for file in metadata.files(name) or ():
            top = file.parts[0]
            if top not in ("..", "__pycache__") and not (site / top).exists():
                (site / top).symlink_to(Path(file.locate()).parents[len(file.parts) - 2] if len(file.parts) > 1
                                        else file.locate())  # fmt: skip
    return folder / "bin" / "python"


def _closure(names: list[str]) -> set[str]:
    """The packages and, in turn, all that they require on this machine."""
    found: set[str] = set()
    while names:
        name = names.pop()
        if name in found:
            continue
        found.add(name)
        for requirement in metadata.requires(name) or ():
            needed = re.match(r"[\w.-]+", requirement)
            if needed and "extra ==" not in requirement and _is_installed(needed[0]):
                names.append(needed[0])
    return found


def _is_installed(name: str) -> bool:
    try:
        metadata.distribution(name)
    except metadata.PackageNotFoundError:  # of another system or another Python
        return False
    return True
