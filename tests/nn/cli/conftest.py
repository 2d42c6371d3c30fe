import sys
import textwrap

import pytest

from nn import cli
from nn.cli.kinds import texts


@pytest.fixture
def in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PULLBACK_MNIST", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(texts, "SAMPLE", 20)  # characters, each of which takes a pass through the model


@pytest.fixture(scope="session")
def digits_run(tmp_path_factory):
    """The folder of a run that learned the digits, a little."""
    folder = tmp_path_factory.mktemp("learned") / "digits"
    assert cli.main(["train", "--quiet", "--epochs", "4", "--hidden", "32", "--output", str(folder)]) == 0
    return folder


MODELS = textwrap.dedent(
    """
    import numpy as np
    import nn
    from helper_of_models import doubled

    class Small(nn.Module):
        def __init__(self):
            self.inner = nn.Linear(4, 2, rng=0)
            self.dropout = nn.Dropout(0.5)

        def forward(self, x, scale=2.0):
            import late_helper_of_models
            return np.tanh(self.dropout(self.inner(x))) * scale

    class Detached(Small):
        def forward(self, x):
            return x @ self.inner.weight.data * np.sum(self.inner.bias)

    class Needy(Small):
        def __init__(self, size):
            pass

    network = nn.Sequential(nn.Linear(4, 3, rng=0), nn.Tanh())

    def loss(w, x, *, power=2.0):
        return np.sum(doubled(w @ x) ** power)

    def scaled(*xs):
        return np.prod(np.stack(xs))
    """
)


@pytest.fixture
def models(tmp_path):
    (tmp_path / "helper_of_models.py").write_text("def doubled(x):\n    return 2 * x\n")
    (tmp_path / "late_helper_of_models.py").write_text("")
    path = tmp_path / "models_to_check.py"
    path.write_text(MODELS)
    yield path
    for name in ("helper_of_models", "late_helper_of_models", "models_to_check"):
        sys.modules.pop(name, None)
