"""Write ``tests/nn/references/pytorch.npz`` and ``ctc.npz``: what PyTorch computes for the cases of the tests.

Run from the root of the repository: ``python -m benchmarks.layer_references``.
"""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import torch

from tests.nn.references.cases import CASES, inputs
from tests.nn.references.compare import made, projections
from tests.nn.references.ctc import CTC

FILE = Path(__file__).parent.parent / "tests" / "nn" / "references" / "pytorch.npz"
MATRICES = ("in_proj_weight", "_proj_weight", "out_proj.weight", "linear1.weight", "linear2.weight")
OF_STEPS = ("weight_ih", "weight_hh")


def is_transposed(kind, name):
    """Whether a matrix has its axes in the other order: ours are (in, out)."""
    last = name.split(".")[-1]
    return (kind, name) == ("Linear", "weight") or name.endswith(MATRICES) or last.startswith(OF_STEPS)


def turned(kind, name, array):
    return np.swapaxes(array, 0, 1) if is_transposed(kind, name) and array.ndim == 2 else array


def computed(case):
    """The output, its gradients and projections of second derivatives."""
    ours = made(case)
    kwargs = {{"axis": "dim"}.get(name, name): value for name, value in case.kwargs.items()}
    theirs = getattr(torch.nn, case.kind)(*case.args, **kwargs).double()
    state = {name: torch.tensor(turned(case.kind, name, a)) for name, a in ours.state_dict().items()}
    theirs.load_state_dict(state)
    theirs.train(case.training)
    given = [torch.tensor(a) for a in inputs(case)]
    variables = {f"input{i}": t.requires_grad_() for i, t in enumerate(given) if t.is_floating_point()}
    variables |= dict(theirs.named_parameters())
    call = {name: torch.tensor(v) if isinstance(v, np.ndarray) else v for name, v in case.call.items()}
    found = packed(theirs, *given, **call) if "lengths" in call else theirs(*given, **call)
    outputs = flat(found)
    weights, directions = projections([tuple(o.shape) for o in outputs])
    total = sum((o * torch.tensor(w)).sum() for o, w in zip(outputs, weights, strict=True))
    kept = {f"output{i}": o.detach().numpy() for i, o in enumerate(outputs)}
    gradients = torch.autograd.grad(total, list(variables.values()), create_graph=True, allow_unused=True)
    along = 0.0
    for (name, variable), gradient in zip(variables.items(), gradients, strict=True):
        value = np.zeros(tuple(variable.shape)) if gradient is None else gradient.detach().numpy()
        kept[f"d {name}"] = turned(case.kind, name, value)
        if gradient is not None:
            direction = turned(case.kind, name, directions(name, turned(case.kind, name, value).shape))
            along = along + (gradient * torch.tensor(np.ascontiguousarray(direction))).sum()
    if isinstance(along, torch.Tensor) and along.requires_grad:
        second = torch.autograd.grad(along, list(variables.values()), allow_unused=True)
    else:
        second = [None] * len(variables)
    for (name, variable), value in zip(variables.items(), second, strict=True):
        array = np.zeros(tuple(variable.shape)) if value is None else value.numpy()
        kept[f"dd {name}"] = turned(case.kind, name, array)
    kept |= {f"buffer {name}": b.numpy() for name, b in theirs.named_buffers()}
    return kept


def packed(module, x, lengths):
    """A recurrent layer applied to sequences of these lengths."""
    rnn = torch.nn.utils.rnn
    first = {"batch_first": module.batch_first}
    y, states = module(rnn.pack_padded_sequence(x, lengths, enforce_sorted=False, **first))
    return rnn.pad_packed_sequence(y, **first)[0], states


def ctc():
    """The losses of sequences of labels under softmax(logits), and the gradients of the logits."""
    arrays = {}
    for name, case in CTC.items():
        logits = torch.tensor(case.logits(), requires_grad=True)
        labels, *lengths = (torch.tensor(a) for a in (case.targets, case.input_lengths, case.target_lengths))
        loss = torch.nn.functional.ctc_loss(logits.log_softmax(-1), labels, *lengths, **case.options)
        loss.sum().backward()
        arrays |= {f"{name}/loss": loss.detach().numpy(), f"{name}/gradient": logits.grad.numpy()}
    return arrays


def flat(found):
    if isinstance(found, torch.Tensor):
        return [found]
    return [o for part in found if part is not None for o in flat(part)]


def main():
    """Write the file."""
    arrays = {}
    for name, case in CASES.items():
        # the other kernels of attention have no second derivative
        with warnings.catch_warnings(), torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH):
            warnings.simplefilter("ignore")
            try:
                for key, value in computed(case).items():
                    arrays[f"{name}/{key}"] = value
            except Exception as error:
                raise RuntimeError(f"{name}: {error}") from error
    np.savez_compressed(FILE, **arrays)
    np.savez_compressed(FILE.with_name("ctc.npz"), **ctc())
    print(
        f"{len(CASES)} cases, {len(arrays)} arrays, {FILE.stat().st_size / 1024:.0f} KiB, PyTorch {torch.__version__}"
    )


if __name__ == "__main__":
    main()
