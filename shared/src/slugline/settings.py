"""Where an operator's command finds the installation."""

from dataclasses import dataclass

from pydantic import Field, field_validator

from shared.settings import Connections

PORTS = {
    "ingest-api": 9100,
    "ingest-poll": 8091,
    "ingest-watch": 8092,
    "enrich-text": 8093,
    "enrich-gather": 8098,
    "enrich-media": 8094,
    "publish-archive": 8095,
    "publish-cache": 8096,
    "publish-push": 9100,
    "publish-web": 9100,
}
"""As the compose file and the Kubernetes base name the processes."""
PUBLIC = {"ingest-api": 8081, "publish-push": 8097, "publish-web": 8080}
"""Where strangers come to those that have an internal port."""
OPTIONAL = frozenset({"ingest-watch"})
"""Not every newsroom takes files."""
OF_REPLICAS = "-replicas"
"""Behind a name, on Kubernetes: the headless Service that has the address of each pod."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a process listens: each address that its name resolves to is a replica."""

    host: str
    port: int
    """Of /readyz and /metrics."""
    optional: bool = False
    """Whether nobody misses it where its name is not known."""
    name: str = ""
    """What it is called where the host's name does not say so."""
    public: int = 0
    """Where readers or senders come, if that is another port."""

    @property
    def label(self) -> str:
        """What it is called while it does not answer."""
        return self.name or (self.host if not self.host[-1:].isdigit() else f"{self.host}:{self.port}")


def address_of(text: str) -> Address:
    """`[NAME=]HOST:PORT[/PORT][?]`; ValueError where it is anything else."""
    plain = text.strip()
    optional = plain.endswith("?")
    name, _, place = plain.removesuffix("?").rpartition("=")
    host, colon, ports = place.removeprefix("http://").rstrip("/").rpartition(":")
    port, slash, public = ports.partition("/")
    if not colon or not host or not _is_port(port) or (slash and not _is_port(public)):
        raise ValueError(f"{plain!r} is no HOST:PORT")
    return Address(host.strip("[]"), int(port), optional, name.strip(), int(public or 0))


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdigit() and 0 < int(text[:6]) < 65_536


class OperatorSettings(Connections):
    """Read from the environment, as the processes read theirs."""

    slugline_processes: str = Field(
        default="",
        description="Where each process answers /readyz and /metrics: [NAME=]HOST:PORT, comma-separated, with a /PORT behind where "
        "readers or senders come by another port (INTERNAL_PORT is set), and ? behind one that "
        "may be absent; a name that resolves to several addresses is several replicas. Empty means those of the compose file, or "
        "within Kubernetes those of the base",
    )
    kubernetes_service_host: str = Field(default="", description="Set by Kubernetes in every pod")

    @property
    def addresses(self) -> tuple[Address, ...]:
        """Those of `slugline_processes`, or those of where this runs."""
        if self.slugline_processes:
            return tuple(address_of(each) for each in self.slugline_processes.split(",") if each.strip())
        suffix = OF_REPLICAS if self.kubernetes_service_host else ""
        return tuple(
            Address(name + suffix, port, name in OPTIONAL, name, PUBLIC.get(name, 0)) for name, port in PORTS.items()
        )

    @field_validator("slugline_processes")
    @classmethod
    def _only_addresses(cls, value: str) -> str:
        for each in filter(str.strip, value.split(",")):
            address_of(each)
        return value
