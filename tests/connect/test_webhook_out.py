"""connect/webhook_out.py: hooks are called where their host was found, and the call does no more (S29, S30)."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from standardwebhooks import Webhook, WebhookVerificationError

from connect.hook_addresses import HookAddress, check_hook_address
from connect.standard_signing import new_signing_secret, signature_headers
from connect.webhook_out import Answer, NoAnswer, Trouble, call_hook
from rules.topics import HookKind
from tests.connect.listener import Listener, Reply, listening

NOW = datetime(2027, 5, 1, 12, tzinfo=UTC)


@pytest.fixture
def listener() -> Iterator[Listener]:
    with listening() as found:
        yield found


def at(listener: Listener, path: str = "/hook?a=b%2Fc") -> HookAddress:
    target = listener.url.removeprefix("http://")
    return check_hook_address(HookKind.SIGNED, listener.url + path, {target})


def call(address: HookAddress, **more: Any) -> Answer | NoAnswer:
    return call_hook(address, b'{"a": 1}', {"X-More": "yes"}, now=NOW, **more)


def test_a_call_arrives_as_it_was_meant(listener: Listener, monkeypatch: pytest.MonkeyPatch) -> None:
    # Whatever the environment says of proxies.
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    listener.answer = lambda _call: Reply(204)
    assert call(at(listener)) == Answer(204)
    (seen,) = listener.calls
    assert (seen.method, seen.path, seen.body) == ("POST", "/hook?a=b%2Fc", b'{"a": 1}')
    assert seen.headers["Host"] == listener.url.removeprefix("http://")
    assert (seen.headers["Content-Type"], seen.headers["X-More"]) == ("application/json", "yes")
    assert not {"Authorization", "Cookie"} & set(seen.headers)


def test_s30_a_redirect_is_an_answer_and_is_not_followed(listener: Listener) -> None:
    with listening() as inside:
        for status in (301, 302, 303, 307, 308):
            listener.answer = lambda _call, status=status: Reply(status, headers={"Location": inside.url})  # type: ignore[misc]
            assert call(at(listener)) == Answer(status)
        assert inside.calls == []
    assert len(listener.calls) == 5


def test_s29_the_machine_that_was_checked_is_called_whatever_the_name_means_by_now(
    listener: Listener,
) -> None:
    """DNS rebinding: the call never asks for the name again. Any look-up but of this machine would raise here."""
    here = at(listener)
    renamed = HookAddress("http", "hooks.example.com", here.port, "/", ("127.0.0.1",))
    listener.answer = lambda _call: Reply(200)
    assert call(renamed) == Answer(200)
    assert listener.calls[0].headers["Host"] == f"hooks.example.com:{here.port}"


@pytest.mark.parametrize(
    ("header", "until"),
    [
        ("", None),
        ("120", NOW + timedelta(seconds=120)),
        ("99999999", NOW + timedelta(hours=1)),
        ("Sat, 01 May 2027 13:00:00 GMT", NOW + timedelta(hours=1)),
        ("soon", None),
        ("9" * 5000, NOW + timedelta(hours=1)),
        ("Mon, 01 Jan 2024 00:00:00 +99999999999999999999", None),
        ("Mon, 01 Jan 2024 00:00:00 +9999", None),
        ("Mon, 01 Jan 99999 00:00:00 GMT", None),
    ],
)
def test_when_to_call_again(listener: Listener, header: str, until: datetime | None) -> None:
    listener.answer = lambda _call: Reply(429, headers={"Retry-After": header} if header else {})
    assert call(at(listener)) == Answer(429, until)


def test_an_endless_answer_is_not_read(listener: Listener) -> None:
    listener.answer = lambda _call: Reply(200, body=b"x" * 20_000_000)
    assert call(at(listener)) == Answer(200)


def test_nobody_listens() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    assert call(HookAddress("http", "127.0.0.1", port, "/", ("127.0.0.1",))) == NoAnswer(Trouble.CONNECT)


def test_the_second_machine_of_a_host_is_tried(listener: Listener) -> None:
    listener.answer = lambda _call: Reply(200)
    # Nothing listens on IPv6 at this port.
    assert call(HookAddress("http", "localhost", at(listener).port, "/", ("::1", "127.0.0.1"))) == Answer(200)


def test_the_line_is_cut(listener: Listener) -> None:
    listener.answer = lambda _call: Reply(hang_up=True)
    assert call(at(listener)) == NoAnswer(Trouble.BROKEN)


def test_who_speaks_one_byte_at_a_time_is_hung_up_on() -> None:
    with socket.create_server(("127.0.0.1", 0)) as slow:
        stop = threading.Event()

        def drip() -> None:
            connection, _ = slow.accept()
            with connection:
                while not stop.wait(0.05):
                    try:
                        connection.sendall(b"H")
                    except OSError:
                        return

        thread = threading.Thread(target=drip, daemon=True)
        thread.start()
        address = HookAddress("http", "127.0.0.1", slow.getsockname()[1], "/", ("127.0.0.1",))
        assert call(address, seconds=0.3) == NoAnswer(Trouble.TOO_SLOW)
        stop.set()
        thread.join()


class _Secure(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Nothing."""


@pytest.fixture(scope="module")
def secure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, str]]:
    """(port, file of the certificate): a server on this machine that is hooks.example.com by its certificate."""
    folder = tmp_path_factory.mktemp("tls")
    certificate, key = _self_signed(folder, "hooks.example.com")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server = HTTPServer(("127.0.0.1", 0), _Secure)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield server.server_port, str(certificate)
    server.shutdown()
    server.server_close()
    thread.join()


def test_the_certificate_must_be_the_hosts_own(secure: tuple[int, str]) -> None:
    port, certificate = secure
    right = HookAddress("https", "hooks.example.com", port, "/", ("127.0.0.1",))
    assert call(right, authorities=certificate) == Answer(200)
    # Nobody whom browsers trust has signed it.
    assert call(right) == NoAnswer(Trouble.CERTIFICATE)
    for host in ("evil.example.com", "127.0.0.1"):
        other = HookAddress("https", host, port, "/", ("127.0.0.1",))
        assert call(other, authorities=certificate) == NoAnswer(Trouble.CERTIFICATE)


def test_who_says_nothing_in_the_handshake_is_hung_up_on() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = HookAddress("https", "hooks.example.com", silent.getsockname()[1], "/", ("127.0.0.1",))
        assert call(address, seconds=0.2) == NoAnswer(Trouble.TOO_SLOW)


def _self_signed(folder: Path, host: str) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate_file, key_file = folder / "certificate.pem", folder / "key.pem"
    certificate_file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return certificate_file, key_file


def test_the_receivers_library_takes_the_signatures_and_notices_a_changed_body() -> None:
    new, former = new_signing_secret(), new_signing_secret()
    body, now = b'{"type": "test"}', datetime.now(UTC)
    headers = signature_headers([new, former], "d1", now, body)
    for secret in (new, former):
        assert Webhook(secret).verify(body, headers) == {"type": "test"}
    for secret, what in ((new_signing_secret(), body), (new, body + b" ")):
        with pytest.raises(WebhookVerificationError):
            Webhook(secret).verify(what, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(new).verify(body, headers | {"webhook-id": "d2"})
