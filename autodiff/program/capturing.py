"""Capture: run a function once on recorded arrays, and keep what it did."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ..collector import rarely
from ..graph import CONSTANT
from ..tensor import Tensor, wrap
from ..transforms.calling import check_function, teach
from ..tree import flatten, places
from . import exclusion
from .instruction import EMPTY, Value
from .places import Place, Reach
from .program import Program
from .reach import reached
from .recorded import CaptureError, Recorded
from .recording import Recording, being_recorded
from .rolling import check_scopes
from .slot import Slot
from .state import NO_VALUE, State
from .surroundings import Snapshot

Array = Any
_PLAIN = (str, bytes, bool, int, float, complex, type(None), np.generic)


def capture(f: Callable[..., Any], *args: Any) -> Program:
    """What ``f(*args)`` does, as a :class:`.Program` of NumPy calls.

    ``f`` is run once.  It may be any function of arrays: plain NumPy, ``grad(g)``, ``vmap(grad(g))``, ``hessian(g)``,
    a training step that calls ``loss.backward()`` and ``optimizer.step()``.  Floating-point numbers and arrays among
    the arguments, in nestings too, may be others when the program runs; any other argument is a part of the program.
    So may be what ``f`` reaches: variables and their gradients, arrays that it closes over, what an optimizer holds;
    the program reads it where it is, and writes where ``f`` has written.  Draws from a ``np.random.Generator`` are
    drawn again.  Raises CaptureError where a value leaves NumPy.

    >>> import numpy as np
    >>> from autodiff import capture, grad
    >>> program = capture(grad(lambda x: np.sum(x**3)), np.ones(2))
    >>> program(np.array([1.0, 2.0])).tolist()
    [3.0, 12.0]
    """
    check_function(f, "capture")
    with exclusion.recording():
        call = Call(f, args)
        try:
            made = call.record()
            return (_made_again(f, args, made) or made).program
        except KeyboardInterrupt:  # while it is recorded, a step of an optimizer is no unit
            call.take_back()
            raise


class Record(NamedTuple):
    """What was captured, what the call returned, and what is behind the function."""

    program: Program
    returned: Any
    reach: Reach
    tensors: tuple[bool, ...]
    """Which parts of the result were Tensors."""


def _made_again(f: Callable[..., Any], args: tuple[Any, ...], made: Record) -> Record | None:
    """What the next call does, if this one has made a state, as the first step of an optimizer; else None.

    The next call is taken back.
    """
    made_here = [slot.places[0].path for slot in made.program.checks if slot.initial is EMPTY]
    if all(path.endswith(".grad") for path in made_here):
        return None
    call = Call(f, args)
    try:
        again = call.record()
    except Exception:  # which the next call will raise, too
        return None
    finally:
        call.take_back()
    return None if any(slot.initial is EMPTY for slot in again.program.checks) else again


class Call:
    """A call of a function, which can be recorded, and taken back; one is made inside of ``exclusion.recording()``."""

    def __init__(self, f: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any] | None = None) -> None:
        self._function, self._args, self._keywords = f, args, kwargs or {}
        self._leaves, self._unflatten = flatten((args, self._keywords))
        self._others = _others(self._leaves)
        self._roots = [("", f), ("", self._others)]
        self._reach = reached(self._roots)
        self._before = Snapshot(self._reach, self._leaves)

    def take_back(self) -> None:
        """Make everything that the call can have changed what it was before."""
        self._before.restore()

    def record(self) -> Record:
        """Call the function and keep what it did; keywords are a part of the program's arguments."""
        f, args, kwargs, unflatten = self._function, self._args, self._keywords, self._unflatten
        recording = Recording(Call.record.__code__)
        parameters = _parameters(f, args)
        names = _names(parameters, args) + [word for name in kwargs for word in [name] * len(flatten(kwargs[name])[0])]
        inputs = [_input(leaf, name, recording) for leaf, name in zip(self._leaves, names, strict=True)]
        state = State(self._roots, recording, self._reach)
        try:
            with rarely(), being_recorded(recording), state:
                given, by_name = unflatten([self._others.get(n, x) for n, x in enumerate(inputs)])
                returned = f(*given, **by_name)
                if recording.failed:
                    raise CaptureError(
                        f"capture: an error was caught ({recording.failed:.60}), and a program does not decide by "
                        "errors; look at the values first, with np.where or an if"
                    )
                outputs, rebuild = flatten(returned)
                found = [_output(o, recording) for o in outputs]
            for leaf in found:
                _check_result(leaf)
            check_scopes(recording)
        except Exception as error:
            teach(error)
            raise
        arguments = unflatten([leaf.value if type(leaf) is Recorded else leaf for leaf in inputs])
        program = Program(
            _name(f), (*arguments[0], arguments[1]) if kwargs else arguments[0],
            [i.value for i in inputs if type(i) is Recorded], state.inputs, state.outputs,
            recording.copied_constants(), recording.instructions, found, rebuild, [*state.checks, *_around(recording)],
            parameters,
        )  # fmt: skip
        tensors = tuple(isinstance(o, Tensor) for o in outputs)
        given_as = {id(i.held): leaf for i, leaf in zip(inputs, self._leaves, strict=True) if type(i) is Recorded}
        return Record(program, rebuild([_plain(o, given_as) for o in outputs]), state.reach, tensors)


def _around(recording: Recording) -> list[Slot]:
    """What NumPy does about floating-point errors around the function, if a part of it counts inside of a block."""
    if not recording.errors.depends:
        return []
    return [Slot(NO_VALUE, [Place("np.geterr()", np.geterr, lambda _: None)], recording.errors.around)]


def _plain(leaf: Any, given_as: dict[int, Any]) -> Any:
    """A part of the result as the function itself would have returned it, without a history; an argument as itself."""
    value = leaf._value if isinstance(leaf, Tensor) else leaf
    if type(value) is Recorded:
        held = given_as.get(id(value.held), value.held)
        value = held.view(np.ndarray) if isinstance(held, np.ndarray) and held is value.held else held
    return wrap(value, CONSTANT) if isinstance(leaf, Tensor) else value


def without_graph(returned: Any) -> Any:
    """What a function has returned, as a program returns it: a Tensor has no history."""
    leaves, rebuild = flatten(returned)
    return (
        rebuild([_plain(leaf, {}) for leaf in leaves]) if any(isinstance(leaf, Tensor) for leaf in leaves) else returned
    )


def _others(leaves: list[Any]) -> dict[int, Any]:
    """The arguments that are no arrays, by position: what is behind them is reached, too."""
    return {i: leaf for i, leaf in enumerate(leaves) if not isinstance(leaf, np.ndarray | float | complex | np.inexact)}


def _input(leaf: Any, name: str, recording: Recording) -> Any:
    if isinstance(leaf, np.ndarray) and (leaf.dtype.kind == "O" or type(leaf) not in (np.ndarray, np.memmap)):
        what = "an array of objects" if leaf.dtype.kind == "O" else f"a {type(leaf).__name__}"
        raise CaptureError(f"capture: the argument {name} is {what}; a program computes on plain arrays of numbers")
    if isinstance(leaf, np.ndarray) and leaf.dtype.kind in "fciub":
        return recording.new(leaf.view(np.ndarray), name)
    if isinstance(leaf, float | complex | np.inexact):
        return recording.new(leaf, name)
    if isinstance(leaf, Recorded):
        raise CaptureError(
            f"capture: the argument {name} is being recorded already, by another capture: capture the outer function"
        )
    if isinstance(leaf, Tensor):
        raise CaptureError(
            f"capture: the argument {name} is a Tensor; pass its array, {name}.data: a program computes on arrays. A "
            "variable that the function closes over is found by itself"
        )
    return leaf


def _output(leaf: Any, recording: Recording) -> Any:
    """A part of the result: a value of the program, or a constant."""
    value = leaf._value if isinstance(leaf, Tensor) else leaf
    if isinstance(value, np.ndarray):
        value = recording.constant(value)
    return value.value if type(value) is Recorded else value


def _check_result(leaf: Any) -> None:
    """Raise CaptureError if a part of the result would be the same in each run, and should not."""
    if inspect.iscoroutine(leaf):
        leaf.close()  # nobody will wait for it
    if any(hasattr(leaf, name) for name in ("__next__", "__anext__", "__await__")) or (
        type(leaf) is not Value
        and not isinstance(leaf, _PLAIN)
        and any(type(place.now) is Recorded for place in reached([("", leaf)]).places)
    ):
        raise CaptureError(
            f"capture: the function returns a {type(leaf).__name__}, into which a program cannot look; return arrays, "
            "in tuples, lists and dictionaries"
        )


def _name(f: Any) -> str:
    name = getattr(f, "__name__", "")
    return name if name.isidentifier() and not name.startswith("<") else "program"


def _parameters(f: Any, args: tuple[Any, ...]) -> list[str]:
    """A name for each argument: that of the parameter."""
    try:
        parameters = list(inspect.signature(f).parameters.values())
    except (TypeError, ValueError):
        parameters = []
    found = []
    for i in range(len(args)):
        positional = i < len(parameters) and parameters[i].kind in (
            inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD,
        )  # fmt: skip
        found.append(parameters[i].name if positional else f"x{i}" if len(args) > 1 else "x")
    return found


def _names(parameters: list[str], args: tuple[Any, ...]) -> list[str]:
    """A name for each leaf of the arguments: the parameter's, and its place in it."""
    found = []
    for name, argument in zip(parameters, args, strict=True):
        for place in places(argument):
            words = re.findall(r"\w+", place)
            last = words[-1] if words else ""
            found.append(last if last and not last.isdigit() else name + last)
    return found
