"""Real reverse proxies from Debian, set up as docs/INBOX.md says, with a certificate of the test's own."""

import re
import shutil
import socket
import ssl
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Final

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.debian import PATH, need
from tests.flow.office import until
from textbackd.flow.clock import wall

NAME: Final = "inbox.example.com"
DOCUMENT: Final = Path(__file__).parents[2] / "docs" / "INBOX.md"
NGINX: Final = """
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    {documented}
}}
"""
CADDY: Final = "{{\n    admin off\n    auto_https off\n}}\n{documented}"


def documented(language: str) -> str:
    """Return what the document tells to write."""
    found = re.search(rf"```{language}\n(.*?)```", DOCUMENT.read_text("utf-8"), re.DOTALL)
    assert found is not None
    return found[1]


def nginx(folder: Path, port: int, inbox: int) -> list[str]:
    """Write nginx's configuration; return the command that runs it."""
    need("nginx", "nginx-light")
    text = documented("nginx").replace("listen 443 ssl", f"listen 127.0.0.1:{port} ssl").replace(":8470", f":{inbox}")
    text = re.sub(r"/etc/letsencrypt/live/[^/]*", str(folder), text)
    (folder / "nginx.conf").write_text(NGINX.format(folder=folder, documented=text))
    return [_found("nginx"), "-p", str(folder), "-c", str(folder / "nginx.conf")]


def caddy(folder: Path, port: int, inbox: int) -> list[str]:
    """Write Caddy's configuration, with our certificate in place of one that it would get; return the command that runs it."""
    need("caddy", "caddy")
    certificate = f"tls {folder}/fullchain.pem {folder}/privkey.pem"
    text = documented("caddy").replace(f"{NAME} {{", f"https://{NAME}:{port} {{\n    {certificate}", 1)
    text = CADDY.format(documented=text.replace(":8470", f":{inbox}"))
    (folder / "Caddyfile").write_text(text)
    return [_found("caddy"), "run", "--config", str(folder / "Caddyfile"), "--adapter", "caddyfile"]


def _found(command: str) -> str:
    path = shutil.which(command, path=PATH)
    assert path is not None
    return path


Proxy = Callable[[Path, int, int], list[str]]


@contextmanager
def running(proxy: Proxy, folder: Path, inbox: int) -> Iterator[int]:
    """Run a proxy in front of the inbox's port until the block ends; yield its own."""
    certify(folder)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    with (folder / "said").open("wb") as said:
        home = {"HOME": str(folder), "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder), "PATH": PATH}
        process = subprocess.Popen(proxy(folder, port, inbox), env=home, stdout=said, stderr=said)
    try:
        yield port
    finally:
        process.terminate()
        process.wait()


async def is_up(port: int) -> None:
    """Wait until something listens."""

    def answers() -> bool:
        with socket.socket() as asking:
            return asking.connect_ex(("127.0.0.1", port)) == 0

    await until(answers)


def certify(folder: Path) -> None:
    """Write a certificate for the name, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, NAME)])
    begins = wall() - timedelta(days=1)
    certificate = (
        x509.CertificateBuilder(
            name, name, key.public_key(), x509.random_serial_number(), begins, begins + timedelta(9)
        )
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    kept = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "privkey.pem").write_bytes(kept)
    (folder / "fullchain.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))


class Here(AbstractResolver):
    """Says that every name is this machine."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        return [ResolveResult(hostname=host, host="127.0.0.1", port=port, family=socket.AF_INET, proto=0, flags=0)]

    async def close(self) -> None:
        pass


def connector(folder: Path) -> aiohttp.TCPConnector:
    """Return how a browser reaches the proxy by its name, and believes its certificate."""
    trusts = ssl.create_default_context(cafile=str(folder / "fullchain.pem"))
    return aiohttp.TCPConnector(resolver=Here(), ssl=trusts)
