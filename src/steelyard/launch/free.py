"""How much memory runs may take: what is free of the machine, or of the container or job."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import psutil

OWN = Path("/proc/self/cgroup")  # Linux's, as all below: the groups that this process is in
ROOT = Path("/sys/fs/cgroup")


class Names(NamedTuple):
    """Where a version of control groups tells of memory."""

    limit: str
    used: str
    cache: str  # in `memory.stat`: what is used for files, and given back where it is needed


V1 = Names("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
V2 = Names("memory.max", "memory.current", "inactive_file")


def free_bytes(own: Path = OWN, root: Path = ROOT) -> int:
    """Returns what is free of the machine, or less where this process is limited to less."""
    return min([psutil.virtual_memory().available, *_left(own, root)])


def _left(own: Path, root: Path) -> Iterator[int]:
    """Yields what is left to each group that limits this process: its own and those around it."""
    for line in own.read_text().splitlines() if own.is_file() else []:
        _, controllers, path = line.split(":", 2)
        if controllers and "memory" not in controllers.split(","):
            continue
        top, names = (root / "memory", V1) if controllers else (root, V2)
        place = top / path.lstrip("/")
        for folder in (place, *place.parents):
            yield from _left_in(folder, names)
            if folder == top:
                break


def _left_in(folder: Path, names: Names) -> Iterator[int]:
    """Yields what is left to a group, if it has a limit and is to be seen from here."""
    try:
        limit, used = ((folder / name).read_text().strip() for name in names[:2])
        lines = (folder / "memory.stat").read_text().splitlines()
    except OSError:  # in a container, its own group is often the topmost that it sees
        return
    if limit != "max":
        told = dict(line.split() for line in lines)
        yield max(0, int(limit) - int(used) + int(told.get(names.cache, 0)))
