"""Write ``tests/nn/references/optimizers.npz``: what PyTorch's optimizers and schedules do.

Run from the root of the repository: ``python -m benchmarks.optimizer_references``.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from tests.nn.references.optimizers import (
    CASES,
    KEPT,
    RATES,
    SCHEDULES,
    SEARCHES,
    STEPS,
    gradients,
    measure,
    start,
    value,
)

FILE = Path(__file__).parent.parent / "tests" / "nn" / "references" / "optimizers.npz"


def trained(case):
    """The parameters after the steps that are compared, one after the other."""
    tensors = [torch.tensor(a) for a in start() if case.kind != "Muon" or a.ndim == 2]
    if case.kind == "Muon":  # our matrices are (in, out)
        tensors = [t.T.contiguous() for t in tensors]
    given = [{"params": [t], **own} for t, own in zip(tensors, case.groups, strict=True)] if case.groups else tensors
    optimizer = getattr(torch.optim, case.kind)(given, **case.options)
    kept = []
    for step in range(1, STEPS + 1):
        turned = [t.numpy().T if case.kind == "Muon" else t.numpy() for t in tensors]
        for tensor, gradient in zip(tensors, gradients(turned, step), strict=True):
            tensor.grad = torch.tensor(gradient.T if case.kind == "Muon" else gradient)
        optimizer.step()
        if step in KEPT:
            kept += [t.T.numpy().ravel() if case.kind == "Muon" else t.numpy().ravel().copy() for t in tensors]
    return np.concatenate(kept)


def searched(options):
    """The loss that each of ten steps returns, and the parameters after them."""
    tensors = [torch.tensor(a, requires_grad=True) for a in start()]
    optimizer = torch.optim.LBFGS(tensors, **options)

    def closure():
        optimizer.zero_grad()
        loss = value(tensors)
        loss.backward()
        return loss

    losses = [optimizer.step(closure).item() for _ in range(10)]
    return np.array([*losses, *np.concatenate([t.detach().numpy().ravel() for t in tensors])])


def scheduled(name, kwargs):
    """The rates and momenta of three groups, from the beginning on."""
    groups = [{"params": [torch.tensor(1.0)], "lr": rate} for rate in RATES]
    optimizer = torch.optim.SGD(groups, momentum=0.8)
    schedule = getattr(torch.optim.lr_scheduler, name)(optimizer, **kwargs)
    found = []
    for step in range(STEPS):
        found.append([[group["lr"], group["momentum"]] for group in optimizer.param_groups])
        optimizer.step()
        schedule.step(*([measure(step)] if name == "ReduceLROnPlateau" else []))
    return np.array(found)


def averaged():
    """A running mean of parameters, as PyTorch makes it."""
    model = torch.nn.Linear(3, 2, bias=False).double()
    model.weight.data = torch.tensor(start()[0].T.copy())
    average = torch.optim.swa_utils.AveragedModel(model, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.9))
    found = []
    for step in range(1, STEPS + 1):
        model.weight.data -= 0.1 * torch.tensor(gradients([model.weight.data.numpy().T], step)[0].T.copy())
        average.update_parameters(model)
        found.append(average.module.weight.data.numpy().T.ravel().copy())
    return np.array(found)


def main():
    """Write the file."""
    torch.set_default_dtype(torch.float64)  # of the numbers in an optimizer's state, too
    torch.Tensor.bfloat16 = torch.Tensor.clone  # Muon's products are compared in double precision
    arrays = {f"step/{name}": trained(case) for name, case in CASES.items()}
    arrays |= {f"search/{name}": searched(options) for name, options in SEARCHES.items()}
    arrays |= {f"schedule/{name}": scheduled(*case) for name, case in SCHEDULES.items()}
    arrays["average"] = averaged()
    np.savez_compressed(FILE, **arrays)
    print(f"{len(arrays)} arrays, {FILE.stat().st_size / 1024:.0f} KiB, PyTorch {torch.__version__}")


if __name__ == "__main__":
    main()
