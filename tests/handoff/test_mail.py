"""E-mails to staff: plain, to a real SMTP server, encrypted or not at all."""

import asyncio
import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pydantic import ValidationError

from tests.handoff.mail_server import Postbox, server
from tests.handoff.messages import a_message, failure_of
from textbackd.config.sections.handoff import Email
from textbackd.handoff.mail import Mail


def mail(port: int, context: ssl.SSLContext | None = None, **more: Any) -> Mail:
    usual = {"host": "127.0.0.1", "port": port, "tls": "off", "from": "Anderson Roofing <textbackd@example.com>"}
    return Mail(Email(**{**usual, **more}), context=context)


def told(**changes: Any) -> Any:
    return a_message(target="anna@example.com", **changes)


async def test_an_e_mail_is_plain_and_says_that_a_machine_wrote_it() -> None:
    async with server() as (postbox, port):
        await mail(port).tell(told(title="#7 Zoë: 👍", words="Zoë wrote.\n\n<b>Can you come?</b>\n"))
    (got,) = postbox.mails
    assert got.get_content_type() == "text/plain"
    assert got["Subject"] == "#7 Zoë: 👍"
    assert got["From"] == "Anderson Roofing <textbackd@example.com>"
    assert got["To"] == "anna@example.com"
    assert got["Auto-Submitted"] == "auto-generated"
    assert got["Message-ID"] == "<textbackd-1-1@example.com>"
    assert got.get_content().replace("\r\n", "\n").startswith("Zoë wrote.\n\n<b>Can you come?</b>\n")


@pytest.mark.parametrize(
    "title",
    ["x\r\nBcc: all@example.com", "x\nBcc: all@example.com\n\nbody", "x\rBcc: all@example.com", "x\x0bBcc: a", "\x00"],
)
async def test_no_name_and_no_text_can_add_a_header(title: str) -> None:
    async with server() as (postbox, port):
        await mail(port).tell(told(title=title, words=f"{title}\r\n.\r\nMAIL FROM:<x@example.com>\r\n"))
    (got,), (envelope,) = postbox.mails, postbox.envelopes
    assert "Bcc" not in got
    assert envelope.rcpt_tos == ["anna@example.com"]


@pytest.mark.parametrize(
    ("rcpt", "data", "permanent", "words"),
    [
        pytest.param(
            "550 no such user", "250 OK", True, "the mail server refused the e-mail (550).", id="nobody there"
        ),
        pytest.param("450 greylisted", "250 OK", False, "the mail server refused the e-mail (450).", id="not now"),
        pytest.param("250 OK", "552 too large", True, "the mail server refused the e-mail (552).", id="never this one"),
        pytest.param("250 OK", "451 try again", False, "the mail server refused the e-mail (451).", id="busy"),
    ],
)
async def test_what_a_server_refuses_for_ever_is_not_tried_again(
    rcpt: str, data: str, permanent: bool, words: str
) -> None:
    async with server() as (postbox, port):
        postbox.rcpt_answer, postbox.answer = rcpt, data
        failure = await failure_of(mail(port), told())
    assert (str(failure), failure.permanent) == (words, permanent)


@pytest.mark.parametrize("host", ["a" * 64 + ".example", "smtp..example.com", "b\u00fc" * 40])
def test_a_name_that_no_server_can_have_is_a_fault(host: str) -> None:
    with pytest.raises(ValidationError, match=r"is not the name of a server. Write it as smtp.example.com."):
        mail(25, host=host)


async def test_a_name_that_cannot_be_looked_up_is_no_server() -> None:
    failure = await failure_of(mail(25, host="smtp\x00"), told())
    assert (str(failure), failure.permanent) == ("the mail server cannot be reached.", False)


async def test_without_a_server_it_is_tried_again() -> None:
    async with server() as (_, port):
        pass
    failure = await failure_of(mail(port), told())
    assert (str(failure), failure.permanent) == ("the mail server cannot be reached.", False)


async def test_a_server_without_encryption_gets_nothing_when_it_is_asked_for() -> None:
    async with server() as (postbox, port):
        failure = await failure_of(mail(port, tls="starttls"), told())
    assert "STARTTLS" in str(failure)
    assert postbox.mails == []


# ---- encryption and login


@pytest.fixture(scope="module")
def trusted(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """The context of a server with a certificate of its own, and that of a client who trusts it."""
    folder = tmp_path_factory.mktemp("tls")
    pem = _certificate(folder)
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(pem)
    return serving, ssl.create_default_context(cafile=str(pem))


def _certificate(folder: Path) -> Path:
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = folder / "server.pem"
    path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM) + private)
    return path


def _only_anna(_server: SMTP, _session: Session, _envelope: Envelope, _how: str, who: Any) -> AuthResult:
    is_right = isinstance(who, LoginPassword) and (who.login, who.password) == (b"anna", b"secret")
    return AuthResult(success=is_right)


async def test_the_login_goes_through_the_encrypted_connection(
    trusted: tuple[ssl.SSLContext, ssl.SSLContext],
) -> None:
    serving, trusting = trusted
    options = {"tls_context": serving, "require_starttls": True, "authenticator": _only_anna, "auth_required": True}
    async with server(**options) as (postbox, port):
        login = {"tls": "starttls", "username": "anna", "password": "secret"}
        await mail(port, trusting, **login).tell(told())
        assert len(postbox.mails) == 1
        failure = await failure_of(mail(port, trusting, **{**login, "password": "wrong"}), told())
        assert str(failure) == "the mail server refused `email.username` and `email.password`."
        assert not failure.permanent


async def test_a_certificate_that_nobody_vouches_for_gets_nothing(
    trusted: tuple[ssl.SSLContext, ssl.SSLContext],
) -> None:
    async with server(tls_context=trusted[0]) as (postbox, port):
        failure = await failure_of(mail(port, tls="starttls"), told())
    assert "certificate is not trusted" in str(failure)
    assert postbox.mails == []


async def test_a_server_that_is_encrypted_from_the_first_byte_is_spoken_to_as_one(
    trusted: tuple[ssl.SSLContext, ssl.SSLContext],
) -> None:
    postbox, loop = Postbox(), asyncio.get_running_loop()
    listening = await loop.create_server(lambda: SMTP(postbox), "127.0.0.1", 0, ssl=trusted[0])
    async with listening:
        port = listening.sockets[0].getsockname()[1]
        await mail(port, trusted[1], tls="tls").tell(told())
        assert len(postbox.mails) == 1
        assert "certificate is not trusted" in str(await failure_of(mail(port, tls="tls"), told()))
