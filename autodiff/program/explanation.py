"""What a recorded function does, in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from ..collector import rarely
from .instruction import Guard
from .passes import direct
from .path import Path, Signature
from .program import memory_of
from .slot import Slot

MANY = 8
"""Names in a row."""


def explained(name: str, signatures: Iterable[Signature], aside: Counter[str]) -> str:
    """What was recorded for which arguments, what is checked before and in each run, and what was not recorded."""
    signatures = list(signatures)
    lines = [f"{name}: {_count(len(signatures), 'signature')}"]
    for signature in signatures:
        lines.append(f"  {signature.text}")
        for number, path in enumerate(reversed(signature.paths), 1):
            lines += [f"    {line}" for line in _of_path(number, path)]
        if signature.refusal:
            lines.append(f"    not recorded: {signature.refusal}")
        lines += [f"    {_count(n, 'call')} of the function itself: {why}" for why, n in signature.passed.items()]
    lines += [f"  {_count(n, 'call')} of the function itself: {why}" for why, n in aside.items()]
    return "\n".join(lines)


def _of_path(number: int, path: Path) -> Iterator[str]:
    """The lines about one program."""
    with rarely():
        program = direct(path.program)
        memory = memory_of(program)
    yield (
        f"way {number}: {_count(len(program.instructions), 'instruction')}, {_count(path.calls, 'call')}, "
        f"{memory.run:,} bytes"
    )
    if path.replay.calls_in_c:
        yield f"  in C: {_count(path.replay.calls_in_c, 'instruction')}"
    guards = [i.function for i in program.instructions if isinstance(i.function, Guard)]
    decided = Counter(guard.described() for guard in guards if guard.read != "NaN")
    for described, count in decided.items():
        yield f"  checked in each run: {described}{f' ({count} times)' if count > 1 else ''}"
    gradients = sum(guard.read == "NaN" for guard in guards)
    if gradients:
        yield f"  checked in each run: {_count(gradients, 'gradient')} without NaN"
    yield from _named("read where it is", [_path_of(s) for s in program.reads if s not in program.checks])
    yield from _named("must be what it was", [f"{_path_of(s)} = {s.initial!r:.40}" for s in program.checks])
    yield from _named("written where it is", [_path_of(s) for s in program.writes])
    yield from _named("compared before each run", [name or "the function" for name in path.surroundings.names])


def _named(what: str, names: list[str]) -> Iterator[str]:
    """A line with names; of many, the first ones."""
    names = list(dict.fromkeys(names))
    if names:
        rest = f" and {len(names) - MANY} more" if len(names) > MANY else ""
        yield f"  {what}: {', '.join(names[:MANY])}{rest}"


def _path_of(slot: Slot) -> str:
    return slot.places[0].path


def _count(n: int, what: str) -> str:
    return f"{n:,} {what}{'s' * (n != 1)}"
