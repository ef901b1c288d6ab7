"""The local network: this machine's addresses on it, and a certificate, so that browsers lend the camera there."""

import fcntl
import hashlib
import json
import shutil
import socket
import ssl
import struct
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path

from scripts.stack.home import CannotStart

PORT = 8443
LIFETIME_DAYS = 397
"""No browser takes a certificate of a longer life for a good one."""

_RENEW_DAYS = 30
_SIOCGIFADDR = 0x8915
_MAX_INTERFACE_NAME = 15
_OF_CONTAINERS = ("docker", "br-", "veth", "virbr", "podman", "cni")
"""Interfaces that begin like this lead to nobody's phone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """A certificate that this machine has made for itself.

    Attributes:
        certificate: Its file, PEM.
        key: The file of its private key, PEM, which only this user may read.
    """

    certificate: Path
    key: Path

    @property
    def fingerprint(self) -> str:
        """Its SHA-256, written as browsers show it."""
        return hashlib.sha256(ssl.PEM_cert_to_DER_cert(self.certificate.read_text())).digest().hex(":").upper()


def lan_addresses() -> list[str]:
    """This machine's IPv4 addresses on local networks; the one that it reaches other networks from comes first.

    Addresses that the whole Internet reaches are left out: nothing here is meant for that.

    Raises:
        CannotStart: There are none.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        found = [_address_of(probe, name) for _, name in socket.if_nameindex() if not name.startswith(_OF_CONTAINERS)]
    local = [address for address in found if address and _is_local(IPv4Address(address))]
    if not local:
        raise CannotStart("This machine has no address on a local network. Connect it, then start with --lan again.")
    outgoing = _outgoing_address()
    return sorted(dict.fromkeys(local), key=lambda address: address != outgoing)


def host_names() -> list[str]:
    """The names that other machines of the network may know this one by."""
    name = socket.gethostname().partition(".")[0].lower()
    return [name, f"{name}.local"]


def certificate_for(home: Path, names: Sequence[str]) -> Certificate:
    """The certificate of this home for these names and addresses.

    The one that is there is used, so that browsers need to be told only once; a new one is made where these are not its
    names or addresses, and in the last month of its life.

    Raises:
        CannotStart: It cannot be made.
    """
    folder = home / "lan"
    folder.mkdir(mode=0o700, exist_ok=True)
    made_for = folder / "names.json"
    found = Certificate(certificate=folder / "certificate.pem", key=folder / "key.pem")
    is_there = made_for.exists() and found.certificate.exists() and found.key.exists()
    if is_there and json.loads(made_for.read_text()) == list(names) and _lasts(found.certificate):
        return found
    made_for.unlink(missing_ok=True)  # a start that is broken off here begins anew
    with tempfile.TemporaryDirectory(dir=folder) as scratch:  # only this user may look into it
        _make(Path(scratch), names)
        (Path(scratch) / "key.pem").chmod(0o600)
        for path in (found.key, found.certificate):
            (Path(scratch) / path.name).replace(path)
    made_for.write_text(json.dumps(list(names)))
    return found


def in_words(addresses: Sequence[str], port: int, certificate: Certificate) -> str:
    """What the person who has started it reads: where it answers, and what the browser's warning means."""
    urls = "\n".join(f"  https://{name}:{port}" for name in addresses)
    return f"""
On your local network, other computers and phones open one of these addresses, https:// included:
{urls}
Their browsers will warn that the connection is not private, since nobody but this machine vouches for it: it has made
its certificate itself. On a network that you trust you can go on: "Advanced", then "Proceed" (Chrome, Edge) or "Accept
the Risk" (Firefox); "Show Details", then "visit this website" (Safari). What is sent is encrypted in any case. To be
sure that you have reached this machine, compare the certificate's SHA-256 fingerprint in the browser with this one:
  {certificate.fingerprint}
Everybody signs in there. The administrator decides who gets an account, on the page “People on this server”.
"""


def _address_of(probe: socket.socket, interface: str) -> str:
    """The IPv4 address of an interface; empty where it has none."""
    try:
        answer = fcntl.ioctl(probe, _SIOCGIFADDR, struct.pack("256s", interface[:_MAX_INTERFACE_NAME].encode()))
    except OSError:
        return ""
    return socket.inet_ntoa(answer[20:24])


def _is_local(address: IPv4Address) -> bool:
    return not (address.is_global or address.is_loopback or address.is_link_local)


def _outgoing_address() -> str:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # an address of no machine; nothing is sent
        except OSError:  # no network beyond its own
            return ""
        return str(probe.getsockname()[0])


def _lasts(certificate: Path) -> bool:
    """Whether it is good for a while yet."""
    seconds = _RENEW_DAYS * 86_400
    return _openssl("x509", "-in", str(certificate), "-noout", "-checkend", str(seconds)).returncode == 0


def _make(folder: Path, names: Sequence[str]) -> None:
    alternatives = ",".join(f"IP:{name}" if name[-1].isdecimal() and "." in name else f"DNS:{name}" for name in names)
    made = _openssl(
        *("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc", "-sha256"),
        *("-days", str(LIFETIME_DAYS), "-subj", "/CN=Darkroom on this network"),
        *("-addext", f"subjectAltName={alternatives}"),
        *("-addext", "basicConstraints=critical,CA:FALSE"),  # it vouches for nothing but itself
        *("-addext", "extendedKeyUsage=serverAuth"),
        *("-keyout", str(folder / "key.pem"), "-out", str(folder / "certificate.pem")),
    )
    if made.returncode != 0:
        raise CannotStart(f"openssl could not make a certificate: {made.stderr.strip()[-500:]}")


def _openssl(*arguments: str) -> subprocess.CompletedProcess[str]:
    program = shutil.which("openssl")
    if program is None:
        raise CannotStart("openssl was not found; --lan makes its certificate with it: sudo apt install openssl")
    return subprocess.run((program, *arguments), capture_output=True, text=True, check=False)
