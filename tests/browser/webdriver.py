"""Firefox and WebKit as Debian ships them, driven by the commands of W3C WebDriver; Playwright drives only its own.

Firefox takes the commands over Marionette, its own protocol, since Debian has no geckodriver. WebKit takes them over
HTTP, from WebKitWebDriver, and needs a display: Xvfb gives it one.
"""

import json
import os
import shutil
import socket
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx

_ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
_STARTS_WITHIN_S = 60.0
_ANSWERS_WITHIN_S = 90.0
_PREFERENCES = {
    "marionette.port": None,  # filled in
    "datareporting.policy.dataSubmissionEnabled": False,
    "toolkit.telemetry.enabled": False,
    "app.update.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "extensions.update.enabled": False,
    "security.sandbox.content.level": 0,  # in containers it cannot be set up
}
_WAIT = """const [condition, done] = arguments;
const look = () => { const found = Function("return " + condition)(); found ? done(found) : setTimeout(look, 50); };
look();"""


class NotInstalled(Exception):
    """A browser is not there; the message says how to get it."""


class WebDriver(ABC):
    """One window of one browser."""

    packages = ""
    """What Debian calls the packages that it needs."""

    @abstractmethod
    def send(self, command: str, **values: Any) -> Any:
        """Sends a command by the name that Marionette has for it, and returns its value."""

    @abstractmethod
    def close(self) -> None:
        """Ends the browser."""

    def goto(self, url: str) -> None:
        self.send("Navigate", url=url)

    def evaluate(self, script: str, *values: Any) -> Any:
        """The value of the body of an asynchronous function, which finds `values` in `arguments`."""
        body = f"""const done = arguments[arguments.length - 1];
            (async function () {{ {script} }}).apply(null, arguments).then(done, (error) => done("broke: " + error));"""
        return self.send("ExecuteAsyncScript", script=body, args=list(values))

    def text(self, selector: str) -> str:
        return str(self.evaluate("return document.querySelector(arguments[0]).textContent.trim();", selector))

    def wait_for(self, condition: str, *values: Any, within_s: float = 40.0) -> None:
        """Waits until an expression, which finds `values` in `arguments`, is true."""
        ends = time.monotonic() + within_s
        while not self.evaluate(f"return Boolean({condition});", *values):
            if time.monotonic() > ends:
                page = self.evaluate("return document.body.innerText.slice(0, 1500);")
                raise AssertionError(f"{condition} {values}: still not, on this page:\n{page}")
            time.sleep(0.1)

    def wait_for_text(self, selector: str, words: str) -> None:
        self.wait_for("document.querySelector(arguments[0])?.textContent.includes(arguments[1])", selector, words)

    def click(self, selector: str) -> None:
        self.send("ElementClick", id=self._find(selector))

    def choose_files(self, selector: str, paths: Sequence[Path]) -> None:
        self.send("ElementSendKeys", id=self._find(selector), text="\n".join(map(str, paths)))

    def _find(self, selector: str) -> str:
        return str(self.send("FindElement", using="css selector", value=selector)[_ELEMENT])


class Firefox(WebDriver):
    """Headless Firefox. `profile`: an empty folder of its own."""

    packages = "firefox-esr"

    def __init__(self, profile: Path) -> None:
        program = shutil.which("firefox-esr") or shutil.which("firefox")
        if program is None:
            raise NotInstalled("Firefox is not installed: sudo apt install firefox-esr")
        port = _free_port()
        lines = (
            f"user_pref({json.dumps(name)}, {json.dumps(value)});"
            for name, value in _PREFERENCES.items()
            if value is not None
        )
        text = "\n".join((*lines, f'user_pref("marionette.port", {port});'))
        (profile / "user.js").write_text(text)
        self._process = subprocess.Popen(
            [program, "--headless", "--marionette", "--no-remote", "--profile", str(profile)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "HOME": str(profile), "MOZ_DISABLE_CONTENT_SANDBOX": "1"},
        )
        self._socket = _connected(port, self._process)
        self._number = 0
        self._receive()  # it says hello
        self.send("NewSession")
        self.send("SetTimeouts", script=int(1000 * _ANSWERS_WITHIN_S), pageLoad=int(1000 * _ANSWERS_WITHIN_S))

    def send(self, command: str, **values: Any) -> Any:
        self._number += 1
        message = json.dumps([0, self._number, f"WebDriver:{command}", values]).encode()
        self._socket.sendall(b"%d:%s" % (len(message), message))
        _, _, error, result = self._receive()
        if error is not None:
            raise AssertionError(f"{command}: {error['error']}: {error['message']}")
        return result.get("value", result) if isinstance(result, dict) else result

    def close(self) -> None:
        self._socket.close()
        _end(self._process)

    def _receive(self) -> Any:
        length = b""
        while (one := self._socket.recv(1)) != b":":
            if not one:
                raise AssertionError("Firefox has closed the connection.")
            length += one
        content = b""
        while len(content) < int(length):
            content += self._socket.recv(int(length) - len(content))
        return json.loads(content)


class WebKit(WebDriver):
    """WebKitGTK's MiniBrowser on a display of its own. `profile`: an empty folder of its own."""

    packages = "webkit2gtk-driver xvfb"
    _PATHS = {
        "Navigate": "url",
        "ExecuteAsyncScript": "execute/async",
        "FindElement": "element",
        "ElementClick": "element/{id}/click",
        "ElementSendKeys": "element/{id}/value",
        "SetTimeouts": "timeouts",
    }

    def __init__(self, profile: Path) -> None:
        driver, display = shutil.which("WebKitWebDriver"), shutil.which("Xvfb")
        browsers = sorted(Path("/usr/lib").glob("*/webkit2gtk-4.*/MiniBrowser"))
        if driver is None or display is None or not browsers:
            raise NotInstalled("WebKit is not installed: sudo apt install webkit2gtk-driver xvfb")
        read, write = os.pipe()
        self._display = subprocess.Popen(
            [display, "-displayfd", str(write), "-screen", "0", "1280x900x24", "-nolisten", "tcp"],
            pass_fds=[write],
            stderr=subprocess.DEVNULL,
        )
        os.close(write)
        with os.fdopen(read) as told:
            number = told.readline().strip()
        port = _free_port()
        own = {
            "HOME": str(profile),
            "XDG_CACHE_HOME": str(profile),
            "XDG_DATA_HOME": str(profile),
            "XDG_RUNTIME_DIR": str(profile),
        }
        plain = {
            "WEBKIT_DISABLE_COMPOSITING_MODE": "1",
            "LIBGL_ALWAYS_SOFTWARE": "1",
            "GIO_USE_VFS": "local",
            "NO_AT_BRIDGE": "1",
        }
        self._process = subprocess.Popen(
            [driver, f"--port={port}"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={
                **os.environ,
                **own,
                **plain,
                "DISPLAY": f":{number}",
                "WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS": "1",
            },
        )
        _connected(port, self._process).close()
        self._client = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=_ANSWERS_WITHIN_S + 10)
        options = {"binary": str(browsers[-1]), "args": ["--automation"]}
        wanted = {"capabilities": {"alwaysMatch": {"webkitgtk:browserOptions": options}}}
        self._session = self._value(self._client.post("/session", json=wanted))["sessionId"]
        milliseconds = int(1000 * _ANSWERS_WITHIN_S)
        self.send("SetTimeouts", script=milliseconds, pageLoad=milliseconds)

    def send(self, command: str, **values: Any) -> Any:
        path = self._PATHS[command].format(id=values.pop("id", ""))
        return self._value(self._client.post(f"/session/{self._session}/{path}", json=values))

    def close(self) -> None:
        self._client.delete(f"/session/{self._session}")
        self._client.close()
        _end(self._process)
        _end(self._display)

    @staticmethod
    def _value(answer: httpx.Response) -> Any:
        value = answer.json()["value"]
        if answer.status_code != 200:
            raise AssertionError(f"{value['error']}: {value['message']}")
        return value


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def _connected(port: int, process: subprocess.Popen[bytes]) -> socket.socket:
    ends = time.monotonic() + _STARTS_WITHIN_S
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=_ANSWERS_WITHIN_S + 10)
        except ConnectionRefusedError:
            if time.monotonic() > ends or process.poll() is not None:
                raise
            time.sleep(0.1)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
