"""Where an operator's command finds the installation."""

from dataclasses import dataclass

from pydantic import Field, field_validator

from shared.settings import Connections

PORTS = {
    "ingest-api": 8081,
    "ingest-poll": 8091,
    "ingest-watch": 8092,
    "enrich-text": 8093,
    "enrich-gather": 8098,
    "enrich-media": 8094,
    "publish-archive": 8095,
    "publish-cache": 8096,
    "publish-push": 8097,
    "publish-web": 8080,
}
"""As the compose file and the Kubernetes base name the processes."""
OPTIONAL = frozenset({"ingest-watch"})
"""Not every newsroom takes files."""
OF_REPLICAS = "-replicas"
"""Behind a name, on Kubernetes: the headless Service that has the address of each pod."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a process listens: each address that its name resolves to is a replica."""

    host: str
    port: int
    optional: bool = False
    """Whether nobody misses it where its name is not known."""
    name: str = ""
    """What it is called where the host's name does not say so."""

    @property
    def label(self) -> str:
        """What it is called while it does not answer."""
        return self.name or (self.host if not self.host[-1:].isdigit() else f"{self.host}:{self.port}")


def address_of(text: str) -> Address:
    """`[NAME=]HOST:PORT[?]`; ValueError where it is anything else."""
    plain = text.strip()
    optional = plain.endswith("?")
    name, _, place = plain.removesuffix("?").rpartition("=")
    host, colon, port = place.removeprefix("http://").rstrip("/").rpartition(":")
    if not colon or not host or not port.isdigit() or not 0 < int(port) < 65_536:
        raise ValueError(f"{plain!r} is no HOST:PORT")
    return Address(host.strip("[]"), int(port), optional, name.strip())


class OperatorSettings(Connections):
    """Read from the environment, as the processes read theirs."""

    slugline_processes: str = Field(
        default="",
        description="Where each process answers /readyz and /metrics: [NAME=]HOST:PORT, comma-separated, with ? behind one that "
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
        return tuple(Address(name + suffix, port, name in OPTIONAL, name) for name, port in PORTS.items())

    @field_validator("slugline_processes")
    @classmethod
    def _only_addresses(cls, value: str) -> str:
        for each in filter(str.strip, value.split(",")):
            address_of(each)
        return value
