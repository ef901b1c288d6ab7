"""What `scripts/serve --lan` needs: addresses, a certificate, and a server that is careful about who asks."""

import http.client
import socket
import ssl
import stat
import subprocess
import urllib.request
from pathlib import Path

import pytest

from scripts.stack import lan
from scripts.stack.home import CannotStart
from tests.scripts.test_stack import launcher
from tests.worker.conftest import wait_until

NAMES = ["192.168.7.20", "studio", "studio.local"]


def shown(certificate: lan.Certificate, *what: str) -> str:
    command = ["openssl", "x509", "-in", str(certificate.certificate), "-noout", *what]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@pytest.fixture
def certificate(tmp_path: Path) -> lan.Certificate:
    return lan.certificate_for(tmp_path, NAMES)


def test_the_certificate_is_for_these_names_and_vouches_for_nothing_else(certificate):
    text = shown(certificate, "-text")
    assert "IP Address:192.168.7.20, DNS:studio, DNS:studio.local" in text
    assert "CA:FALSE" in text and "TLS Web Server Authentication" in text


def test_only_this_user_may_read_the_key(certificate):
    assert stat.S_IMODE(certificate.key.stat().st_mode) == 0o600
    assert stat.S_IMODE(certificate.key.parent.stat().st_mode) == 0o700
    assert sorted(path.name for path in certificate.key.parent.iterdir()) == [
        "certificate.pem",
        "key.pem",
        "names.json",
    ]


def test_key_and_certificate_belong_together_and_a_client_that_knows_it_trusts_it(certificate):
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(certificate.certificate, certificate.key)  # raises where they do not fit
    assert certificate.fingerprint in shown(certificate, "-fingerprint", "-sha256")


def test_it_is_made_once(certificate, tmp_path):
    before = certificate.fingerprint
    assert lan.certificate_for(tmp_path, NAMES).fingerprint == before


def test_other_addresses_get_another_one(certificate, tmp_path):
    before = certificate.fingerprint
    found = lan.certificate_for(tmp_path, ["192.168.7.21", *NAMES[1:]])
    assert found.fingerprint != before and "192.168.7.21" in shown(found, "-text")


def test_one_that_soon_expires_is_renewed(tmp_path, monkeypatch):
    monkeypatch.setattr(lan, "LIFETIME_DAYS", 20)
    before = lan.certificate_for(tmp_path, NAMES).fingerprint
    monkeypatch.undo()
    found = lan.certificate_for(tmp_path, NAMES)
    assert found.fingerprint != before
    assert lan.certificate_for(tmp_path, NAMES).fingerprint == found.fingerprint


@pytest.mark.parametrize("lost", ["key.pem", "certificate.pem", "names.json"])
def test_one_of_which_a_part_is_lost_is_made_anew(certificate, tmp_path, lost):
    before = certificate.fingerprint
    (certificate.key.parent / lost).unlink()
    assert lan.certificate_for(tmp_path, NAMES).fingerprint != before


def test_without_openssl_one_line_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CannotStart, match="apt install openssl"):
        lan.certificate_for(tmp_path, NAMES)


class TestAddresses:
    @pytest.fixture
    def interfaces(self, monkeypatch):
        """Interfaces with these addresses; the machine reaches other networks from `outgoing`."""

        def interfaces(outgoing: str, **addresses: str) -> None:
            monkeypatch.setattr(socket, "if_nameindex", lambda: list(enumerate(addresses, 1)))
            monkeypatch.setattr(lan, "_address_of", lambda probe, name: addresses[name])
            monkeypatch.setattr(lan, "_outgoing_address", lambda: outgoing)

        return interfaces

    def test_those_of_local_networks_are_taken_the_most_used_first(self, interfaces):
        interfaces("192.168.7.20", lo="127.0.0.1", eth0="10.0.0.3", wlan0="192.168.7.20", tun0="100.64.3.2")
        assert lan.lan_addresses() == ["192.168.7.20", "10.0.0.3", "100.64.3.2"]

    def test_the_internet_and_containers_are_left_out(self, interfaces):
        interfaces("8.8.4.4", eth0="8.8.4.4", docker0="172.17.0.1", eth1="169.254.1.1", eth2="", eth3="10.1.1.1")
        assert lan.lan_addresses() == ["10.1.1.1"]

    def test_a_machine_on_no_network_is_told(self, interfaces):
        interfaces("", lo="127.0.0.1")
        with pytest.raises(CannotStart, match="no address on a local network"):
            lan.lan_addresses()

    def test_the_system_knows_the_interfaces(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            assert lan._address_of(probe, "lo") == "127.0.0.1"
            assert lan._address_of(probe, "nothing") == ""


def test_the_words_have_each_address_the_warning_and_that_everybody_signs_in(certificate):
    words = lan.in_words(["192.168.7.20", "10.0.0.3"], 8443, certificate)
    assert "  https://192.168.7.20:8443\n  https://10.0.0.3:8443\n" in words
    assert certificate.fingerprint in words
    assert "not private" in words and "Everybody signs in" in words
    assert max(map(len, words.splitlines())) <= 120


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """The home of a stack that listens on the local network, its address there, and the path of the set-up link."""
    home = tmp_path_factory.mktemp("lan") / "home"
    lan.lan_addresses()  # a machine without a network cannot try this, and says so
    with launcher(home, "--lan", "0") as process:
        wait_until(lambda: (home / "address").exists() or process.poll() is not None, 30)
        assert process.poll() is None, process.communicate()[0]
        found = ""
        while not found.startswith("  https://"):
            found = process.stdout.readline()
        address = found.strip().removeprefix("https://")
        wait_until(lambda: answers(home, address), 30)
        while "/once/" not in found:
            found = process.stdout.readline()
        setup = found.strip().removeprefix(f"https://{address}")
        yield home, address, setup


@pytest.mark.stack
class TestServing:
    def test_until_somebody_has_set_it_up_it_shows_only_how(self, served):
        *place, setup = served
        assert ask(*place, path="/camera").headers["Location"] == "/sign-in?next=/camera"
        assert ask(*place, path="/sign-in").status == 200
        assert ask(*place, path=setup).status == 200

    def test_only_its_own_names_are_answered(self, served):
        *served, _ = served
        _, address = served
        port = address.partition(":")[2]
        assert ask(*served, path="/health", headers={"Host": f"{lan.host_names()[1]}:{port}"}).status == 200
        assert ask(*served, path="/health", headers={"Host": "evil.example"}).status == 403

    def test_pages_of_other_sites_change_nothing(self, served):
        assert (
            ask(*served[:2], method="POST", path="/sign-in", headers={"Origin": "https://evil.example"}).status == 403
        )

    def test_without_tls_nothing_is_answered(self, served):
        with pytest.raises((http.client.HTTPException, OSError)):
            connection = http.client.HTTPConnection(served[1], timeout=10)
            connection.request("GET", "/")
            connection.getresponse()

    def test_this_machine_itself_is_served_as_ever(self, served):
        address = (served[0] / "address").read_text().strip()
        assert address.startswith("http://127.0.0.1:")
        with urllib.request.urlopen(address, timeout=10) as page:
            assert page.status == 200


@pytest.mark.stack
def test_another_host_and_the_local_network_at_once_are_refused(tmp_path):
    with launcher(tmp_path / "home", "--host", "0.0.0.0", "--lan", "0") as process:
        assert process.wait(timeout=30) == 1
        assert "--lan and --host 0.0.0.0 do not go together" in process.communicate()[0]


def ask(home: Path, address: str, method: str = "GET", path: str = "/", headers: dict[str, str] | None = None):
    context = ssl.create_default_context(cafile=home / "lan" / "certificate.pem")
    connection = http.client.HTTPSConnection(address, timeout=10, context=context)
    connection.request(method, path, headers=headers or {})
    response = connection.getresponse()
    response.read()
    connection.close()
    return response


def answers(home: Path, address: str) -> bool:
    try:
        return bool(ask(home, address, path="/health").status == 200)
    except OSError:
        return False
