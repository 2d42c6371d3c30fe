"""The optimizers and schedules that are compared with PyTorch: how each is made, and the gradients that it is given.

Gradients follow from the parameters and the number of the step alone, so the numbers of PyTorch are all that is kept in
a file.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

STEPS = 50
KEPT = (1, 2, 3, 10, 25, 50)
"""The steps after which parameters are compared."""
SHAPES = ((3, 2), (4,), (2, 5))


class Case(NamedTuple):
    """A class of ``nn.optim`` and of ``torch.optim``, its options, and those of each parameter's group, if any."""

    kind: str
    options: dict[str, Any]
    groups: tuple[dict[str, Any], ...] = ()


def start() -> list[Any]:
    """The parameters before the first step."""
    rng = np.random.default_rng(11)
    return [rng.normal(size=shape) for shape in SHAPES]


def gradients(parameters: list[Any], step: int) -> list[Any]:
    """The gradients at a step: of a bowl with ripples, with noise."""
    rng = np.random.default_rng(step)
    return [0.5 * p + np.sin(3.0 * p) + 0.3 * rng.normal(size=p.shape) for p in parameters]


def value(parameters: list[Any]) -> Any:
    """A function to minimise, the same at each call, for an optimizer with a line search; of arrays or of Tensors."""
    total = 0.0
    for i, p in enumerate(parameters):
        flat = p.reshape(-1)
        total = total + (100.0 * (flat[1:] - flat[:-1] ** 2) ** 2 + (1.0 + i - flat[:-1]) ** 2).sum()
    return total


_ALL = {
    "SGD": {
        "plain": {"lr": 0.1}, "momentum": {"momentum": 0.9}, "dampening": {"momentum": 0.9, "dampening": 0.3},
        "nesterov": {"momentum": 0.9, "nesterov": True}, "decay": {"weight_decay": 0.2},
        "upwards": {"maximize": True, "weight_decay": 0.2, "momentum": 0.5},
    },
    "Adam": {
        "plain": {"lr": 0.1}, "betas": {"betas": (0.7, 0.95)}, "eps": {"eps": 0.1}, "decay": {"weight_decay": 0.2},
        "amsgrad": {"amsgrad": True, "betas": (0.9, 0.8)}, "upwards": {"maximize": True, "weight_decay": 0.2},
        "decoupled": {"weight_decay": 0.2, "decoupled_weight_decay": True},
    },
    "AdamW": {
        "plain": {"lr": 0.1}, "decay": {"weight_decay": 0.3}, "amsgrad": {"amsgrad": True, "betas": (0.9, 0.8)},
        "upwards": {"maximize": True},
    },
    "NAdam": {
        "plain": {}, "betas": {"betas": (0.7, 0.95), "lr": 0.1}, "eps": {"eps": 0.1}, "decay": {"weight_decay": 0.2},
        "momentum_decay": {"momentum_decay": 0.1}, "decoupled": {"weight_decay": 0.2, "decoupled_weight_decay": True},
        "upwards": {"maximize": True, "weight_decay": 0.2},
    },
    "RMSprop": {
        "plain": {}, "alpha": {"alpha": 0.8}, "eps": {"eps": 0.1}, "decay": {"weight_decay": 0.2},
        "momentum": {"momentum": 0.9}, "centered": {"centered": True, "eps": 0.01}, "upwards": {"maximize": True},
        "all": {"centered": True, "momentum": 0.5, "weight_decay": 0.1, "eps": 0.01},
    },
    "Adagrad": {
        "plain": {"lr": 0.1}, "lr_decay": {"lr": 0.1, "lr_decay": 0.1}, "decay": {"weight_decay": 0.2},
        "start": {"initial_accumulator_value": 0.5}, "eps": {"eps": 0.1}, "upwards": {"maximize": True},
    },
    "Adadelta": {
        "plain": {}, "rho": {"rho": 0.7}, "eps": {"eps": 0.01}, "decay": {"weight_decay": 0.2, "lr": 0.5},
        "upwards": {"maximize": True, "weight_decay": 0.2},
    },
    "Muon": {
        "plain": {"lr": 0.1}, "momentum": {"momentum": 0.8, "nesterov": False}, "decay": {"weight_decay": 0.5},
        "steps": {"ns_steps": 3, "ns_coefficients": (2.0, -1.5, 0.5)}, "eps": {"eps": 100.0},
        "rms": {"adjust_lr_fn": "match_rms_adamw"},
    },
}  # fmt: skip

CASES = {f"{kind} {name}": Case(kind, options) for kind, cases in _ALL.items() for name, options in cases.items()} | {
    "SGD groups": Case("SGD", {"lr": 0.1}, ({}, {"lr": 0.02, "momentum": 0.9}, {"weight_decay": 0.5})),
    "AdamW groups": Case("AdamW", {"lr": 0.1}, ({"lr": 0.01}, {"betas": (0.5, 0.9)}, {"weight_decay": 0.5})),
}

SEARCHES = {
    "plain": {"lr": 1e-3},
    "strong Wolfe": {"line_search_fn": "strong_wolfe"},
    "history": {"line_search_fn": "strong_wolfe", "history_size": 3, "max_iter": 7},
    "few calls": {"line_search_fn": "strong_wolfe", "max_eval": 6, "tolerance_grad": 1e-3},
    "tolerance": {"line_search_fn": "strong_wolfe", "tolerance_change": 1e-3, "lr": 0.5},
}
"""Options of LBFGS; 10 steps are made with each."""

SCHEDULES: dict[str, tuple[str, dict[str, Any]]] = {
    "StepLR": ("StepLR", {"step_size": 7, "gamma": 0.5}),
    "CosineAnnealingLR": ("CosineAnnealingLR", {"T_max": 20, "eta_min": 0.01}),
    "OneCycleLR": ("OneCycleLR", {"max_lr": 0.5, "total_steps": 50}),
    "OneCycleLR of groups": ("OneCycleLR", {"max_lr": [0.5, 0.1, 0.2], "epochs": 10, "steps_per_epoch": 5}),
    "OneCycleLR linear": ("OneCycleLR", {"max_lr": 0.5, "total_steps": 60, "anneal_strategy": "linear"}),
    "OneCycleLR three": (
        "OneCycleLR", {"max_lr": 0.5, "total_steps": 50, "three_phase": True, "div_factor": 10.0, "pct_start": 0.4},
    ),
    "OneCycleLR momenta": (
        "OneCycleLR",
        {"max_lr": 0.5, "total_steps": 50, "base_momentum": 0.7, "max_momentum": 0.9, "final_div_factor": 100.0},
    ),
    "OneCycleLR alone": ("OneCycleLR", {"max_lr": 0.5, "total_steps": 50, "cycle_momentum": False}),
    "ReduceLROnPlateau": ("ReduceLROnPlateau", {"patience": 2, "factor": 0.5}),
    "ReduceLROnPlateau max": ("ReduceLROnPlateau", {"mode": "max", "patience": 1, "cooldown": 3, "min_lr": 0.02}),
    "ReduceLROnPlateau abs": (
        "ReduceLROnPlateau", {"threshold_mode": "abs", "threshold": 0.05, "patience": 0, "eps": 1e-3},
    ),
    "ReduceLROnPlateau groups": ("ReduceLROnPlateau", {"patience": 1, "factor": 0.3, "min_lr": [0.01, 0.001, 0.0]}),
    "ReduceLROnPlateau max abs": (
        "ReduceLROnPlateau", {"mode": "max", "threshold_mode": "abs", "threshold": 0.01, "patience": 1},
    ),
}  # fmt: skip
"""Of an SGD with momentum 0.8 over three groups with the rates 0.4, 0.2 and 0.1."""
RATES = (0.4, 0.2, 0.1)


def measure(step: int) -> float:
    """What a ReduceLROnPlateau is told at a step."""
    return float(1.0 / (1.0 + min(step, 20)) + 0.02 * np.sin(7.0 * step))
