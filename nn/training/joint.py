"""Joint: several optimizers as one, each with its own parameters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .calls import Calls
from .checks import checked
from .groups import Group
from .optimizer import Optimizer, Replaced, Written


class Joint(Optimizer):
    """Several optimizers whose steps are one: whole or not at all, with the groups of all of them.

    What takes one optimizer, a Learner or a schedule, takes it.  A matrix may be given to Muon, and the rest to AdamW:

    >>> import numpy as np
    >>> from nn import Linear
    >>> from nn.optim import AdamW, Muon
    >>> model = Linear(3, 2, rng=0)
    >>> optimizer = Joint([Muon([model.weight], lr=0.02), AdamW([model.bias], lr=0.001)])
    >>> [group.lr for group in optimizer.groups]
    [0.02, 0.001]
    """

    for_any_model = False

    def __init__(self, optimizers: Iterable[Optimizer]) -> None:
        members = [] if isinstance(optimizers, Optimizer) else list(optimizers)
        if not members or not all(isinstance(member, Optimizer) for member in members):
            raise TypeError(f"Joint: expected a list of optimizers, got {optimizers!r:.60}")
        if any(member.needs_closure for member in members):
            raise ValueError("Joint: an optimizer with a line search makes its steps alone")
        self.optimizers: tuple[Optimizer, ...] = tuple(members)
        self.defaults: dict[str, Any] = {"lr": members[0].groups[0].lr}  # what all have
        checked(self.parameters, "Joint")

    @property
    def groups(self) -> list[Group]:  # type: ignore[override]
        """The groups of all optimizers."""
        return [group for member in self.optimizers for group in member.groups]

    def add_param_group(self, group: Mapping[str, Any]) -> None:
        """TypeError: a group is added to one of the optimizers."""
        raise TypeError("Joint: add the group to the optimizer that it is for: joint.optimizers[0].add_param_group")

    def _noted(self, calls: Calls) -> tuple[Written, Replaced]:
        written: Written = []
        replaced: Replaced = []
        for member in self.optimizers:
            more = member._noted(calls)
            written += more[0]
            replaced += more[1]
        return written, replaced

    def state_dict(self) -> dict[str, Any]:
        """The states of all optimizers."""
        return {"optimizer": "Joint", "optimizers": [member.state_dict() for member in self.optimizers]}

    def _note_state(self, state: Mapping[str, Any], calls: Calls) -> None:
        if not isinstance(state, Mapping) or set(state) != {"optimizer", "optimizers"}:
            raise ValueError("Joint.load_state_dict: expected the entries 'optimizer' and 'optimizers' of a state_dict")
        if len(state["optimizers"]) != len(self.optimizers):
            found, mine = len(state["optimizers"]), len(self.optimizers)
            raise ValueError(f"Joint.load_state_dict: states of {found} optimizers, this has {mine}")
        for member, own in zip(self.optimizers, state["optimizers"], strict=True):
            member._note_state(own, calls)

    def __repr__(self) -> str:
        return f"Joint([{', '.join(map(repr, self.optimizers))}])"
