"""Settings: names that no process knows, values that make no sense, and defaults that are not for the open. Pure."""

import difflib
import ipaddress
from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

from pydantic import ValidationError
from pydantic_settings import BaseSettings

from slugline.doctor.finding import Finding, look, well, wrong

AREA = "settings"
NOT_OURS = ("_SERVICE_HOST", "_SERVICE_PORT", "_PORT_")
"""What Kubernetes puts into the environment for each Service, where `enableServiceLinks` is left on."""
ELSEWHERE = frozenset({"POSTGRES_PASSWORD", "POSTGRES_USER", "POSTGRES_DB", "INGEST_PORT", "PUSH_PORT", "SLUGLINE_ENV"})
"""Names that the compose file, `make` or the command itself reads."""
SERVICES = ("ingest", "enrich", "publish")
SHARED_PREFIXES = ("KAFKA_", "POSTGRES_", "REDIS_", "HTTP_", "SLUGLINE_", "OTLP_", "TOPIC_", "TRUSTED_")


def known_names(models: Iterable[type[BaseSettings]]) -> frozenset[str]:
    """Every setting of these, as it stands in the environment."""
    return frozenset(name.upper() for model in models for name in model.model_fields) | ELSEWHERE


def unknown_settings(environment: Iterable[str], known: frozenset[str], services: Iterable[str]) -> list[Finding]:
    """Names that look like settings of the services given, and that no process reads."""
    prefixes = (*SHARED_PREFIXES, *(f"{each.upper()}_" for each in services))
    found = []
    for name in sorted(environment):
        if not name.startswith(prefixes) or name in known or any(each in name for each in NOT_OURS):
            continue
        near = difflib.get_close_matches(name, known, n=1, cutoff=0.75)
        mend = f"did you mean {near[0]}?" if near else "remove it; the READMEs of the services list what there is"
        found.append(look(AREA, f"{name} is no setting: nobody reads it", mend))
    return found


def bad_values(environment: Mapping[str, str], models: Iterable[type[BaseSettings]]) -> list[Finding]:
    """Values that a process would refuse to start with; each is told once."""
    found: dict[str, Finding] = {}
    for model in models:
        try:
            model.model_validate(
                {name: environment[name.upper()] for name in model.model_fields if name.upper() in environment}
            )
        except ValidationError as error:
            for each in error.errors(include_input=False, include_url=False):
                name = str(each["loc"][0]).upper() if each["loc"] else "the settings"
                found.setdefault(name, wrong(AREA, f"{name}: {each['msg']}", "correct it: no process starts with it"))
    return list(found.values())


def is_here(host: str | None) -> bool:
    """Whether a host is this machine: a loopback address, or a folder with a socket."""
    if not host or host == "localhost" or host.startswith(("/", "%2F", "%2f")):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def insecure_values(values: Mapping[str, object]) -> list[Finding]:
    """What is in order on a laptop, and nowhere else. `values` are all settings, by their names in the environment."""
    found = []
    database = urlsplit(str(values.get("POSTGRES_DSN", "")))
    if database.password == "slugline" and not is_here(database.hostname):  # noqa: S105 -- the one of the documentation
        found.append(
            look(AREA, "POSTGRES_DSN has the password of the documentation", "choose another: POSTGRES_PASSWORD")
        )
    redis = urlsplit(str(values.get("REDIS_URL", "")))
    if not redis.password and not is_here(redis.hostname):
        found.append(
            look(
                AREA,
                "Redis is open to whoever reaches it",
                "give it a password, or see that only the processes reach it",
            )
        )
    site = urlsplit(str(values.get("PUBLISH_SITE_URL", "https://")))
    if site.scheme == "http" and not is_here(site.hostname):
        found.append(
            look(
                AREA,
                "PUBLISH_SITE_URL is http: browsers offer no alerts, and anybody between can change the news",
                "serve https",
            )
        )
    open_to_all = [each for each in str(values.get("TRUSTED_PROXIES", "")).split(",") if each.strip().endswith("/0")]
    if open_to_all:
        what = f"TRUSTED_PROXIES has {open_to_all[0].strip()}: anybody can claim any address"
        found.append(look(AREA, what, "name the networks of your proxies"))
    for name, value in sorted(values.items()):
        if name.endswith("_ALLOW_PRIVATE") and value is True and not is_here(site.hostname):
            found.append(
                look(
                    AREA,
                    f"{name} lets addresses that others gave reach your own network",
                    "leave it out where readers are",
                )
            )
    return found


def check(
    environment: Mapping[str, str], models: Mapping[str, type[BaseSettings]], values: Mapping[str, object]
) -> list[Finding]:
    """All of it, for the services that are installed here.

    `models` are by service, the command's own under ''; `values` are those that the processes would have, out of the environment
    and of files, or nothing where they cannot be read.
    """
    services = [each for each in models if each in SERVICES]
    found = [
        *unknown_settings(environment, known_names(models.values()), services),
        *bad_values(environment, models.values()),
        *insecure_values(values),
    ]
    missing = [each for each in SERVICES if each not in models]
    if missing:
        found.append(well(AREA, f"those of {', '.join(missing)} are not looked at: not installed here"))
    return found or [well(AREA, "every name is known, every value makes sense")]
