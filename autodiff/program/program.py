"""A program: what a function computed, as a list of NumPy calls that can be run again, read, and saved."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..collector import rarely
from ..files import write
from ..tensor import Tensor
from ..tree import flatten_like, places
from .backends import AUTO, NUMPY, check_backend
from .exporting import imported
from .fitting import quick_look
from .instruction import UPDATE, Guard, Instruction, Value
from .listing import text_of
from .passes import cleaned, direct, fixed, plain
from .passes.buffers import Plan, planned
from .recorded import CaptureError, Recorded
from .replay import Replay
from .scalars import LevelReplay, replay_of
from .slot import Slot
from .summary import LONG, summary_of

if TYPE_CHECKING:
    from .jax import JaxFunction

Array = Any
_PYTHONS = (float, complex)


class Memory(NamedTuple):
    """Bytes of arrays: of a run, and of the calls one by one."""

    run: int
    calls: int


class Program:
    """What a function did with arguments of these shapes, as NumPy calls.

    Made by :func:`.capture`.  ``program(*args)`` runs it on other arrays of the same shapes and dtypes and gives what
    the function would, to the last bit; ``print(program)`` is the text of a NumPy function that needs nothing else.
    Raises ValueError for arguments of another nesting, shape or dtype, PathError where a value that decided something
    is another one.

    >>> import numpy as np
    >>> from autodiff import capture, grad
    >>> program = capture(grad(lambda x: np.sum(x**2)), np.ones(3))
    >>> program(np.array([1.0, 2.0, 3.0])).tolist()
    [2.0, 4.0, 6.0]
    """

    def __init__(
        self,
        name: str,
        arguments: tuple[Any, ...],
        inputs: Sequence[Value],
        reads: Sequence[Slot],
        writes: Sequence[Slot],
        constants: dict[Value, Array],
        instructions: Sequence[Instruction],
        outputs: Sequence[Any],
        unflatten: Callable[[list[Any]], Any],
        checks: Sequence[Slot] = (),
        parameters: Sequence[str] = (),
        backend: str = NUMPY,
    ) -> None:
        self.name: str = name
        self.arguments: tuple[Any, ...] = arguments
        self.inputs: tuple[Value, ...] = tuple(inputs)
        self.reads: tuple[Slot, ...] = tuple(reads)
        self.writes: tuple[Slot, ...] = tuple(writes)
        self.constants: dict[Value, Array] = dict(constants)
        self.instructions: tuple[Instruction, ...] = tuple(instructions)
        self.outputs: tuple[Any, ...] = tuple(outputs)
        self.nested: Callable[[list[Any]], Any] = unflatten
        """The result, from its leaves."""
        self.checks: tuple[Slot, ...] = tuple(checks)
        """Numbers that must be what they were: they decided something."""
        self.parameters: tuple[str, ...] = tuple(parameters)
        """The names of the arguments."""
        self.backend: str = backend
        """What it runs in: see :meth:`compiled`."""
        self._replay: Replay | LevelReplay | None = None

    def __copy__(self) -> Program:
        return self

    def __deepcopy__(self, memo: Any) -> Program:
        return self  # it reads and writes places, of which a copy would know nothing

    def __reduce__(self) -> Any:
        raise TypeError(f"copy: the program {self.name} is bound to this process; save its text, program.save(path)")

    def with_instructions(
        self,
        instructions: Sequence[Instruction],
        change: Callable[[Value], Value] = lambda value: value,
        reads: Sequence[Slot] | None = None,
        checks: Sequence[Slot] | None = None,
    ) -> Program:
        """What a pass makes: the same program of other instructions, where other values may stand for the results."""
        outputs = [change(o) if type(o) is Value else o for o in self.outputs]
        writes = [s._replace(value=change(s.value)) if type(s.value) is Value else s for s in self.writes]
        reads, checks = self.reads if reads is None else reads, self.checks if checks is None else checks
        return Program(
            self.name, self.arguments, self.inputs, reads, writes, self.constants, instructions, outputs, self.nested,
            checks, self.parameters, self.backend,
        )  # fmt: skip

    def compiled(self, backend: str = AUTO) -> Program:
        """The same program, whose calls C makes where it can: ``"c"``, or ``"auto"``, where that is faster, too.

        Runs of elementwise calls, reductions and small products become loops of one C function, which the system's
        compiler makes at the first run.  Sums, products and functions such as exp differ in the last bits (4 units in
        the last place); other arithmetic gives the same bits.  NumPy's warnings are not given.  What C has no words
        for stays with NumPy; so does everything, with a warning, where nothing can be compiled.

        >>> import numpy as np
        >>> from autodiff import capture
        >>> program = capture(lambda x: np.sum(np.tanh(x) ** 2), np.ones(3)).compiled("c")
        >>> round(float(program(np.array([0.0, 1.0, 2.0]))), 12)
        1.509374833533
        """
        check_backend(backend)
        found = self.with_instructions(self.instructions)
        found.backend = backend
        return found

    def fused(self) -> Program:
        """The program as it is run by its backend: what C makes at once is one call."""
        from .c.fuse import Fusion

        found = direct(self)
        return found.with_instructions(Fusion(found, self.backend).instructions)

    @property
    def c_source(self) -> str:
        """The text of C for what C can compute of the program, as one function for each run of calls."""
        from .c.fuse import source

        return source(direct(self))

    @property
    def results(self) -> set[Value]:
        """The values that must be known at the end: what is returned, and what is left in the places."""
        return {o for o in self.outputs if type(o) is Value} | {
            slot.value for slot in self.writes if type(slot.value) is Value
        }

    @property
    def given_values(self) -> tuple[Value, ...]:
        """The values that are there before the first call: the arguments, and what is read in places."""
        return (*self.inputs, *[slot.value for slot in self.reads])

    @property
    def updates(self) -> bool:
        """Whether it changes anything after a backward pass, or in place of one."""
        left = {slot.value for slot in self.writes if type(slot.value) is Value}
        return any(i.phase == UPDATE and (i.writes or not left.isdisjoint(i.results)) for i in self.instructions)

    # -- running ---------------------------------------------------------------------------------------------

    def __call__(self, *args: Any) -> Any:
        """The result for other arguments, and what the function would leave in the places that it reaches."""
        replay = self._replay
        if replay is None:
            replay = self._replay = replay_of(self, self.backend)
        return self.nested(replay(args if self._fits(args) else self._given(args)))

    @functools.cached_property
    def _fits(self) -> Callable[[tuple[Any, ...]], bool]:
        return quick_look(self.inputs) if self.arguments == self.inputs else lambda args: False

    def _given(self, args: tuple[Any, ...]) -> Sequence[Any]:
        """The arrays of a call, in the order of ``inputs``; an error if it does not fit."""
        return self.given(args, self._fitted)

    def given(self, args: tuple[Any, ...], fitted: Callable[[Any, Value, int], Any]) -> Sequence[Any]:
        """The arrays of a call, in the order of ``inputs``, each by ``fitted(array, value, position)``."""
        if len(args) != len(self.arguments):
            raise ValueError(f"{self.name}: the program takes {len(self.arguments)} arguments, got {len(args)}")
        if self.arguments == self.inputs:  # nothing is nested
            return [
                fitted(array, value, position)
                for position, (array, value) in enumerate(zip(args, self.inputs, strict=True))
            ]
        given = flatten_like(args, self.arguments, self.name)
        leaves = flatten_like(self.arguments, self.arguments, self.name)
        found = []
        for position, (value, leaf) in enumerate(zip(given, leaves, strict=True)):
            if type(leaf) is Value:
                found.append(fitted(value, leaf, position))
            elif value is not leaf and not _equal(value, leaf):
                raise ValueError(
                    f"{self.name}: argument {places(self.arguments)[position]} is {value!r:.40}, and was {leaf!r:.40} "
                    "when the program was captured; only floating-point numbers and arrays may change"
                )
        return found

    def _fitted(self, value: Any, leaf: Value, position: int) -> Any:
        """A leaf of the arguments as the program takes it."""
        kind: Any = type(value)
        if kind is np.ndarray and leaf.kind is np.ndarray and value.shape == leaf.shape and value.dtype is leaf.dtype:
            return value  # nearly always
        if leaf.kind is np.ndarray and kind is np.memmap:
            value, kind = value.view(np.ndarray), np.ndarray
        if kind is leaf.kind and (kind in _PYTHONS or (value.shape == leaf.shape and value.dtype == leaf.dtype)):
            return value
        if leaf.kind is not np.ndarray and kind is int:
            return leaf.kind(value)
        where = places(self.arguments)[position]
        if kind is Recorded:
            raise CaptureError(
                f"{self.name}: a program is called in a function that is being captured; call the function there that "
                "the program was made of"
            )
        if isinstance(value, Tensor):
            raise ValueError(f"{self.name}: argument {where} is a Tensor; a program computes on arrays: pass t.data")
        have = f"shape {np.shape(value)} and is {getattr(value, 'dtype', kind.__name__)}"
        raise ValueError(
            f"{self.name}: argument {where} has {have}; the program was captured for shape {leaf.shape}, "
            f"{leaf.dtype}{'' if leaf.kind is np.ndarray else f', a {leaf.kind.__name__}'}: capture it again for this"
        )

    @property
    def memory(self) -> Memory:
        """The bytes that a run keeps at once, and those that the function would have allocated."""
        with rarely():
            return memory_of(direct(self))

    def plan(self) -> Plan:
        """In which buffers the results of a run lie."""
        return planned(direct(self))

    # -- reading ---------------------------------------------------------------------------------------------

    def readable(self) -> Program:
        """The same program with its calls as one writes them by hand."""
        return plain(fixed(cleaned(self)))

    def source(self) -> str:
        """The text of a NumPy function that computes the same to the last bit, and runs without this library.

        It takes the arguments, and by keyword what the program reads in the places that the function reaches; what is
        left in such places is returned after the result, by path.
        """
        with rarely():
            return text_of(self.readable())

    def __str__(self) -> str:
        if len(self.instructions) > LONG:
            return summary_of(self)
        try:
            return self.source()
        except ValueError as error:  # to print must not fail
            return f"{summary_of(self)}\n{error}\n"

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the text to a file, whole or not at all: NumPy's, or C's if the name ends in ``.c``.

        A file of C is a library without Python, with a header beside it: ``save("model.c")`` writes ``model.h``, too.
        Parameters that the program reads are a part of it, arguments and results are arrays in C's order.  Raises
        ValueError if C lacks something, or if the program changes a state.
        """
        if os.fspath(path).endswith(".c"):
            from .c.export import save_library
            from .unrolling import unrolled

            save_library(unrolled(self), path)
            return
        write(path, self.source())

    # -- for other libraries ---------------------------------------------------------------------------------

    def to_jax(self, check: str = "nan") -> JaxFunction:
        """The program as a function of ``jax.numpy``: the same values under ``jax.jit``, on any device that XLA has.

        The arguments are those of the program.  What the program reads in the places that the function reaches, the
        parameters of a model and the state of an optimizer, is an argument and a result:
        ``result, state = f(*args, state=state)``, where ``f.state`` is what is there now, by path, and ``f.put(state)``
        puts a state back.  Options of layers and numbers that decided something are as they were recorded.

        Where a value decided something, or an index is out of bounds, and it is not as it was when the program was
        recorded, all floating-point results and state are NaN.  With ``check="return"`` they are not touched, and an
        array of booleans is returned last, one for each text in ``f.guards``.  Arrays of double precision need JAX's
        option ``jax_enable_x64``; without it, they are an ExportError, and whole numbers are of 32 bits.  Needs the
        extra ``jax``.

        >>> import numpy as np
        >>> from autodiff import capture, grad
        >>> f = capture(grad(lambda x: np.sum(x**3)), np.ones(2, np.float32)).to_jax()
        >>> import jax
        >>> jax.jit(f)(np.array([1.0, 2.0], np.float32)).tolist()
        [3.0, 12.0]
        """
        if check not in ("nan", "return"):
            raise ValueError(f"to_jax: check is {check!r}; it must be 'nan' or 'return'")
        imported("jax", "to_jax")
        from .jax import converted

        return converted(self, check)

    def to_onnx(self, other: Program | None = None, *, batch: str = "batch", check: str = "nan") -> Any:
        """The program of a forward pass as an ``onnx.ModelProto``, checked by ONNX's checker.

        The inputs have the names of the arguments.  Parameters, and other arrays that the function reaches, are
        initializers named by their paths, as they are now.  Shapes are fixed, unless ``other`` is a program of the same
        function for another number of examples: sizes in which the two differ are then the free axis ``batch``.  Where
        a value decided something and it is not as it was recorded, floating-point outputs are NaN; with
        ``check="return"`` they are not touched, and the output ``holds`` has a boolean for each guard.  Raises
        ExportError for a draw, for what writes state, as a training step does, and for what ONNX does not have.  Needs
        the extra ``onnx``.

        >>> import numpy as np
        >>> from autodiff import capture
        >>> def f(x):
        ...     return np.tanh(x) * 2.0
        >>> one, other = capture(f, np.ones((2, 3))), capture(f, np.ones((4, 3)))
        >>> model = one.to_onnx(other)
        >>> [node.op_type for node in model.graph.node]
        ['Tanh', 'Mul', 'Identity']
        >>> [axis.dim_param or axis.dim_value for axis in model.graph.input[0].type.tensor_type.shape.dim]
        ['batch', 3]
        """
        if check not in ("nan", "return"):
            raise ValueError(f"to_onnx: check is {check!r}; it must be 'nan' or 'return'")
        imported("onnx", "to_onnx")
        from .onnx import converted
        from .unrolling import unrolled

        return converted(unrolled(self), other and unrolled(other), batch, check)

    def __repr__(self) -> str:
        guards = sum(isinstance(i.function, Guard) for i in self.instructions)
        return (
            f"<program {self.name}: {len(self.inputs)} inputs, {len(self.instructions)} instructions, "
            f"{guards} guards, {len(self.outputs)} outputs>"
        )


def memory_of(program: Program) -> Memory:
    """The bytes of a program whose calls are made directly."""
    made = [v for i in program.instructions if not i.writes for v in i.results if v.kind is np.ndarray]
    plan = planned(program)
    kept = sum(value.nbytes for value in made if value not in plan.of)
    return Memory(kept + sum(b.nbytes for b in plan.buffers), sum(value.nbytes for value in made))


def _equal(one: Any, other: Any) -> bool:
    try:
        return type(one) is type(other) and bool(one == other)
    except Exception:  # what cannot be compared is another one
        return False
