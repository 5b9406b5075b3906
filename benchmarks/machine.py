"""The machine, in words that name nobody's computer."""

import os
import platform
import re
import subprocess
from importlib import metadata
from pathlib import Path

from threadpoolctl import threadpool_info

from starvox.cores import count_cores
from starvox.training import results


def describe(device: str, threads: int) -> dict:
    """Returns what the numbers depend on: processor, memory, versions, commit; no host name.

    Args:
        device: in words, from `starvox.device.describe`.
        threads: that every contender gets.
    """
    found = results.machine(device)
    try:
        found["packages"]["torch"] = metadata.version("torch")
    except metadata.PackageNotFoundError:
        found["packages"]["torch"] = None
    return found | {
        "processor": processor(),
        "cores": count_cores(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "threads": threads,
        "blas": [
            " ".join(str(library.get(key)) for key in ("internal_api", "version", "architecture"))
            for library in threadpool_info()
            if library["user_api"] == "blas"
        ],
    }


def processor() -> str:
    """Returns the model of the processor."""
    info = Path("/proc/cpuinfo")
    if info.is_file():
        match = re.search(r"^model name\s*:\s*(.+)$", info.read_text(errors="replace"), re.MULTILINE)
        return match[1].strip() if match else platform.machine()
    command = ["sysctl", "-n", "machdep.cpu.brand_string"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return platform.machine()
    return done.stdout.strip()


def load_warnings(load: float, n_cores: int) -> list[str]:
    """Returns a warning if other programs have been running, or nothing.

    Args:
        load: the load average of the last minute, before anything is measured.
        n_cores: of the machine.
    """
    if load <= 0.15 * n_cores:
        return []
    return [
        f"the load average before the start was {load:.2f} on {n_cores} cores: something else was running"
    ]
