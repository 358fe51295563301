from __future__ import annotations

import os

import pytest

from monai_unlearn.data import free_memory as module
from monai_unlearn.data.free_memory import free_memory, memory_limit
from monai_unlearn.errors import ConfigError


def machine(root, *, available_kb=1000, group="/a/b", **files):
    """Write what a Linux machine tells about its memory below a folder."""
    contents = {
        "proc/meminfo": f"MemTotal: 9999 kB\nMemFree: 1 kB\nMemAvailable:   {available_kb} kB\n",
        "proc/self/cgroup": f"0::{group}\n",
        **{f"sys/fs/cgroup/{name}": text for name, text in files.items()},
    }
    for name, text in contents.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def test_what_the_system_has_available_is_free(tmp_path):
    assert free_memory(machine(tmp_path)) == 1_024_000


@pytest.mark.parametrize("group", ["a/b", "a", ""])
def test_the_tightest_control_group_around_the_process_limits_it(tmp_path, group):
    """Files that a group has read can be given up."""
    limit = {"memory.max": "5000\n", "memory.current": "3000\n", "memory.stat": "anon 1\ninactive_file 700\nx 1\n"}
    files = {f"{group}/{name}".lstrip("/"): text for name, text in limit.items()}
    files.setdefault("memory.max", "max\n")
    assert free_memory(machine(tmp_path, **files)) == 2700


def test_a_group_of_version_1_limits_it_too(tmp_path):
    files = {"memory/memory.limit_in_bytes": "500", "memory/memory.usage_in_bytes": "600"}
    assert free_memory(machine(tmp_path, **files)) == 0


def test_where_the_system_does_not_tell_half_of_the_memory_is_free(tmp_path):
    assert free_memory(tmp_path) == os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2


def test_this_machine_has_some_memory():
    assert 2**20 < free_memory() < 2**50


def test_auto_is_half_of_it_for_all_processes_of_a_machine(monkeypatch):
    monkeypatch.setattr(module, "free_memory", lambda: 1000)
    assert memory_limit("auto") == 500
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "4")
    assert memory_limit() == 125


@pytest.mark.parametrize(
    ("memory", "expected"), [(0, 0), (7, 7), ("12", 12), ("2 GB", 2 * 10**9), ("0.5mb", 500_000), ("3KB", 3000)]
)
def test_a_size_is_read(memory, expected):
    assert memory_limit(memory) == expected


@pytest.mark.parametrize("memory", ["much", "-1", "2 GiB", None, True, "GB", ""])
def test_anything_else_is_refused(memory):
    with pytest.raises(ConfigError, match="memory: expected auto, a number of bytes, or a size such as '2 GB', got"):
        memory_limit(memory)
