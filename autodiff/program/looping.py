"""A loop of a program as the text of a loop of Python."""

from __future__ import annotations

import linecache
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from .instruction import Instruction, Value
from .program import Program
from .source import literal
from .statements import Statements

WIDE = 110
"""A comment of more characters is cut."""


class Body(Statements):
    """The statements of one step: what is given has names, which are those of the loop around it."""

    def __init__(self, program: Program, outer: Any, given: dict[Value, str]) -> None:
        super().__init__(program, outer.names, {})
        self.program = program
        self.named |= given

    def lines(self) -> Iterator[str]:
        """The statements, under a comment with the user's line where that changes."""
        line = None
        instructions = list(self.program.instructions)
        statements = [*self.statements(instructions), *self.finish(self.program.results)]
        for errors, block in groupby(statements, key=lambda s: s[0].errors):
            if errors:
                yield f"with np.errstate({errors}):"
            for instruction, statement in block:
                indent = "    " if errors else ""
                if instruction.line != line and instruction.line is not None:
                    line = instruction.line
                    said = linecache.getline(line.file, line.number).strip()
                    if said and said != statement:
                        yield f"{indent}# {said if len(said) <= WIDE else said[: WIDE - 1] + '…'}"
                yield indent + statement

    def result(self, number: int) -> str:
        """An expression for one of the outputs."""
        output = self.program.outputs[number]
        return literal(self.text(output) if type(output) is Value else output)


def _tuple(parts: Sequence[str]) -> str:
    return f"({', '.join(parts)}{',' * (len(parts) == 1)})"


def _assigned(names: Sequence[str], values: Sequence[str]) -> list[str]:
    """The statement that gives names to values, without those that have them."""
    pairs = [(n, v) for n, v in zip(names, values, strict=True) if n != v]
    return [f"{', '.join(n for n, _ in pairs)} = {', '.join(v for _, v in pairs)}"] if pairs else []


def _over(names: list[str], arrays: list[str], count: int) -> str:
    """The head of a loop."""
    if not arrays:
        return f"for _ in range({count}):"
    of = arrays[0] if len(arrays) == 1 else f"zip({', '.join(arrays)}, strict=True)"
    return f"for {', '.join(names)} in {of}:"


def _stacks(names: Sequence[str], backwards: bool) -> list[str]:
    return [f"{name} = np.stack({name}{'[::-1]' * backwards})" for name in names]


def forward_text(loop: Any, instruction: Instruction, out: Any) -> str:
    """The loop as statements."""
    args = [literal(out.text(a) if type(a) is Value else a) for a in instruction.args]
    size, width, results = len(loop.carry), len(loop.slices), instruction.result
    program = loop.body.readable()
    carry = [out.names.fresh(value.name or "carry") for value in loop.carry]
    slices = [out.names.fresh(value.name or "x") for value in loop.slices]
    given = dict(zip([*loop.carry, *loop.slices, *loop.free], [*carry, *slices, *args[size + width :]], strict=True))
    body = Body(program, out, given)
    ys = [out.target(value, "y").text for value in results[size : size + len(loop.ys)]]
    lists = [*ys, *[out.target(results[-1], "saved").text] * bool(loop.kept)]
    backwards = "[::-1]" if loop.reverse else ""
    lines = [*_assigned(carry, args[:size]), *[f"{name} = []" for name in lists]]
    lines.append(_over(slices, [f"{a}{backwards}" for a in args[size : size + width]], loop.count))
    inside = list(body.lines())
    inside += [f"{name}.append({body.result(size + n)})" for n, name in enumerate(ys)]
    if loop.kept:
        kept = [body.result(size + len(ys) + n) for n in range(len(loop.kept))]
        inside.append(f"{lists[-1]}.append({_tuple(kept)})")
    inside += _assigned(carry, [body.result(n) for n in range(size)])
    out.named.update(zip(results[:size], carry, strict=True))
    return "\n".join([*lines, *[f"    {line}" for line in inside or ["pass"]], *_stacks(ys, loop.reverse)])


def repeat_text(loop: Any, instruction: Instruction, out: Any) -> str:
    """A while loop as statements."""
    args = [literal(out.text(a) if type(a) is Value else a) for a in instruction.args]
    size, results = len(loop.carry), instruction.result
    carry = [out.names.fresh(value.name or "carry") for value in loop.carry]
    given = dict(zip([*loop.carry, *loop.free], [*carry, *args[size:]], strict=True))
    test, body = (Body(program.readable(), out, given) for program in (loop.test, loop.body))
    saved = out.target(results[-1], "saved").text if loop.has_back else ""
    lines = [*_assigned(carry, args[:size]), *[f"{saved} = []"] * bool(saved)]
    first = list(test.lines())
    steps = out.names.fresh("step") if loop.most is not None else ""
    if steps:
        lines.append(f"for {steps} in range({loop.most[0] + 1}):")
    else:
        lines.append("while True:" if first else f"while {test.result(0)}:")
    inside = [*first, f"if not {test.result(0)}:", "    break"] if first or steps else []
    inside += [f"assert {steps} < {loop.most[0]}, {loop.most[1]!r}"] if steps else []
    inside += body.lines()
    if saved:
        inside.append(f"{saved}.append({_tuple([body.result(size + n) for n in range(len(loop.kept))])})")
    inside += _assigned(carry, [body.result(n) for n in range(size)])
    out.named.update(zip(results[:size], carry, strict=True))
    return "\n".join([*lines, *[f"    {line}" for line in inside or ["pass"]]])


def backward_text(back: Any, instruction: Instruction, out: Any) -> str:
    """The loop back as statements."""
    loop, results = back.loop, instruction.result
    args = [literal(out.text(a) if type(a) is Value else a) for a in instruction.args]
    size, width = len(back.carry), len(back.gys)
    program = back.body.readable()
    carry = [out.names.fresh(value.name or "g") for value in results[:size]]
    gys = [out.names.fresh("gy") for _ in back.gys]
    places = {back.loop.kept[n]: v for n, v in zip(back.places, back.used, strict=True)}
    kept = [out.names.fresh(value.name or "t") if value in places else "_" for value in loop.kept]
    used = {places[value]: name for value, name in zip(loop.kept, kept, strict=True) if value in places}
    given = dict(zip([*back.carry, *back.gys], [*carry, *gys], strict=True)) | used
    given |= dict(zip(back.free, args[size + width + 1 :], strict=True))
    body = Body(program, out, given)
    dxs = [out.target(value, "dx").text for value in results[size:]]
    lines = [*_assigned(carry, args[:size]), *[f"{name} = []" for name in dxs]]
    arrays = [a if loop.reverse else f"{a}[::-1]" for a in args[size : size + width]]
    by_saved = bool(used) or not loop.is_counted
    pattern = [_tuple(kept) if used else "_"] * by_saved
    saved = [f"{args[size + width]}[::-1]"] * by_saved
    lines.append(_over([*gys, *pattern], [*arrays, *saved], loop.count))
    inside = list(body.lines())
    inside += [f"{name}.append({body.result(size + n)})" for n, name in enumerate(dxs)]
    inside += _assigned(carry, [body.result(n) for n in range(size)])
    out.named.update(zip(results[:size], carry, strict=True))
    return "\n".join([*lines, *[f"    {line}" for line in inside or ["pass"]], *_stacks(dxs, not loop.reverse)])
