"""Random generators as data: the class of the bit generator, its state, and from what it was seeded."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.random import Generator, SeedSequence

KINDS = {name: getattr(np.random, name) for name in ("MT19937", "PCG64", "PCG64DXSM", "Philox", "SFC64")}
"""The bit generators of NumPy."""
_LARGEST_POOL = 1024
_LARGEST = {"pos": 624, "buffer_pos": 4, "has_uint32": 1}
"""Numbers of a state that are places in its arrays, which NumPy does not check."""


def described(generator: Generator) -> dict[str, Any]:
    """The state of a generator, as data.  Raises TypeError for a bit generator that is not NumPy's.

    >>> described(np.random.default_rng(0))["state"]["bit_generator"]
    'PCG64'
    """
    source = generator.bit_generator
    if type(source) not in KINDS.values():
        raise TypeError(f"its bit generator is a {type(source).__name__}, and only those of NumPy can be written")
    seeds: Any = source.seed_seq
    names = ("entropy", "spawn_key", "pool_size", "n_children_spawned")
    seeded = {name: _plain(getattr(seeds, name)) for name in names} if isinstance(seeds, SeedSequence) else None
    return {"state": _plain(source.state), "seed": seeded}


def set_state(generator: Generator, description: Any) -> None:
    """Set a generator to a state.  Raises ValueError if the state is not one of such a generator."""
    source = generator.bit_generator
    try:
        source.state = _state(source, description["state"])
    except (TypeError, ValueError, KeyError, OverflowError, IndexError, AttributeError) as error:
        raise ValueError(f"the state of a {type(source).__name__} is damaged ({error})") from None


def made(description: Any) -> Generator:
    """The generator of a description.  Raises ValueError if it is damaged."""
    try:
        kind = KINDS[description["state"]["bit_generator"]]
        seeded = description["seed"]
        if seeded is not None and not 0 < seeded["pool_size"] <= _LARGEST_POOL:
            raise ValueError(f"its pool of seeds has {str(seeded['pool_size'])[:20]} numbers")
        seeds = None if seeded is None else SeedSequence(**{**seeded, "spawn_key": tuple(seeded["spawn_key"])})
        generator = Generator(kind(0 if seeds is None else seeds))
    except (TypeError, ValueError, KeyError, OverflowError, AttributeError, MemoryError) as error:
        raise ValueError(f"a random generator is damaged ({error!r})") from None
    set_state(generator, description)
    return generator


def check_states(value: Any) -> None:
    """Raise ValueError if a state of a bit generator, somewhere in dicts and lists, is none that NumPy may be given."""
    if isinstance(value, dict) and "bit_generator" in value:
        made({"state": value, "seed": None})
        return
    for inside in value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ():
        check_states(inside)


def _plain(value: Any) -> Any:
    """Arrays as lists, NumPy's integers as Python's."""
    if isinstance(value, dict):
        return {name: _plain(inside) for name, inside in value.items()}
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, list | tuple):
        return [_plain(inside) for inside in value]
    return int(value) if isinstance(value, np.integer) else value


def _state(source: Any, given: Any) -> Any:
    """A state with arrays where the source has them; its entries must be those of the source."""
    here = source.state
    if isinstance(given, dict) and given.get("bit_generator") != here["bit_generator"]:
        raise ValueError(f"it is of {given.get('bit_generator')!r}")
    found = _like(here, given)
    if not _moves(found["state"]):
        raise ValueError("all its numbers would be the same, and drawing would never end")
    return found


def _moves(state: Any) -> bool:
    """Whether a state is followed by others: NumPy draws until a number fits, and cannot be interrupted meanwhile."""
    if "pos" in state:  # MT19937 stays where all is 0; of the first number it uses one bit
        return bool(state["key"][0] >> 31 or np.any(state["key"][1:]))
    return "inc" not in state or state["inc"] % 2 == 1  # PCG64 has the full period where the increment is odd


def _like(here: Any, given: Any) -> Any:
    if isinstance(here, dict):
        if not isinstance(given, dict) or set(given) != set(here):
            raise ValueError(f"it must have {', '.join(here)}")
        for name in _LARGEST.keys() & here.keys():
            if type(given[name]) is not int or not 0 <= given[name] <= _LARGEST[name]:
                raise ValueError(f"its '{name}' is {str(given[name])[:20]}")
        return {name: _like(inside, given[name]) for name, inside in here.items()}
    if isinstance(here, np.ndarray):
        array = np.array(given, here.dtype)
        if array.shape != here.shape:
            raise ValueError(f"{array.size} numbers in the place of {here.size}")
        return array
    if type(given) is not (str if isinstance(here, str) else int):
        raise ValueError(f"a {type(given).__name__} in the place of a number")
    return given
