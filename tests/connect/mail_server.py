"""Real mail servers on this machine, with certificates of a certificate authority made for the test."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

USER, PASSWORD, UMLAUTS = "it-team", "swordfish-5081", "Schwärmfisch-5081"


@dataclass
class Received:
    """What a server saw. `says` are its answers: "MAIL", "RCPT", "DATA" → line; `thinks`: seconds before the last."""

    says: dict[str, str] = field(default_factory=dict)
    logins: list[tuple[str, str]] = field(default_factory=list)
    mails: list[tuple[str, list[str], bytes]] = field(default_factory=list)
    port: int = 0
    thinks: float = 0

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        envelope.mail_from = address
        return self.says.get("MAIL", "250 OK")

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        answer = self.says.get("RCPT", "250 OK")
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        content = envelope.content if isinstance(envelope.content, bytes) else b""
        self.mails.append((envelope.mail_from or "", envelope.rcpt_tos, content))
        await asyncio.sleep(self.thinks)
        return self.says.get("DATA", "250 OK")

    def log_in(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, given: Any
    ) -> AuthResult:
        assert isinstance(given, LoginPassword)
        login = (given.login.decode(), given.password.decode())
        self.logins.append(login)
        return AuthResult(success=login in ((USER, PASSWORD), (USER, UMLAUTS)), handled=False)


class _Controller(Controller):
    def _trigger_server(self) -> None:
        # aiosmtpd calls itself once, at the port it was told: with 0 that is not the one it got.
        server: Any = self.server
        self.port = int(server.sockets[0].getsockname()[1])
        super()._trigger_server()


@contextmanager
def mail_server(
    kind: str = "plain", certificate: ssl.SSLContext | None = None, *, log_in: bool = False, **says: str
) -> Iterator[Received]:
    """A server that is "plain", or speaks "tls" from the first byte, or "starttls"."""
    received = Received(says)
    options: dict[str, Any] = {}
    if log_in:
        options |= {
            "authenticator": received.log_in,
            # aiosmtpd does not know that a line encrypted from its first byte is one.
            "auth_required": kind == "starttls",
            "auth_require_tls": kind == "starttls",
        }
    if kind == "starttls":
        options["tls_context"] = certificate
    controller = _Controller(
        received,
        hostname="127.0.0.1",
        port=0,
        ssl_context=certificate if kind == "tls" else None,
        **options,
    )
    controller.start()
    received.port = controller.port
    yield received
    controller.stop()


def certificate_for(host: str, folder: Path) -> tuple[ssl.SSLContext, Path]:
    """A server's certificate for a host name, and the file with the authority that vouches for it."""
    authority, its_key = _made("Test authority", None, None)
    server, key = _made(host, authority, its_key)
    trusted = folder / "authority.pem"
    trusted.write_bytes(authority.public_bytes(serialization.Encoding.PEM))
    both = folder / "server.pem"
    both.write_bytes(
        server.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(both)
    return context, trusted


def _made(
    name: str, issuer: x509.Certificate | None, issuers_key: ec.EllipticCurvePrivateKey | None
) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    signer = issuers_key or key
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False
        )
    )
    if issuer is None:
        usage = {
            one: one in ("key_cert_sign", "crl_sign")
            for one in (
                "digital_signature",
                "content_commitment",
                "key_encipherment",
                "data_encipherment",
                "key_agreement",
                "key_cert_sign",
                "crl_sign",
                "encipher_only",
                "decipher_only",
            )
        }
        builder = builder.add_extension(x509.KeyUsage(**usage), critical=True)
    else:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
    return builder.sign(signer, hashes.SHA256()), key
