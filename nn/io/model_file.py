"""Models in files: the parameters in the safetensors format, and what the model is as data beside them.

The metadata has one entry, ``pullback``: JSON with the objects (:mod:`nn.io.describing`), the random generators, and
for each array its shape and dtype.  A reader of safetensors in any language finds the parameters under their names.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.lib.array_utils import byte_bounds

from autodiff import __version__

from ..layers.module import Module
from .building import Builder, DamagedError
from .describing import Describer
from .known import Classes
from .safetensors import SafetensorsError, load_file, load_metadata, save_file

__all__ = ["Saved", "load", "load_training", "save"]

Array = Any
KEY = "pullback"
FORMAT = 1
_TABLE = {"format", "version", "objects", "generators", "arrays", "parts"}


class Saved(NamedTuple):
    """What :func:`nn.load_training` finds in a file."""

    model: Any
    optimizer: Any
    scheduler: Any
    extra: dict[str, Any]
    """What else was given to :func:`nn.save`, by name."""


# -- writing -------------------------------------------------------------------------------------------------------


def save(path: str | os.PathLike[str], model: Any, optimizer: Any = None, scheduler: Any = None, **extra: Any) -> None:
    """Write a model to a safetensors file: its parameters, and its architecture as data.

    The file holds the class and the attributes of each module: the arguments of layers, shared and frozen parameters,
    constants, the mode, and the states of random generators.  With ``optimizer`` and ``scheduler`` it holds their
    states, too, and ``extra`` by name: numbers, texts, lists, dicts, arrays, generators, a History.  No code is
    written.  The file is written whole or not at all.  Raises TypeError that names what cannot be written as data, a
    function of your own, say.

    >>> import os, tempfile
    >>> import nn
    >>> model = nn.Sequential(nn.Linear(2, 3, rng=0), nn.ReLU(), nn.Linear(3, 1, rng=1))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "model.safetensors")
    ...     nn.save(path, model, classes=["cat", "dog"])
    ...     print(nn.load(path))
    ...     nn.load_training(path).extra
    Sequential(
      0: Linear(2, 3)  weight (2, 3), bias (3,)  9
      1: ReLU()
      2: Linear(3, 1)  weight (3, 1), bias (1,)  4
    )  13 parameters, float32, 52 B
    {'classes': ['cat', 'dog']}
    """
    if not isinstance(path, str | os.PathLike):
        raise TypeError(
            f"nn.save: the path is a {type(path).__name__}; it comes first: nn.save('model.safetensors', model)"
        )
    if not isinstance(model, Module):
        what = "a state_dict; give the model itself" if isinstance(model, Mapping) else f"a {type(model).__name__}"
        raise TypeError(f"nn.save: model must be a Module, got {what}")
    _check_training(model, optimizer, scheduler)
    list(model.named_parameters())  # complains of results in the places of parameters
    describer = Describer("nn.save")
    describer.name_arrays(model)
    parts = {"model": describer.described(model, "")}
    for name, value in {"optimizer": optimizer, "scheduler": scheduler}.items():
        if value is not None:
            parts[name] = describer.described(value, name)
    _check_memory(describer.arrays)
    parts["extra"] = describer.described(extra, "extra")
    write_described(path, describer, parts)


def _check_training(model: Module, optimizer: Any, scheduler: Any) -> None:
    for name, value in (("optimizer", optimizer), ("scheduler", scheduler)):
        if value is not None and not (hasattr(value, "load_state_dict") and hasattr(value, "step")):
            raise TypeError(f"nn.save: {name} is a {type(value).__name__}, which has no step and load_state_dict")
    held = {id(parameter) for parameter in getattr(optimizer, "parameters", ())}
    own = {id(parameter) for parameter in model.parameters()}
    if held and own and not held & own:
        raise ValueError("nn.save: the optimizer holds none of the model's parameters; is it that of another model?")


def _check_memory(arrays: Mapping[str, Array]) -> None:
    """Raise ValueError if two arrays are views of one memory, which they would not be after loading."""
    bounds = sorted((*byte_bounds(array), name) for name, array in arrays.items() if array.size)
    for (_, end, name), (start, _, other) in pairwise(bounds):
        if start < end and np.shares_memory(arrays[name], arrays[other]):
            raise ValueError(
                f"nn.save: {name} and {other} are views of one memory; they would not be in the loaded model. Use one "
                "array in both places, and take its parts where it is used; or copy one of them"
            )


def write_described(path: str | os.PathLike[str], describer: Describer, parts: Mapping[str, Any]) -> None:
    """Write what was described, with its arrays."""
    stored = {name: _stored(array) for name, array in describer.arrays.items()}
    table = {
        "format": FORMAT, "version": __version__, "parts": parts, "objects": describer.objects,
        "generators": describer.generators, "arrays": {name: entry for name, (entry, _) in stored.items()},
    }  # fmt: skip
    save_file({name: array for name, (_, array) in stored.items()}, path, {KEY: json.dumps(table, allow_nan=False)})


def _stored(array: Array) -> tuple[dict[str, Any], Array]:
    """What an array is, and the array that the format can hold.

    The order of its axes in memory is kept, because products of matrices may round in another way in another order.
    """
    entry: dict[str, Any] = {"shape": list(array.shape), "dtype": array.dtype.name}
    if array.flags.f_contiguous and not array.flags.c_contiguous:
        entry["order"] = "F"
    if array.dtype == np.complex128:
        array = np.stack([array.real, array.imag], axis=-1)
    return entry, array


# -- reading -------------------------------------------------------------------------------------------------------


def load(path: str | os.PathLike[str], classes: Iterable[type] | type = ()) -> Any:
    """The model in a file of :func:`nn.save`.

    Nothing in the file is executed, and no constructor is called.  It may name the classes and functions of ``nn``;
    classes of your own are given: ``nn.load(path, classes=[Net])``.  Raises ValueError that names the class that is
    missing, and for a file that is no model, is cut off, or was changed.  :func:`nn.load_training` reads the optimizer
    and the rest, too.
    """
    return _read(path, classes, "nn.load").model


def load_training(path: str | os.PathLike[str], classes: Iterable[type] | type = ()) -> Saved:
    """The model, the optimizer, the scheduler (None if there is none), and all else in a file of :func:`nn.save`.

    The optimizer holds the parameters of the model.  Errors are those of :func:`nn.load`.

    >>> import os, tempfile
    >>> import nn
    >>> model = nn.Linear(2, 3, rng=0)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "model.safetensors")
    ...     nn.save(path, model, nn.optim.Adam(model.parameters(), lr=0.01), epoch=3)
    ...     model, optimizer, scheduler, extra = nn.load_training(path)
    >>> optimizer.parameters[0] is model.weight, optimizer.lr, extra
    (True, 0.01, {'epoch': 3})
    """
    return _read(path, classes, "nn.load_training")


def _read(path: str | os.PathLike[str], classes: Iterable[type] | type, who: str) -> Saved:
    known = Classes(who, classes)
    table, arrays = read_described(path)
    where = os.fspath(path)
    try:
        builder = Builder(table, arrays, known)
        parts = {name: builder.value(part) for name, part in table["parts"].items()}
        model = parts.get("model")
        if not isinstance(model, Module):
            raise DamagedError(f"its model is a {type(model).__name__}")
        if unused := sorted(arrays.keys() - builder.used):
            raise DamagedError(f"no part of it has the arrays {', '.join(unused[:5])}")
        _check(model, known)
        for name in ("optimizer", "scheduler"):
            if (part := parts.get(name)) is not None:
                part.load_state_dict(part.state_dict())  # which checks the options
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"{who}: {where}: the model cannot be made: {error}") from None
    return Saved(model, parts.get("optimizer"), parts.get("scheduler"), parts.get("extra") or {})


def _check(model: Module, known: Classes) -> None:
    """Whether layers have the attributes that their classes give them: their text mentions them."""
    for name, module in model.named_modules():
        if known.is_own(type(module)):
            try:
                module.extra_repr()
            except Exception as error:
                raise DamagedError(f"{type(module).__name__} '{name}' is damaged ({error})") from None


def read_described(path: str | os.PathLike[str]) -> tuple[dict[str, Any], dict[str, Array]]:
    """The description in a file, and its arrays."""
    where = os.fspath(path)
    text = load_metadata(path).get(KEY)
    if text is None:
        raise ValueError(
            f"{where}: holds arrays and no model; model.load_state_dict(load_file(path)), with "
            "nn.safetensors.load_file, loads them into a model, after nn.from_torch if they are PyTorch's"
        )
    try:
        table = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise SafetensorsError(f"{where}: the description of the model is not JSON ({error})") from None
    if isinstance(table, dict) and table.get("format") not in (None, FORMAT):
        raise SafetensorsError(
            f"{where}: has format {str(table['format'])[:20]}, and this version reads {FORMAT}; it is from a newer one"
        )
    if not isinstance(table, dict) or set(table) != _TABLE or not isinstance(table["parts"], dict):
        raise SafetensorsError(f"{where}: the description of the model is damaged: it must have {', '.join(_TABLE)}")
    return table, _arrays(where, load_file(path), table["arrays"])


def _arrays(where: str, stored: dict[str, Array], entries: Any) -> dict[str, Array]:
    """The arrays as they were, if they are those that the description names."""
    if not isinstance(entries, dict):
        raise SafetensorsError(f"{where}: the description of the model is damaged: its arrays are not a mapping")
    complaints = [f"missing: {name[:80]}" for name in entries if name not in stored]
    complaints += [f"unexpected: {name[:80]}" for name in stored if name not in entries]
    found = {}
    for name in entries.keys() & stored.keys():
        entry, array = entries[name], stored[name]
        if not isinstance(entry, dict):
            entry = {}
        if entry.get("dtype") == "complex128" and array.dtype == np.float64 and array.shape[-1:] == (2,):
            array = np.ascontiguousarray(array).view(np.complex128)[..., 0]
        if list(array.shape) != entry.get("shape") or array.dtype.name != entry.get("dtype"):
            said = f"{str(entry.get('dtype'))[:20]} {str(entry.get('shape'))[:40]}"
            complaints.append(f"{name[:80]} is {array.dtype} {list(array.shape)} and should be {said}")
        found[name] = np.asfortranarray(array) if entry.get("order") == "F" else array
    if complaints:
        raise SafetensorsError(f"{where}: the arrays are not those of the model: {'; '.join(complaints[:8])}")
    return found
