"""From a gateway's section of the configuration to the gateway. One line per kind; the file of each kind is imported only if used."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from textbackd.config import GsmModem, HttpGateway
from textbackd.gateways.base import Gateway


def build(name: str, section: GsmModem | HttpGateway, *, notes: Path | None = None) -> Gateway:
    """Return the gateway that a section describes; secrets must be resolved. Raises TextbackdError for what only it can see.

    `notes` is a folder for what a gateway has to remember beyond a restart.
    """
    return KINDS[section.type](name, section, notes)


def _gsm_modem(name: str, section: GsmModem, notes: Path | None) -> Gateway:
    from textbackd.gateways.gsm_modem import GsmModem as Modem  # noqa: PLC0415  # its library costs start-up time and memory

    return Modem(
        name=name,
        port=section.port,
        imei=section.imei,
        pin=section.pin.get_secret_value() if section.pin else None,
        smsc=section.smsc,
        baud=section.baud,
        notes=notes,
    )


def _http(name: str, section: HttpGateway, _notes: Path | None) -> Gateway:
    from textbackd.gateways.http import HttpGateway as Http  # noqa: PLC0415

    auth = section.basic_auth
    return Http(
        name=name,
        url=section.url,
        method=section.method,
        headers=section.headers,
        json=section.json_body,
        form=section.form,
        query=section.query,
        body=section.body,
        basic_auth=(auth.username, auth.password.get_secret_value()) if auth else None,
        bearer=section.bearer.get_secret_value() if section.bearer else None,
        success=section.success_statuses(),
        reference=section.reference,
        timeout=section.timeout,
        number=section.number,
    )


KINDS: Final[dict[str, Callable[[str, Any, Path | None], Gateway]]] = {"gsm_modem": _gsm_modem, "http": _http}
