"""A whole program as a library of C with a header: a trained model, or a gradient, without Python and without BLAS."""

from __future__ import annotations

import os
import re
import sys
from typing import TYPE_CHECKING, Any

import numpy as np

from ...files import write
from ..backends import C
from ..instruction import Value
from ..naming import Names
from ..passes import direct
from .elements import TYPES, number
from .fuse import Fusion
from .prelude import prelude
from .region import Region
from .storage import is_array
from .words import WORDS

if TYPE_CHECKING:
    from ..program import Program


def save_library(program: Program, path: str | os.PathLike[str]) -> None:
    """Write ``path``, which ends in ``.c``, and the header beside it."""
    target = os.fspath(path)
    source, header = library_of(program, os.path.splitext(os.path.basename(target))[0])
    write(target, source)
    write(f"{os.path.splitext(target)[0]}.h", header)


def library_of(program: Program, name: str) -> tuple[str, str]:
    """The texts of the source and of the header; the function has the file's name.

    What the program reads in its places, the parameters of a model, is a part of the source.  Raises ValueError if
    something of the program is not for C alone.
    """
    name = Names(set(WORDS)).fresh(name)
    run = direct(program)
    if run.writes:
        raise ValueError(
            f"save: {program.name} leaves something in {run.writes[0].places[0].path}, where C has no place; save its "
            "forward pass, or its gradient: a function of arrays that returns what it computes"
        )
    outputs = list(dict.fromkeys(o for o in run.outputs if type(o) is Value))
    fusion = Fusion(run, C, limit=sys.maxsize)
    own = {v for i in run.instructions for v in i.results if v in fusion.places and fusion.places[v].base is v}
    written = {fusion.places[v].base for i in run.instructions for v in i.writes if v in fusion.places}
    if not own.issuperset(run.outputs) or not own.issuperset(written):
        raise ValueError(
            f"save: {program.name} returns, or writes into, what it was given, or a view of what it has made; return a "
            "copy, np.copy(x)"
        )
    return _texts(program, name, run, _only_region(fusion), outputs)


def _only_region(fusion: Fusion) -> Region:
    """The region that is the whole program; ValueError if NumPy must do something."""
    others = [i for i in fusion.instructions if not isinstance(i.function, Region)]
    if others:
        other = others[0]
        called = getattr(other.function, "__name__", str(other.function))
        where = f" at {other.line.file}:{other.line.number}" if other.line else ""
        raise ValueError(
            f"save: C has no words for {called}{where} of these arrays; write it with functions that it has"
        )
    return fusion.regions[0]


def _texts(program: Program, name: str, run: Program, region: Region, outputs: list[Value]) -> tuple[str, str]:
    names = Names({*WORDS, name, region.__name__})
    given = {v: names.fresh(v.name or "x") for v in run.inputs}
    made = {v: names.fresh("result" if len(outputs) == 1 else f"result{n}") for n, v in enumerate(outputs)}
    held = {slot.value: slot.places[0].read() for slot in run.reads}
    large = [v for v in run.constants if v in region.names and any(run.constants[v] is c for c in region.constants)]
    data = {v: (f"data_{names.fresh(region.names[v])}", held[v] if v in held else run.constants[v])
            for v in [*region.operands, *large] if v not in given}  # fmt: skip
    arguments = [given[v] if v in given else data[v][0] for v in [*region.operands, *large]]
    arguments += [made[v] for v in region.results]
    parameters = [_declared(v, word, const=True) for v, word in given.items()]
    parameters += [_declared(v, word, const=False) for v, word in made.items()]
    signature = f"int {name}({', '.join(parameters)})"
    room = [f"    static _Thread_local _Alignas(64) char room[{region.storage.size}];"] * bool(region.storage.size)
    body = f"    return {region.__name__}({', '.join([*arguments, *['room'] * bool(room)])});"
    unused = [f"    (void){word};" for v, word in given.items() if v not in region.operands]
    source = "\n".join([
        f'#include "{name}.h"', "", prelude(region.text), *[_data(v, word, array) for v, (word, array) in data.items()],
        f"static {region.text}", f"{signature} {{", *room, *unused, body, "}", "",
    ])  # fmt: skip
    return source, _header(program, name, signature, {**given, **made})


def _declared(value: Value, word: str, *, const: bool) -> str:
    if not is_array(value) and const:
        return f"double {word}"
    return f"{'const ' * const}{TYPES[value.dtype]} *{word}"


def _data(value: Value, word: str, held: Any) -> str:
    """What the program reads, as a constant."""
    if not is_array(value):
        return f"static const double {word} = {number(float(held), np.dtype(float))};"
    order = sorted(range(held.ndim), key=lambda axis: -held.strides[axis])
    numbers = [number(x, value.dtype) for x in held.transpose(order).ravel().tolist()]
    rows = [", ".join(numbers[n : n + 8]) for n in range(0, len(numbers), 8)]
    text = ",\n    ".join(rows)
    return f"static const {TYPES[value.dtype]} {word}[{max(held.size, 1)}] = {{\n    {text}}};"


def _header(program: Program, name: str, signature: str, values: dict[Value, str]) -> str:
    guard = re.sub(r"\W", "_", f"{name}_h").upper()
    said = [f"   {word}: {_described(value)}" for value, word in values.items()]
    return "\n".join([
        f"#ifndef {guard}", f"#define {guard}", "", "#include <stdint.h>", "",
        f"/* {program.name}, recorded by pullback.  Arrays lie in C's order; the results are written.",
        *said,
        "   Returns 0; -1 for an index out of bounds; else the number of the check that failed: what was recorded does",
        "   not hold for these arguments. */",
        f"{signature};", "", "#endif", "",
    ])  # fmt: skip


def _described(value: Value) -> str:
    return f"{TYPES[value.dtype]}{''.join(f'[{n}]' for n in value.shape)}"
