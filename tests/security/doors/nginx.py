"""nginx with the configuration that compose mounts, on ports of this machine."""

import contextlib
import os
import re
import ssl
import subprocess
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import trustme

from local.child import Child, free_port, listens
from support.places import ROOT
from support.waiting import eventually


@dataclass(frozen=True)
class Front:
    """Its ports, by whom they are for, and what a client trusts."""

    ports: Mapping[str, int]
    context: ssl.SSLContext


@contextlib.asynccontextmanager
async def behind_nginx(upstreams: Mapping[str, str], folder: Path) -> AsyncIterator[Front]:
    """Serve `readers`, `senders` and `push` of the configuration from these addresses, while the block runs."""
    text = (ROOT / "deploy" / "nginx" / "nginx.conf").read_text()
    text = text.replace(" /tmp/", f" {folder}/")
    ports = {}
    for name, (port, upstream) in {
        "readers": ("8443", "publish-web:8080"),
        "senders": ("8444", "ingest-api:8081"),
        "push": ("8445", "publish-push:8097"),
    }.items():
        ports[name] = free_port()
        assert f"listen {port} ssl" in text
        assert f"http://{upstream};" in text
        text = text.replace(f"listen {port} ssl", f"listen 127.0.0.1:{ports[name]} ssl").replace(
            f"http://{upstream};", f"{upstreams[name]};"
        )
    authority = trustme.CA()
    issued = authority.issue_cert("localhost")
    (folder / "certificate.pem").write_bytes(b"".join(each.bytes() for each in issued.cert_chain_pems))
    (folder / "key.pem").write_bytes(issued.private_key_pem.bytes())
    text = text.replace("/run/secrets/tls_certificate", f"{folder}/certificate.pem").replace(
        "/run/secrets/tls_key", f"{folder}/key.pem"
    )
    version = subprocess.run(["nginx", "-v"], capture_output=True, text=True, check=True).stderr
    if [int(part) for part in re.findall(r"\d+", version)[:2]] < [1, 25]:
        # The image's nginx knows the directive; a distribution's may be older.
        text = text.replace("http2 on;", "")
    if os.geteuid() == 0:
        text = "user root;\n" + text
    (folder / "nginx.conf").write_text(text)
    child = Child(
        "nginx", ["nginx", "-e", "stderr", "-c", str(folder / "nginx.conf"), "-g", "daemon off;"], folder / "nginx.log"
    )
    child.start()
    context = ssl.create_default_context()
    authority.configure_trust(context)
    try:
        await eventually(lambda: all(map(listens, ports.values())), what=f"nginx does not listen: {child.tail(10)}")
        yield Front(ports, context)
    finally:
        child.end()
