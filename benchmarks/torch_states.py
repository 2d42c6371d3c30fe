"""Write ``tests/nn/references/torch_states.npz``: states of PyTorch's models, and what they compute.

Run from the root of the repository: ``python -m benchmarks.torch_states``.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from benchmarks.layer_references import flat
from tests.nn.references.torch_models import MODELS

FILE = Path(__file__).parent.parent / "tests" / "nn" / "references" / "torch_states.npz"


def main():
    """Write the file."""
    torch.manual_seed(0)
    arrays = {}
    for name, (build, given) in MODELS.items():
        model = build(torch.nn, torch.float64)
        inputs = [torch.tensor(a) for a in given]
        with torch.no_grad():
            for parameter in model.parameters():  # no zeros and ones
                parameter += 0.1 * torch.randn_like(parameter)
            model(*inputs)  # running means move
            outputs = flat(model.eval()(*inputs))
        for i, output in enumerate(outputs):
            arrays[f"{name}/output/{i}"] = output.numpy()
        for key, value in model.state_dict().items():
            arrays[f"{name}/state/{key}"] = value.numpy()
    np.savez_compressed(FILE, **arrays)
    print(f"{len(arrays)} arrays, {FILE.stat().st_size / 1024:.0f} KiB, PyTorch {torch.__version__}")


if __name__ == "__main__":
    main()
