"""Puts a download together: the base bundle without the models that are not chosen, and with those that are.

The same choice of the same files gives the same bytes, so that a download that broke off can go on later.
"""

import json
import shutil
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from automl.delivery.contents import words_of
from automl.errors import BadBundle
from automl.formats import FORMATS, ONNX_RUNTIME, Format, Runtime
from automl.records import DeliveredContract
from automl.serving.predict import CONTRACT
from automl.serving.sound_zip import sound_zip
from automl.text.messages import delivery as delivery_messages
from automl.text.numbers import percent

_STORED = frozenset({".png", ".pb", *(Path(one.file_name).suffix for one in FORMATS if not one.folder_mark)})
"""Files that are compressed already, or models, whose numbers hardly get smaller."""

_REPLACED = frozenset({"README.txt", "predict.py", "requirements.txt"})


@dataclass(frozen=True, slots=True)
class Chosen:
    """One format that was ticked.

    Attributes:
        format: its row.
        model: its file, a .zip where the format is a folder; None where the base bundle has it.
        remark: what its user has to mind; empty if nothing.
    """

    format: Format
    model: Path | None = None
    remark: str = ""


def compose(target: Path, base: Path, chosen: Sequence[Chosen], *, sure: float | None = None) -> None:
    """Writes a .zip of everything in `base` but its models, of the chosen models, and of what uses them.

    Args:
        target: the .zip that is written.
        base: the finished download of a run, see `automl.delivery.bundle`.
        chosen: at least one; their order does not matter.
        sure: the confidence from which on answers count as sure; None for that which the base bundle says.

    Raises:
        BadBundle: `base` is not a finished download, or a chosen model is not in it or not what it should be.
    """
    ordered = sorted(chosen, key=lambda one: FORMATS.index(one.format))
    models = {one.file_name for one in FORMATS}
    try:
        with sound_zip(base) as source, zipfile.ZipFile(target, "w") as zipped:
            sentence = json.loads(source.read("metrics.json"))["sentence"]
            date = source.getinfo(
                "metrics.json"
            ).date_time  # also of what is added: the date of today would differ tomorrow
            out = _Writer(zipped, date)
            others = [one for one in source.infolist() if one.filename not in models | _REPLACED]
            out.write_text("README.txt", _readme(sentence, ordered, others, sure))
            for info in others:
                if info.filename == CONTRACT and sure is not None:
                    contract = DeliveredContract.model_validate_json(source.read(info))
                    out.write_text(CONTRACT, contract.model_copy(update={"sure": sure}).json_text())
                else:
                    out.copy(source, info, info.filename)
            _write_programs(out, ordered)
            for one in ordered:
                _write_model(out, source, one)
    except (KeyError, zipfile.BadZipFile) as error:
        raise BadBundle(delivery_messages.DOWNLOAD_DAMAGED.format(error=error)) from error


_Date = tuple[int, int, int, int, int, int]
"""The date of a member of a .zip, from year to second."""


class _Writer:
    """Adds members to a .zip; their bytes depend on nothing but what is given.

    Args:
        zipped: the .zip.
        date: of the members that have none of their own.
    """

    def __init__(self, zipped: zipfile.ZipFile, date: _Date) -> None:
        self._zipped, self._date = zipped, date

    def write_text(self, name: str, text: str) -> None:
        self._zipped.writestr(self._info(name, self._date), text)

    def copy(self, source: zipfile.ZipFile, info: zipfile.ZipInfo, name: str) -> None:
        """Adds a member of another .zip, with its date."""
        if info.is_dir():
            return
        with source.open(info) as handle:
            self.write(name, handle, n_bytes=info.file_size, date=info.date_time)

    def write(self, name: str, handle: IO[bytes], *, n_bytes: int, date: _Date | None = None) -> None:
        """Adds what `handle` reads, `n_bytes` long."""
        info = self._info(name, date or self._date)
        info.file_size = n_bytes  # from this `open` knows whether the member needs the format for large files
        with self._zipped.open(info, "w") as member:
            shutil.copyfileobj(handle, member, 1 << 20)

    def _info(self, name: str, date: tuple[int, int, int, int, int, int]) -> zipfile.ZipInfo:
        info = zipfile.ZipInfo(name, date)
        info.external_attr = 0o644 << 16  # readable for everybody
        is_stored = Path(name).suffix in _STORED or "/variables/" in name
        info.compress_type = zipfile.ZIP_STORED if is_stored else zipfile.ZIP_DEFLATED
        return info


def _write_model(out: _Writer, base: zipfile.ZipFile, one: Chosen) -> None:
    name = one.format.file_name
    if one.model is None:
        out.copy(base, base.getinfo(name), name)
    elif not one.format.folder_mark:
        with one.model.open("rb") as handle:
            out.write(name, handle, n_bytes=one.model.stat().st_size)
    else:
        with sound_zip(one.model) as folder:
            _unpack_into(out, folder, one.format)


def _unpack_into(out: _Writer, folder: zipfile.ZipFile, one: Format) -> None:
    """Adds the members of a format that is a folder. In the .zip it may be at the top or in a folder of its own.

    Raises:
        KeyError: the format is not in `folder`.
    """
    marks = [info.filename for info in folder.infolist() if info.filename.split("/")[-1] == one.folder_mark]
    root = folder.getinfo(min(marks, key=len, default=one.folder_mark)).filename.removesuffix(one.folder_mark)
    for info in sorted(folder.infolist(), key=lambda info: info.filename):
        if info.filename.startswith(root) and not info.is_dir():
            with folder.open(info) as handle:
                name = f"{one.file_name}/{info.filename.removeprefix(root)}"
                out.write(name, handle, n_bytes=info.file_size)


def _write_programs(out: _Writer, chosen: Sequence[Chosen]) -> None:
    """Adds the programs of the chosen formats. `predict.py` is always there: the others read photos with it."""
    runtimes = _runtimes(chosen)
    for runtime in dict.fromkeys((ONNX_RUNTIME, *runtimes)):
        out.write_text(runtime.script, runtime.delivered_script())
    for runtime in runtimes:
        first = next(one.format for one in chosen if one.format.runtime == runtime)
        out.write_text(runtime.requirements_name, runtime.requirements())
        out.write_text(runtime.readme_name, runtime.readme(first.file_name))


def _runtimes(chosen: Iterable[Chosen]) -> list[Runtime]:
    return list(dict.fromkeys(one.format.runtime for one in chosen))


def _readme(sentence: str, chosen: Sequence[Chosen], others: Iterable[zipfile.ZipInfo], sure: float | None) -> str:
    parts = [sentence, "", delivery_messages.UNPACK_AND_OPEN, ""]
    for runtime in _runtimes(chosen):
        parts += [*_usage(runtime, [one for one in chosen if one.format.runtime == runtime]), ""]
    if ONNX_RUNTIME not in _runtimes(chosen):
        parts += [
            delivery_messages.KEEP_PREDICT,
            "",
        ]
    if sure is not None:
        parts += [delivery_messages.CHOSEN_THRESHOLD.format(share=percent(sure)), ""]
    parts += [delivery_messages.OTHER_FILES, ""]
    names = dict.fromkeys(info.filename.split("/")[0] for info in others)
    parts += [f"{name:<14} {words_of(name)}".rstrip() for name in names]
    return "\n".join(parts) + "\n"


def _usage(runtime: Runtime, chosen: Sequence[Chosen]) -> list[str]:
    """The lines of the README on one program. Every command can be copied as it is."""
    lines = [
        delivery_messages.RUNTIME_AND_README.format(title=runtime.title, readme=runtime.readme_name),
        runtime.commands_in_words(),
    ]
    if len(chosen) > 1:
        other = delivery_messages.OTHER_MODELS.format(script=runtime.script, file=chosen[1].format.file_name)
        lines.append(other)
    for one in chosen:
        what, title = one.format, one.format.title
        words = delivery_messages.FORMAT_AND_PURPOSE.format(file=what.file_name, title=title, purpose=what.purpose)
        lines.append(f"  {words}")
        if one.remark:
            lines.append(f"    {delivery_messages.REMARK_ON_FORMAT.format(remark=one.remark)}")
    return lines
