"""This machine or container: folders, room on the disk, and how many files a process may open."""

import os
import resource
import shutil
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote, urlsplit

from slugline.doctor.finding import Finding, look, well, wrong

AREA = "machine"
LEAST_FREE_SHARE = 0.1
SPARE_FILES = 1_000
"""For servers, pictures and modules, beside the connections of readers."""


def check(values: Mapping[str, object]) -> list[Finding]:
    """All of it. `values` are the settings, by their names in the environment."""
    found = of_store(str(values.get("MEDIA_STORE", "")))
    connections = sum(
        value
        for name in ("HTTP_CONNECTIONS", "PUBLISH_WEB_CONNECTIONS", "PUBLISH_STREAM_CONNECTIONS")
        if isinstance(value := values.get(name, 0), int)
    )
    found.append(of_files(connections, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    return found


def of_store(store: str) -> list[Finding]:
    """The folder of renditions, where it is one and is here."""
    address = urlsplit(store)
    if address.scheme != "file":
        return [well(AREA, f"renditions are in {store}, which is not looked at")]
    folder = Path(unquote(address.path))
    if not folder.is_dir():
        return [
            look(
                AREA,
                f"{folder} of MEDIA_STORE is not here",
                "in order on a machine that runs neither enrich media nor publish web",
            )
        ]
    found = []
    if not os.access(folder, os.R_OK | os.X_OK):
        found.append(
            wrong(
                AREA, f"this user may not read {folder}", "chown it to the user of the processes (10001 in the images)"
            )
        )
    elif not os.access(folder, os.W_OK) and not os.statvfs(folder).f_flag & os.ST_RDONLY:
        # Mounted to be read only, as publish web has it, is meant.
        found.append(
            look(AREA, f"this user may not write {folder}", "in order for publish web; enrich media must be able to")
        )
    usage = shutil.disk_usage(folder)
    free = f"{usage.free / 2**30:.1f} GiB of {usage.total / 2**30:.1f} are free under {folder}"
    if usage.free < LEAST_FREE_SHARE * usage.total:
        found.append(look(AREA, free, "make room: pictures that cannot be stored are tried again for a day"))
    return found or [well(AREA, free)]


def of_files(connections: int, most: int) -> Finding:
    """Whether a process may open as many files as it takes connections; each process raises its soft limit to the hard one."""
    if most != resource.RLIM_INFINITY and most < connections + SPARE_FILES:
        return look(
            AREA, f"a process may open {most} files, and {connections} connections are allowed",
            f"raise the hard limit (LimitNOFILE, ulimits) to {connections + SPARE_FILES}, or allow fewer connections",
        )  # fmt: skip
    return well(AREA, f"a process may open {'any number of' if most == resource.RLIM_INFINITY else most} files")
