"""The memory that runs may take is that of the container or job, where there is one."""

from pathlib import Path

import psutil
import pytest

from steelyard.launch import parallel
from steelyard.launch.free import V1, V2, Names, free_bytes
from steelyard.launch.parallel import n_processes_of_this_machine

MIB = 2**20
SEEN = {  # what `/proc/self/cgroup` says, and where the groups are
    "v2": ("0::/job/step\n", "", V2),
    "v1": ("4:cpu,memory:/job/step\n0::/\n", "memory", V1),
}


def group(folder: Path, names: Names, limit: str, used: int, cache: int = 0) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / names.limit).write_text(f"{limit}\n")
    (folder / names.used).write_text(f"{used}\n")
    (folder / "memory.stat").write_text(f"anon 5\n{names.cache} {cache}\n")


@pytest.mark.parametrize("version", SEEN)
def test_what_is_free_is_what_the_narrowest_group_leaves(version: str, tmp_path: Path) -> None:
    told, below, names = SEEN[version]
    (tmp_path / "own").write_text(told)
    free = [free_bytes(tmp_path / "own", tmp_path)]
    job = tmp_path / below / "job"
    group(tmp_path / below, names, str(2**62), 0)
    group(job / "step", names, str(64 * MIB), 10 * MIB)
    free.append(free_bytes(tmp_path / "own", tmp_path))
    group(job, names, str(32 * MIB), 30 * MIB, cache=20 * MIB)
    free.append(free_bytes(tmp_path / "own", tmp_path))
    group(job, names, str(32 * MIB), 33 * MIB)
    free.append(free_bytes(tmp_path / "own", tmp_path))
    assert free[0] > 64 * MIB
    assert free[1:] == [54 * MIB, 22 * MIB, 0]


@pytest.mark.parametrize("told", [None, "0::/\n", "0::/of/the/host\n"])
def test_a_process_without_a_limit_has_what_is_free_of_the_machine(
    told: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = psutil.virtual_memory()
    monkeypatch.setattr(psutil, "virtual_memory", lambda: machine)
    group(tmp_path, V2, "max", MIB)
    if told is not None:
        (tmp_path / "own").write_text(told)
    assert free_bytes(tmp_path / "own", tmp_path) == machine.available


def test_processes_are_as_many_as_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parallel, "n_cores", lambda: 16)
    counts = []
    for gib in (0, 5, 100):
        monkeypatch.setattr(parallel, "free_bytes", lambda gib=gib: gib * 2**30)
        counts.append(n_processes_of_this_machine())
    assert counts == [1, 2, 8]
