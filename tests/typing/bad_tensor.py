"""What no checker lets pass; each line that it must refuse ends in a mark."""

import math

import numpy as np

from autodiff import Tensor, relu

t = Tensor([[1.0, 2.0], [3.0, 4.0]])
w = Tensor(1.0)

t.smu()  # error
w.grda  # error
w.requires_grad_()  # error
t.limit(0.0, 1.0)  # error

w.sum(axs=0)  # error
w.sum(axis="0")  # error
w.sum(keepdim=True)  # error
w.mean(dim=0)  # error
w.sum(0, None, np.ones(1))  # error
w.max(1.5)  # error
w.tanh(t)  # error
w.add()  # error
w.argmax(axis=(0, 1))  # error
w.backward(retain=True)  # error
w.shape = (1,)  # error

t + "1"  # error
t + None  # error
None @ t  # error
t["a"]  # error
t[0] = 1.0  # error
del t[0]  # error

float(t)  # error
int(t)  # error
complex(t)  # error
math.exp(t)  # error
[1.0, 2.0][t]  # error

relu(t, t)  # error
t.at[0].put(1.0)  # error
