"""How much memory is free, and how much of it images may take."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from monai_unlearn.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator

AUTO = "auto"
# Of what is free, the share that images may take: the rest is for networks, batches and other programs.
SHARE = 0.5
_UNITS = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
# Where torchrun tells how many processes share this machine.
_PROCESSES = "LOCAL_WORLD_SIZE"


def memory_limit(memory: int | str = AUTO) -> int:
    """Return how many bytes images may take.

    Args:
        memory: `auto` for half of what is free, divided by the processes that torchrun started here; or a number of
            bytes, or a text such as `500 MB` or `2 GB`, in powers of ten.

    Raises:
        ConfigError: It is none of these.

    >>> memory_limit("1.5 GB"), memory_limit(4096)
    (1500000000, 4096)
    """
    if memory == AUTO:
        return int(SHARE * free_memory()) // max(1, int(os.environ.get(_PROCESSES, "1")))
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMGT]?B)?", str(memory).strip(), re.IGNORECASE)
    if found is None:
        raise ConfigError(f"memory: expected auto, a number of bytes, or a size such as '2 GB', got '{memory}'.")
    return int(float(found[1]) * _UNITS[(found[2] or "").upper()])


def free_memory(root: Path = Path("/")) -> int:
    """Return how many bytes a process can still take: the least of what the system and its control groups leave.

    Linux names what is available without swapping (`MemAvailable`), and control groups, such as a container's, limit it
    further; what they hold of files can be given up and counts as free. Elsewhere, half of the machine's memory is
    taken to be free.

    Args:
        root: The root of the file system, for tests.
    """
    left = [*_system(root), *_groups_v2(root), *_group_v1(root)]
    return max(0, min(left)) if left else os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2


def _system(root: Path) -> Iterator[int]:
    found = re.search(r"^MemAvailable:\s*(\d+) kB", _text(root / "proc/meminfo"), re.MULTILINE)
    if found:
        yield 1024 * int(found[1])


def _groups_v2(root: Path) -> Iterator[int]:
    """Yield what each control group around this process leaves (kernel documentation, cgroup-v2, memory.max)."""
    found = re.search(r"^0::/(.*)$", _text(root / "proc/self/cgroup"), re.MULTILINE)
    top = root / "sys/fs/cgroup"
    group = top / found[1] if found else top
    for folder in (group, *group.parents):
        if folder.is_relative_to(top):
            yield from _left(folder, limit="memory.max", used="memory.current", reclaimable="inactive_file")


def _group_v1(root: Path) -> Iterator[int]:
    """Yield what the memory controller of version 1 leaves."""
    yield from _left(
        root / "sys/fs/cgroup/memory",
        limit="memory.limit_in_bytes",
        used="memory.usage_in_bytes",
        reclaimable="total_inactive_file",
    )


def _left(folder: Path, *, limit: str, used: str, reclaimable: str) -> Iterator[int]:
    most, taken = _text(folder / limit).strip(), _text(folder / used).strip()
    if most.isdigit() and taken.isdigit():  # "max" is no limit
        cached = re.search(rf"^{reclaimable} (\d+)$", _text(folder / "memory.stat"), re.MULTILINE)
        yield int(most) - int(taken) + (int(cached[1]) if cached else 0)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        return ""
