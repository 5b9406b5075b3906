"""Starting a command in several processes, by MPI's own starter."""

import importlib.util
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from starvox.cores import count_cores
from starvox.errors import UserError

# what the starters of MPICH, of Open MPI and of batch systems tell a process
_RANKS = ("PMI_RANK", "PMIX_RANK", "OMPI_COMM_WORLD_RANK")
# how many threads the matrix products of NumPy's and SciPy's builds take, and Numba's
_THREADS = (
    *("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"),
    *("VECLIB_MAXIMUM_THREADS", "NUMBA_NUM_THREADS"),
)


def is_launched() -> bool:
    """Says whether MPI has started this process."""
    return any(name in os.environ for name in _RANKS)


def launch(size: int, arguments: Sequence[str]) -> None:
    """Turns this process into MPI's starter of ``size`` processes on this machine. Does not return.

    The starter hands signals on to them, and ends them all if one dies.

    Args:
        size: how many.
        arguments: of ``python -m starvox``, in each.

    Raises:
        UserError: if MPI is missing.
    """
    starter = _find_starter()
    if starter is None or importlib.util.find_spec("mpi4py") is None:
        raise UserError(
            f"{size} processes need MPI, which is not installed; install it by `pip install -e .[mpi]`"
        )
    command = [starter, "-n", str(size), sys.executable, "-m", "starvox", *arguments]
    sys.stdout.flush()
    os.execve(starter, command, _environment(size, os.environ))


def _find_starter() -> str | None:
    """Returns the path of mpiexec: beside Python, where PyPI's package puts it, or on the PATH."""
    beside = Path(sys.executable).with_name("mpiexec")
    return str(beside) if beside.exists() else shutil.which("mpiexec")


def _environment(size: int, environment) -> dict[str, str]:
    """Returns the processes' environment: they share the cores, unless the user says otherwise.

    With more threads than cores, those of the matrix products wait for each
    other in loops, and everything is many times slower.
    """
    threads = str(max(1, count_cores() // size))
    return dict.fromkeys(_THREADS, threads) | dict(environment)
