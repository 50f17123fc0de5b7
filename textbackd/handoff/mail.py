"""E-mails to staff.   flow/staff/notices_out.py → here → a mail server (RFC 5321), in a thread of its own

Subject and text are plain. `Auto-Submitted` (RFC 3834) keeps out-of-office machines silent. Where encryption is asked for and the server
has none, nothing is sent.
"""

import asyncio
import smtplib
import ssl
from concurrent.futures import ThreadPoolExecutor
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from typing import Final

from textbackd.config.sections.handoff import Email
from textbackd.handoff.base import Message, NotTold

ANSWER_WITHIN: Final = 10.0  # seconds, for each answer of the server
FOOT: Final = "\n-- \nAnswer in the inbox, or by text from your mobile. Answers to this e-mail reach nobody.\n"


class Mail:
    """The mail server of the configuration."""

    def __init__(self, section: Email, *, context: ssl.SSLContext | None = None) -> None:
        """`context`: whose certificates are trusted; None: those that the system trusts."""
        self._section, self._context = section, context
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="mail")

    async def tell(self, message: Message) -> None:
        """Send one e-mail. Raises NotTold."""
        mail = self._mail(message)
        try:
            await asyncio.get_running_loop().run_in_executor(self._thread, self._send, mail)
        except smtplib.SMTPAuthenticationError:
            raise NotTold("the mail server refused `email.username` and `email.password`.") from None
        except smtplib.SMTPRecipientsRefused as refused:
            codes = [code for code, _ in refused.recipients.values()]
            raise _refusal(codes[0] if codes else 0) from None
        except smtplib.SMTPResponseException as refused:
            raise _refusal(refused.smtp_code) from None
        except smtplib.SMTPNotSupportedError:
            raise NotTold("the mail server cannot do what `email` asks for: STARTTLS, or a login.") from None
        except ssl.SSLError:
            raise NotTold("the mail server's certificate is not trusted, or it speaks no TLS on this port.") from None
        except (OSError, ValueError, smtplib.SMTPException):  # ValueError: a name that socket does not look up at all
            raise NotTold("the mail server cannot be reached.") from None

    def _mail(self, message: Message) -> EmailMessage:
        mail = EmailMessage(policy=SMTP)
        mail["From"] = self._section.from_
        mail["To"] = message.target
        mail["Subject"] = " ".join(message.title.split())
        mail["Date"] = format_datetime(message.at)
        mail["Message-ID"] = f"<{message.key}@{parseaddr(self._section.from_)[1].rpartition('@')[2]}>"
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(message.words + FOOT)
        return mail

    def _send(self, mail: EmailMessage) -> None:
        section = self._section
        with self._connected() as server:
            if section.tls == "starttls":
                server.starttls(context=self._trusted())
            if section.username is not None and section.password is not None:
                _log_in(server, section.username, section.password.get_secret_value())
            server.send_message(mail)

    def _connected(self) -> smtplib.SMTP:
        host, port = self._section.host, self._section.port
        if self._section.tls == "tls":
            return smtplib.SMTP_SSL(host, port, timeout=ANSWER_WITHIN, context=self._trusted())
        return smtplib.SMTP(host, port, timeout=ANSWER_WITHIN)

    def _trusted(self) -> ssl.SSLContext:
        return self._context or ssl.create_default_context()

    async def close(self) -> None:
        """Let the thread end; an e-mail that it is at is sent again next time."""
        self._thread.shutdown(wait=False, cancel_futures=True)


def _log_in(server: smtplib.SMTP, username: str, password: str) -> None:
    try:
        server.login(username, password)
    except smtplib.SMTPServerDisconnected:
        # smtplib tries the next kind of login after a refusal; many servers have hung up by then.
        raise smtplib.SMTPAuthenticationError(535, b"") from None


def _refusal(code: int) -> NotTold:
    # RFC 5321 §4.2.1: 5 is for ever, 4 for now.
    return NotTold(f"the mail server refused the e-mail ({code}).", permanent=500 <= code < 600)
