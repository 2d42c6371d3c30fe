import numpy as np
import pytest

import nn
from nn import Identity, Linear, ModuleDict, ModuleList, ReLU, Sequential


def test_a_list_behaves_as_a_list():
    modules = ModuleList([Linear(2, 2, rng=0)])
    modules.append(ReLU()).extend([Linear(2, 3, rng=1), Identity()])
    modules.insert(0, Identity())
    assert [type(m).__name__ for m in modules] == ["Identity", "Linear", "ReLU", "Linear", "Identity"]
    del modules[0]
    modules[-1] = ReLU()
    assert len(modules) == len(modules[:2]) + 2
    assert sorted(modules.state_dict()) == ["0.bias", "0.weight", "2.bias", "2.weight"]
    with pytest.raises(TypeError, match="ModuleList: 0 is a Linear, the class; make one"):
        ModuleList([Linear])
    with pytest.raises(TypeError, match="ModuleList: 4 is a function; it holds modules"):
        modules.append(lambda x: x)


def test_a_dict_behaves_as_a_dict():
    modules = ModuleDict({"a": Linear(2, 2, rng=0)})
    modules["b"] = ReLU()
    modules.update({"c": Identity()})
    assert (list(modules), len(modules), "c" in modules) == (["a", "b", "c"], 3, True)
    assert [name for name, _ in modules.items()] == list(modules.keys())
    assert next(iter(modules.values())) is modules["a"]
    del modules["c"]
    assert sorted(modules.state_dict()) == ["a.bias", "a.weight"]
    with pytest.raises(KeyError, match="there is no module 'z'; there are a, b"):
        modules["z"]


def test_they_are_parts_of_a_model():
    class Net(nn.Module):
        def __init__(self):
            self.blocks = ModuleList(Linear(2, 2, rng=i) for i in range(2))
            self.heads = ModuleDict({"one": Sequential(Linear(2, 1, rng=3), ReLU())})

        def forward(self, x):
            for block in self.blocks:
                x = block(x)
            return self.heads["one"](x)

    net = Net().eval()
    assert net(np.ones((3, 2), np.float32)).shape == (3, 1)
    assert [name for name, _ in net.named_parameters()][::2] == [
        "blocks.0.weight",
        "blocks.1.weight",
        "heads.one.0.weight",
    ]
    assert not any(m.training for m in net.modules())
    assert "blocks: ModuleList(" in repr(net)
    assert "0: Linear(2, 1)" in repr(net)


def test_the_identity_takes_anything():
    x = np.ones(2)
    assert Identity(54, unused=0.1)(x) is x
