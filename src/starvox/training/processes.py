"""The processes of one training, and what they do together."""

import os
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from typing import Any, NoReturn

import chainer
import numpy as np
from numpy.typing import NDArray

from starvox.device import find_device
from starvox.errors import UserError

LEAVE_TIMEOUT = 5.0  # s that a process which failed gives the others to fail as well


class Processes:
    """The processes that train one pair of networks, each on its own clips; made by `join`.

    The networks are the same in all of them: every process takes the mean of
    the gradients, and of the running statistics, over all. What this class
    offers is called by all of them, in the same order. In a process that is
    alone nothing is exchanged, and MPI is not loaded.

    Args:
        comm: ChainerMN's communicator ``naive``; None for a process that is alone.

    Attributes:
        rank (int): number of this process, from 0.
        size (int): how many there are.
        is_first (bool): rank is 0. The first alone writes files and prints.
    """

    def __init__(self, comm: Any = None):
        self.rank = comm.rank if comm else 0
        self.size = comm.size if comm else 1
        self.is_first = self.rank == 0
        self._comm = comm
        self._gradients = comm
        self._end = comm and comm.mpi_comm.Dup()  # apart, so that it cannot meet what others wait in

    @classmethod
    @contextmanager
    def join(cls, size: int) -> Iterator["Processes"]:
        """Meets the other processes; gives the `Processes`.

        An error in one process ends all of them, with its message, and does not
        leave the others waiting. An error that all have is told once.

        Args:
            size: how many there should be; with 1, MPI is not loaded.

        Raises:
            UserError: if MPI is missing, or there are not as many.
        """
        if size == 1:
            yield cls()
            return
        processes = cls(_communicator(size))
        try:
            # the first process alone prints; errors are another matter
            with redirect_stdout(sys.stdout if processes.is_first else open(os.devnull, "w")):
                yield processes
        except BaseException as error:
            processes._leave(error)

    def find_device(self, name: str) -> chainer.backend.Device:
        """Returns this process's device: with GPUs, the one of its number on its machine.

        Args:
            name: ``auto``, ``cpu`` or ``cuda:N``; see `starvox.device.find_device`.

        Raises:
            UserError: if there is none for it, or ``name`` gives all the same GPU.
        """
        if self._comm is None:
            return find_device(name)
        if name.startswith("cuda:"):
            raise UserError(
                f"{name} is one GPU for {self.size} processes; leave the device out: process r takes cuda:r"
            )
        device = find_device(name)
        if device.xp is not np:
            device = find_device(f"cuda:{self._comm.intra_rank}")
            self._gradients = _nccl_communicator()
        self._meet()  # nobody goes on before all have one
        return device

    @contextmanager
    def first_alone(self) -> Iterator[None]:
        """Lets the first process through, then the others, who find its work on disk; all leave together."""
        if self._comm is None:
            yield
            return
        done = np.zeros(1, np.int8)
        if not self.is_first:
            self._wait(self._comm.mpi_comm.Ibcast(done))
            if not done[0]:
                raise UserError("the first process failed")
        try:
            yield
            done[0] = 1
        finally:
            if self.is_first:
                self._wait(self._comm.mpi_comm.Ibcast(done))
        self._meet()

    def broadcast_weights(self, *networks: chainer.Link) -> None:
        """Gives the first process's parameters to all."""
        if self._comm is None:
            return
        self._meet()
        for network in networks:
            self._gradients.bcast_data(network)

    def local_slice(self, slots: NDArray[np.float32]) -> NDArray[np.float32]:
        """Returns this process's part of what was drawn for the slots of all minibatches, on axis 0."""
        return np.split(slots, self.size)[self.rank]

    def average_gradients(self, network: chainer.Link) -> None:
        """Replaces the gradients of a network by their means over the processes."""
        if self._comm is None:
            return
        for param in network.params():
            if param.grad is not None:
                # ChainerMN sums a copy of what is not contiguous, and forgets it
                param.grad = param.xp.ascontiguousarray(param.grad)
        self._meet()
        self._gradients.multi_node_mean_grad(network)

    def average_statistics(self, network: chainer.Link) -> None:
        """Replaces a network's running statistics by their means over the processes."""
        if self._comm is None:
            return
        persistent = [getattr(link, name) for link in network.links() for name in sorted(link._persistent)]
        statistics = [value for value in persistent if getattr(value, "dtype", None) == np.float32]
        if not statistics:
            return
        host = [value if isinstance(value, np.ndarray) else value.get() for value in statistics]
        for value, mean in zip(statistics, self._mean(host), strict=True):
            value[...] = network.xp.asarray(mean)

    def average(self, values: dict[str, Any]) -> dict[str, Any]:
        """Returns the means over the processes of scalars by name."""
        if self._comm is None:
            return values
        (means,) = self._mean([np.array([float(value) for value in values.values()])])
        return dict(zip(values, means, strict=True))

    def refuse_if_different(self, **values: Any) -> None:
        """Ends all processes unless they hold the same values.

        Raises:
            UserError: in all of them, with the name of the first value that differs.
        """
        everybodys = self._gather(values)
        for name in values:
            if any(others[name] != values[name] for others in everybodys):
                raise UserError(f"the processes do not have the same {name}; has a file changed meanwhile?")

    def largest(self, number: int) -> int:
        """Returns the largest of the processes' numbers."""
        return max(self._gather(number))

    def _gather(self, value: Any) -> list[Any]:
        if self._comm is None:
            return [value]
        self._meet()
        return self._comm.mpi_comm.allgather(value)

    def _mean(self, arrays: list[NDArray[Any]]) -> list[NDArray[Any]]:
        """Returns the means over the processes of arrays of one dtype."""
        flat = np.concatenate([array.ravel() for array in arrays])
        self._meet()
        flat = self._comm.allreduce(flat)
        flat /= self.size
        parts = np.split(flat, np.cumsum([array.size for array in arrays])[:-1])
        return [part.reshape(array.shape) for part, array in zip(parts, arrays, strict=True)]

    def _meet(self) -> None:
        """Waits for all."""
        self._wait(self._comm.mpi_comm.Ibarrier())

    def _leave(self, error: BaseException) -> NoReturn:
        """Ends this process by raising, if all have failed, and otherwise ends all of them."""
        codes: dict[type, Any] = {UserError: 2, KeyboardInterrupt: 130, SystemExit: getattr(error, "code", 1)}
        code = codes.get(type(error), 1)
        if self._wait(self._end.Ibarrier(), LEAVE_TIMEOUT):
            raise error if self.is_first else SystemExit(code)
        if isinstance(error, UserError):
            print(f"starvox: {error}", file=sys.stderr)
        elif not isinstance(error, SystemExit):
            traceback.print_exception(error)
        print(f"starvox: process {self.rank} of {self.size} failed; ending all", file=sys.stderr, flush=True)
        self._end.Abort(code)
        raise error  # not reached

    @staticmethod
    def _wait(request: Any, seconds: float = float("inf")) -> bool:
        """Polls an MPI request, which MPI's own waiting would take a core for; returns False on timeout."""
        started = time.monotonic()
        while not request.Test():
            waited = time.monotonic() - started
            if waited > seconds:
                return False
            time.sleep(min(0.02, waited / 10))
        return True


def _communicator(size: int) -> Any:
    try:
        import mpi4py.MPI  # noqa: F401
    except (ImportError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise UserError(f"MPI cannot be loaded ({reason}); install it by `pip install -e .[mpi]`") from None
    import chainermn

    comm = chainermn.create_communicator("naive")
    if comm.size != size:
        raise UserError(
            f"{size} processes are asked for, but MPI has started {comm.size}; "
            "start as many, by the mpiexec of the MPI that mpi4py loads"
        )
    return comm


def _nccl_communicator() -> Any:
    import chainermn

    try:
        return chainermn.create_communicator("pure_nccl")
    except RuntimeError as error:
        raise UserError(f"several GPUs need NCCL ({error}); install nvidia-nccl-cu12 (or -cu13)") from None
