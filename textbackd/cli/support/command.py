"""`textbackd support-bundle`: one file to hand to whoever helps."""

import os
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from shlex import quote

import click

from textbackd.cli.options import config_option
from textbackd.cli.support.bundle import parts
from textbackd.errors import TextbackdError


@click.command("support-bundle", short_help="Write what is needed to find a fault, nothing private.")
@click.argument("file", required=False, type=click.Path(path_type=Path))
@config_option
def support_bundle(file: Path | None, config: Path) -> None:
    """Write FILE with what is needed to find a fault, and nothing private: no name, number, text, address or secret.

    FILE is textbackd-support-DATE.zip if it is not given. It works while textbackd runs, and with a configuration that has faults.
    Nothing is sent anywhere.
    """
    now = datetime.now(UTC)
    path = file or Path(f"textbackd-support-{now:%Y%m%dT%H%M%SZ}.zip")
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise TextbackdError(f"{path}: cannot be written ({error.strerror}). Name another FILE.") from error
    with os.fdopen(handle, "wb") as opened, zipfile.ZipFile(opened, "w", zipfile.ZIP_DEFLATED) as bundle:
        for part in parts(config, now):
            bundle.writestr(part.name, part.text)
            click.echo(f"  {part.name:18} {part.holds}")
    click.echo(f"{path}: {path.stat().st_size / 1000:.0f} kB")
    click.echo(f"Nothing in it is private. Look for yourself: unzip -p {quote(str(path))} | less")
