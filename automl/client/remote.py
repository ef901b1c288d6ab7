"""Sends photos to a running Darkroom over its HTTP API; what has arrived before is not sent again."""

import re
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import Any

import httpx

from automl.client.upload_form import LocalFile, SentFile
from automl.errors import BadSetting, BadUpload
from automl.text.messages import administration as administration_messages
from automl.text.messages import command_line as cli_messages

BATCH_FILES = 50
BATCH_BYTES = 16_000_000
PARALLEL = 3
FILES_A_QUESTION = 2000
WAITS_S: tuple[float, ...] = (1, 2, 4, 8, 15, 30)
POLL_S = 0.5

JsonObject = dict[str, Any]
"""A JSON object of the API; `docs/schemas/api` describes each of them."""

_TIMEOUT = httpx.Timeout(600, connect=10)
_GREETING_S = 10
_WORTH_ANOTHER_TRY = frozenset({408, 429, 502, 503, 504})
_ADDRESS = re.compile(r"(?P<server>https?://[^/\s]+?)(?:/datasets/(?P<dataset>\w+))?/?")


class Remote:
    """One data set on a server.

    Args:
        address: of the server (`http://127.0.0.1:8000`), or of the page of a data set there, which gets the photos.
        on_wait: called with a sentence while the connection is lost.
        token: of somebody's account there, where the server asks who one is.

    Raises:
        BadSetting: no address, or nothing answers there.
    """

    def __init__(self, address: str, on_wait: Callable[[str], None], token: str = "") -> None:
        match = _ADDRESS.fullmatch(address.strip())
        if match is None:
            raise BadSetting(cli_messages.NOT_AN_ADDRESS.format(address=address))
        self._server, self.dataset_id = match["server"], match["dataset"] or ""
        self._on_wait = on_wait
        self._stopped = threading.Event()
        self._http = httpx.Client(timeout=_TIMEOUT, headers={"Authorization": f"Bearer {token}"} if token else {})
        self._greet()

    @property
    def page(self) -> str:
        """The address of the data set's page."""
        return f"{self._server}/datasets/{self.dataset_id}"

    def create(self, name: str) -> None:
        """Makes the data set."""
        self.dataset_id = str(self._call("POST", "datasets", json={"name": name})["id"])

    def missing(self, files: Sequence[LocalFile], label: str = "") -> list[LocalFile]:
        """Those that are not there yet. Where name and size are the same, the contents tell."""
        found: list[LocalFile] = []
        for start in range(0, len(files), FILES_A_QUESTION):
            some = files[start : start + FILES_A_QUESTION]
            places = self._ask([_described(file) for file in some], label)
            there = [file for place, file in enumerate(some) if place not in places]
            changed = self._ask([{**_described(file), "sha256": file.sha256()} for file in there], label)
            found += [file for place, file in enumerate(some) if place in places]
            found += [file for place, file in enumerate(there) if place in changed]
        return found

    def send(self, files: Sequence[LocalFile], on_bytes: Callable[[int], None], label: str = "") -> list[str]:
        """Sends files, a few batches at a time; may be repeated. Returns what the server did not take, and why.

        Args:
            on_bytes: called with the number of bytes that have just been sent; below zero where they were in vain.
            label: the class that the files are for; empty where their names say it.

        Raises:
            BadUpload: the server is away for longer than a minute, refuses the files, or one cannot be read.
        """
        refused: list[str] = []
        with ThreadPoolExecutor(PARALLEL) as pool:
            tasks = [pool.submit(self._send_batch, batch, on_bytes, label) for batch in _batches(files)]
            try:
                for task in as_completed(tasks):
                    refused += task.result()
            except BaseException:
                self._stopped.set()
                pool.shutdown(wait=False, cancel_futures=True)
                raise
        return refused

    def check(self, on_message: Callable[[str], None]) -> JsonObject:
        """Has the server look at the photos; waits, telling how far it is, and returns the record of the data set."""
        record = self._call("POST", f"datasets/{self.dataset_id}/check")
        while record["state"] == "checking":
            on_message(record["message"] or cli_messages.WAITING_FOR_WORKER)
            self._stopped.wait(POLL_S)
            record = self._call("GET", f"datasets/{self.dataset_id}")
        return record

    def cancel_check(self) -> None:
        """Has the server end the check at once; the photos stay there.

        Raises:
            BadUpload: The server cannot be reached, or a run does the checking.
        """
        self._call("POST", f"datasets/{self.dataset_id}/check/cancel")

    def _greet(self) -> None:
        try:
            answer = self._http.get(f"{self._server}/health", timeout=_GREETING_S)
            is_ours = answer.json().get("status") == "ok"
        except (httpx.HTTPError, httpx.InvalidURL, ValueError, AttributeError):
            is_ours = False
        if not is_ours:
            raise BadSetting(cli_messages.NO_DARKROOM.format(server=self._server))

    def _ask(self, files: list[JsonObject], label: str) -> set[int]:
        if not files:
            return set()
        body = {"files": files, "label": label}
        return set(self._call("POST", f"datasets/{self.dataset_id}/missing", json=body)["missing"])

    def _send_batch(self, files: Sequence[LocalFile], on_bytes: Callable[[int], None], label: str) -> list[str]:
        n_sent = 0

        def count(n_bytes: int) -> None:
            nonlocal n_sent
            if self._stopped.is_set():
                raise BadUpload(cli_messages.UPLOAD_STOPPED)
            n_sent += n_bytes
            on_bytes(n_bytes)

        def take_back() -> None:
            nonlocal n_sent
            on_bytes(-n_sent)
            n_sent = 0

        contents = [SentFile(file, count) for file in files]
        parts = [("files", (file.name, content)) for file, content in zip(files, contents, strict=True)]
        fields = {"label": label} if label else None
        try:
            answer = self._call(
                "POST", f"datasets/{self.dataset_id}/files", on_failure=take_back, data=fields, files=parts
            )
        finally:
            for content in contents:
                content.close()
        return [
            cli_messages.FILE_AND_REASON.format(name=file["name"], reason=file["reason"]) for file in answer["refused"]
        ]

    def _call(self, method: str, path: str, *, on_failure: Callable[[], None] | None = None, **how: Any) -> JsonObject:
        """The JSON answer; repeats while the connection or the server is away."""
        for wait_s in (*WAITS_S, None):
            response = self._request(method, path, **how)
            if response is not None and response.status_code not in _WORTH_ANOTHER_TRY:
                return _answer(response)
            if on_failure is not None:
                on_failure()
            if wait_s is None or self._stopped.is_set():
                break
            self._on_wait(cli_messages.CONNECTION_LOST.format(wait_s=wait_s))
            self._stopped.wait(wait_s)
        if response is not None:
            return _answer(response)
        raise BadUpload(cli_messages.SERVER_GONE.format(server=self._server))

    def _request(self, method: str, path: str, **how: Any) -> httpx.Response | None:
        """None: the connection is lost."""
        try:
            return self._http.request(method, f"{self._server}/api/v1/{path}", **how)
        except httpx.TransportError:
            return None


def _described(file: LocalFile) -> JsonObject:
    return {"name": file.name, "n_bytes": file.n_bytes}


def _batches(files: Sequence[LocalFile]) -> Iterator[list[LocalFile]]:
    batch: list[LocalFile] = []
    n_bytes = 0
    for file in files:
        if batch and (len(batch) == BATCH_FILES or n_bytes + file.n_bytes > BATCH_BYTES):
            yield batch
            batch, n_bytes = [], 0
        batch.append(file)
        n_bytes += file.n_bytes
    if batch:
        yield batch


def _answer(response: httpx.Response) -> JsonObject:
    """Raises BadUpload with the server's own words."""
    try:
        body = response.json()
        if response.status_code < 300:
            return dict(body)
        message = str(body["error"]["message"])
    except (ValueError, KeyError, TypeError):
        message = cli_messages.SERVER_STATUS.format(status=response.status_code)
    if response.status_code == 401:
        message = administration_messages.WHO_ARE_YOU
    raise BadUpload(message)
