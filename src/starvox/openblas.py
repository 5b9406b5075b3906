"""Which of its kernels OpenBLAS takes; to be chosen before NumPy is imported."""

import os
from pathlib import Path


def choose_kernels(cpuinfo: Path = Path("/proc/cpuinfo")) -> None:
    """Chooses the kernels with AVX-512 on an AMD processor that has it.

    OpenBLAS 0.3.31 does not know the newest of these and takes kernels of 2013,
    at little more than half the speed. ``OPENBLAS_CORETYPE``, if set, is kept.

    Args:
        cpuinfo: the system's description of its processors; without it (not on Linux), nothing is chosen.
    """
    words = cpuinfo.read_text().split() if cpuinfo.exists() else []
    if "AuthenticAMD" in words and {"avx512f", "avx512dq", "avx512cd", "avx512bw", "avx512vl"} <= set(words):
        os.environ.setdefault("OPENBLAS_CORETYPE", "SkylakeX")
