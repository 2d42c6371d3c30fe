"""Processes that train one model together: MPI's, by mpi4py (extra ``mpi``)."""

from __future__ import annotations

import contextlib
import io
import os
import stat
import sys
import threading
import time
import traceback
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NoReturn

import numpy as np

from .structures import part_of

__all__ = ["Processes"]

Array = Any
STARTED = ("PMI_SIZE", "OMPI_COMM_WORLD_SIZE", "SLURM_STEP_NUM_TASKS")
"""Variables by which ``mpiexec`` or ``srun`` says how many processes it has started, on all machines."""


SPINS, PAUSE = 100, 2e-5
"""A process that waits asks so often without a pause, then with one of so many seconds: others may need the core."""


class Processes:
    """A group of processes that train one model on one stream of batches, each on its part: ``Learner(parallel=True)``.

    ``communicator`` is one of mpi4py's, by default of all processes that ``mpiexec`` has started.  ``rank`` counts the
    processes from 0 to ``size - 1``; the first one, which ``leads``, writes files and shows the progress.  An exception
    in one of them ends them all, with its rank and its traceback; so does one that the others wait for longer than
    ``timeout`` seconds.

    Raises ImportError without mpi4py, where it finds no MPI library, and where ``mpiexec`` is that of another MPI.

    >>> alone = Processes(timeout=60.0)  # without mpiexec there is one
    >>> alone.rank, alone.size, alone.leads
    (0, 1, True)
    """

    def __init__(self, communicator: Any = None, *, timeout: float = 1800.0) -> None:
        if not timeout > 0:
            raise ValueError(f"Processes: timeout is {timeout!r}; it is a number of seconds")
        self.communicator: Any = _world() if communicator is None else communicator
        for name in ("Get_rank", "Get_size", "Iallreduce", "Abort"):
            if not callable(getattr(self.communicator, name, None)):
                raise TypeError(
                    f"Processes: {type(self.communicator).__name__} is no communicator of mpi4py (it has no {name}); "
                    "pass MPI.COMM_WORLD, or nothing"
                )
        self.rank: int = self.communicator.Get_rank()
        self.size: int = self.communicator.Get_size()
        self.timeout: float = float(timeout)
        if self.size > 1:
            self._watch_ends()

    @property
    def leads(self) -> bool:
        """Whether this process writes files and shows the progress."""
        return self.rank == 0

    def __repr__(self) -> str:
        return f"Processes(rank {self.rank} of {self.size})"

    def __reduce__(self) -> Any:
        raise TypeError("Processes: a group belongs to its processes; it cannot be copied or pickled")

    # -- parts -------------------------------------------------------------------------------------------------

    def part(self, batch: Any) -> tuple[Any, int]:
        """This process's part of a batch, and how many of its examples count.

        The parts are equal but for one example.  Where a batch has fewer examples than there are processes, some get
        an example that does not count, so that each makes the same step.
        """
        return part_of(batch, self.rank, self.size)

    # -- communication -----------------------------------------------------------------------------------------

    def total(self, array: Array) -> Array:
        """The sum of an array over all processes, as a new array."""
        out = np.array(array, order="C")  # a copy, which MPI sums in place
        if self.size > 1:
            self.wait(self.start(out if out.shape else out.reshape(1)))
        return out

    def start(self, array: Array) -> Any:
        """Begin to replace an array, one run of memory, by its sum over all processes; ``wait`` ends it."""
        return self.communicator.Iallreduce(_in_place(), array)

    def any(self, flag: bool) -> bool:
        """Whether it is so in any of the processes."""
        return bool(flag) if self.size == 1 else bool(self.total(np.array([float(flag)]))[0])

    def broadcast(self, arrays: Iterable[Array]) -> None:
        """Overwrite arrays with those of the first process."""
        for array in arrays:
            if self.size > 1 and array.size:
                room = np.ascontiguousarray(array)
                self.wait(self.communicator.Ibcast(room.reshape(-1), root=0))
                array[...] = room

    def told(self, value: Any) -> Any:
        """A small value of the first process: numbers, strings, lists and dicts of them."""
        return value if self.size == 1 else self.communicator.bcast(value, root=0)

    def all(self, value: Any) -> list[Any]:
        """A small value of each process."""
        return [value] if self.size == 1 else list(self.communicator.allgather(value))

    def joined(self, array: Array) -> Array:
        """The arrays of all processes one after the other, along the first axis."""
        if self.size == 1:
            return array
        shapes = self.all((array.shape, array.dtype.str))
        if len({(shape[1:], dtype) for shape, dtype in shapes}) > 1:
            raise ValueError(f"Processes: arrays of different kinds cannot be joined: {shapes}")
        sizes = [int(np.prod(shape)) for shape, _ in shapes]
        out = np.empty((sum(shape[0] for shape, _ in shapes), *array.shape[1:]), array.dtype)
        places = [sum(sizes[:i]) for i in range(self.size)]
        kind = _datatype(array.dtype)
        self.wait(self.communicator.Iallgatherv([np.ascontiguousarray(array), kind], [out, (sizes, places), kind]))
        return out

    def wait(self, request: Any) -> None:
        """Until a communication is done; other processes of this machine may use the core meanwhile."""
        limit = None
        for turn in range(sys.maxsize):
            if request.Test():
                return
            if turn > SPINS:
                time.sleep(PAUSE)
            if turn % 1024 == SPINS:
                limit = limit or time.monotonic() + self.timeout
                if time.monotonic() > limit:
                    self._abandon()

    def _abandon(self) -> None:
        """End all processes, and name those that did not come."""
        here = [self.communicator.Isend(np.zeros(1), dest=other, tag=WAITING) for other in self._others()]
        present, until = {self.rank}, time.monotonic() + 2.0
        while time.monotonic() < until:
            for other in self._others():
                if self.communicator.Iprobe(source=other, tag=WAITING):
                    present.add(other)
            time.sleep(0.01)
        missing = [rank for rank in range(self.size) if rank not in present]
        del here
        self.end(
            f"rank {self.rank} of {self.size} has waited for {self.timeout:g} s for "
            f"{', '.join(f'rank {rank}' for rank in missing) or 'the others, which wait as well'}"
        )

    def _others(self) -> list[int]:
        return [rank for rank in range(self.size) if rank != self.rank]

    # -- agreement ---------------------------------------------------------------------------------------------

    def agree(self, who: str, facts: Mapping[str, str]) -> None:
        """Raise ValueError, in every process, if one of the facts differs between them."""
        every = self.all(dict(facts))
        for name in facts:
            values = [found.get(name) for found in every]
            if len(set(values)) > 1:
                other = next(i for i, value in enumerate(values) if value != values[0])
                raise ValueError(
                    f"{who}: the processes differ in {name}: rank 0 has {values[0]}, rank {other} has {values[other]}; "
                    "all run the same code on the same data"
                )

    # -- ends --------------------------------------------------------------------------------------------------

    def end(self, text: str, status: int = 1) -> NoReturn:
        """Print a text and end all processes at once."""
        with contextlib.suppress(OSError, ValueError):  # nobody reads it, or it is closed
            sys.stdout.flush()
            sys.stderr.write(text.rstrip() + "\n")  # as one: texts of other processes stand before it or after it
            sys.stderr.flush()
        _wait_for_readers()
        self.communicator.Abort(status)
        time.sleep(10.0)  # Abort may return before the end has come
        raise SystemExit(status)

    def _failed(self, error: BaseException) -> NoReturn:
        told = "".join(traceback.format_exception(error))
        self.end(f"{told}rank {self.rank} of {self.size} {_how(error)}; all processes end")

    def _watch_ends(self) -> None:
        """An exception that nobody catches ends all processes: MPI itself would wait for the one for ever."""
        usual = sys.excepthook

        def hook(kind: Any, error: BaseException, trace: Any) -> None:
            if threading.current_thread() is not threading.main_thread():
                usual(kind, error, trace)
                return
            told = io.StringIO()
            try:
                with contextlib.redirect_stderr(told):
                    usual(kind, error, trace)
            finally:
                self.end(f"{told.getvalue()}rank {self.rank} of {self.size} {_how(error)}; all processes end")

        sys.excepthook = hook

    @contextlib.contextmanager
    def together(self, *agreed: type[BaseException]) -> Iterator[None]:
        """What the block raises ends all processes, unless it is of a kind that all raise together."""
        try:
            yield
        except agreed:
            raise
        except BaseException as error:
            if self.size > 1:
                self._failed(error)
            raise


WAITING = 4711
"""The tag of the message by which a process that waits says that it is there."""


READING, PASSING = 5.0, 20
"""``mpiexec`` gets so many seconds to read what was printed, and so many turns to pass it on, before Abort ends it."""


def _wait_for_readers() -> None:
    """Wait until ``mpiexec`` has read what this process has printed: Abort would drop the rest.

    Turns, and not seconds, to pass it on, because they are longer where the machine is busy.
    """
    until = time.monotonic() + READING
    while (_is_unread(1) or _is_unread(2)) and time.monotonic() < until:
        time.sleep(0.005)
    for _ in range(PASSING):
        time.sleep(0.01)


def _is_unread(descriptor: int) -> bool:
    """Whether a pipe still holds something; False for what is none, and where the system does not say."""
    try:
        import fcntl  # not on Windows
        import termios

        return stat.S_ISFIFO(os.fstat(descriptor).st_mode) and any(fcntl.ioctl(descriptor, termios.FIONREAD, bytes(4)))
    except (ImportError, OSError):  # or it is closed
        return False


def _how(error: BaseException) -> str:
    return "was interrupted" if isinstance(error, KeyboardInterrupt) else f"failed: {type(error).__name__}"


def _world() -> Any:
    """All processes that were started."""
    try:
        from mpi4py import MPI
    except ModuleNotFoundError as error:
        raise ImportError(
            "Processes: mpi4py is missing: pip install 'pullback[mpi]' mpich, which brings MPICH; on a cluster build "
            "mpi4py with the MPI of the site"
        ) from error
    except (ImportError, RuntimeError) as error:
        raise ImportError(
            f"Processes: mpi4py cannot load an MPI library ({' '.join(str(error).split())}); pip install mpich brings "
            "one, on a cluster load the module of the one that mpi4py was built with, or name its file in MPI4PY_LIBMPI"
        ) from error
    if started() > 1 and MPI.COMM_WORLD.Get_size() == 1:
        raise ImportError(
            f"Processes: mpi4py sees one of {started()} processes: it loads another MPI than the one that started "
            "them, and each would train by itself; use the mpiexec beside the MPI that mpi4py loads (srun --mpi=list "
            "shows which ones Slurm knows)"
        )
    return MPI.COMM_WORLD


def _in_place() -> Any:
    from mpi4py import MPI

    return MPI.IN_PLACE


def _datatype(dtype: Any) -> Any:
    from mpi4py.util import dtlib

    return dtlib.from_numpy_dtype(dtype)


def started() -> int:
    """How many processes ``mpiexec`` or ``srun`` has started with this one; 1 without them."""
    found = next((os.environ[name] for name in STARTED if name in os.environ), "1")
    return int(found) if found.isdigit() else 1
