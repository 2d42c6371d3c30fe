"""A program in each library that is here: its gradient, its Jacobian, its minimisation, as functions to be timed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import autodiff
from autodiff import grad

from .measuring import installed

Array = Any
Function = Any
Call = Callable[[], Any]
Contestants = dict[str, Call]
Written = Callable[..., Function]
"""A program for any module: ``written(module)``, with ``of=`` for its constants or ``loop=`` for its loop, if any."""


def torch_module() -> Any:
    """PyTorch in double precision, on one thread."""
    import torch

    torch.set_default_dtype(torch.float64)
    torch.set_num_threads(1)
    return torch


def jax_module() -> Any:
    """JAX in double precision."""
    import jax

    jax.config.update("jax_enable_x64", True)
    return jax


def written_for(written: Written, module: Any, options: dict[str, Any]) -> Function:
    """The program for one module, with those of the options that it takes."""
    names = written.__code__.co_varnames[: written.__code__.co_argcount]
    return written(module, **{name: option for name, option in options.items() if name in names})


def for_torch(written: Written, **options: Any) -> Function:
    """The program in PyTorch."""
    torch = torch_module()
    return written_for(written, torch, {"of": torch.as_tensor, **options})


def for_jax(written: Written, **options: Any) -> Function:
    """The program in JAX, whose loops are not unrolled."""
    jax = jax_module()
    return written_for(written, jax.numpy, {"of": jax.numpy.asarray, "loop": jax.lax.fori_loop, **options})


def _torch_gradient(written: Written, arguments: Sequence[Any]) -> Call:
    torch = torch_module()
    f = for_torch(written)
    first = arguments[0]
    others = [torch.as_tensor(a) for a in arguments[1:]]

    def gradient() -> Any:
        variables = [torch.tensor(a, requires_grad=True) for a in (first if isinstance(first, list) else [first])]
        value = f(variables if isinstance(first, list) else variables[0], *others)
        return list(torch.autograd.grad(value, variables))

    return gradient


def gradients(written: Written, arguments: Sequence[Any], by_hand: Call | None = None) -> Contestants:
    """The gradient of a number by the first argument, an array or a list of them, by each library that is here."""
    ours, plain = grad(written(np)), written(np)
    found: Contestants = {"NumPy, forward alone": lambda: plain(*arguments)}
    if by_hand is not None:
        found["NumPy by hand"] = by_hand
    found["pullback"] = lambda: ours(*arguments)
    if installed("PyTorch"):
        found["PyTorch"] = _torch_gradient(written, arguments)
    if installed("JAX"):
        jax = jax_module()
        compiled = jax.jit(jax.grad(for_jax(written)))
        found["JAX, compiled"] = lambda: jax.block_until_ready(compiled(*arguments))
    if installed("autograd"):
        import autograd
        import autograd.numpy as anp

        theirs = autograd.grad(written(anp))
        found["autograd"] = lambda: theirs(*arguments)
    return found


def backward(written: Written, argument: Array) -> Call:
    """The same by ``Tensor.backward``."""
    f = written(np)

    def gradient() -> Array:
        x = autodiff.Tensor(argument)
        f(x).backward()
        return x.grad

    return gradient


def jacobians(written: Written, x: Array) -> Contestants:
    """The Jacobian of a function of a vector, outputs by inputs."""
    f = written(np)
    ours = autodiff.jacobian(f)

    def forward() -> Array:
        columns = autodiff.vmap(lambda v: autodiff.jvp(f, (x,), (v,))[1])(np.eye(x.size))
        return np.transpose(columns)

    found: Contestants = {
        "NumPy, forward alone": lambda: f(x),
        "pullback": lambda: ours(x),
        "pullback, vmap of jvp": forward,
    }
    if installed("PyTorch"):
        torch = torch_module()
        theirs, point = torch.func.jacfwd(for_torch(written)), torch.as_tensor(x)
        found["PyTorch, jacfwd"] = lambda: theirs(point)
    if installed("JAX"):
        jax = jax_module()
        compiled, back = jax.jit(jax.jacfwd(for_jax(written))), jax.jit(jax.jacrev(for_jax(written)))
        found["JAX, compiled jacfwd"] = lambda: compiled(x).block_until_ready()
        found["JAX, compiled jacrev"] = lambda: back(x).block_until_ready()
    return found


def newton(written: Written, x: Array) -> Contestants:
    """The gradient, and the Hessian times a vector of ones."""
    f, ones = written(np), np.ones_like(x)
    found: Contestants = {
        "NumPy, forward alone": lambda: f(x),
        "pullback": lambda: [grad(f)(x), autodiff.hvp(f, (x,), (ones,))[0]],
    }
    if installed("PyTorch"):
        torch = torch_module()
        slope, point, direction = torch.func.grad(for_torch(written)), torch.as_tensor(x), torch.as_tensor(ones)
        found["PyTorch"] = lambda: list(torch.func.jvp(slope, (point,), (direction,)))
    if installed("JAX"):
        jax = jax_module()
        first = jax.grad(for_jax(written))
        both = jax.jit(lambda z: jax.jvp(first, (z,), (ones,)))
        found["JAX, compiled"] = lambda: jax.block_until_ready(both(x))
    if installed("autograd"):
        import autograd
        import autograd.numpy as anp

        theirs = written(anp)
        product = autograd.hessian_vector_product(theirs)
        found["autograd"] = lambda: [autograd.grad(theirs)(x), product(x, ones)]
    return found


def nested(written: Callable[..., Function], x: Array, steps: int) -> Contestants:
    """The gradient of a function that uses a gradient and a product with a Jacobian inside."""
    ours = grad(written(np, grad, lambda f, z, v: autodiff.jvp(f, (z,), (v,))[1], steps))
    found: Contestants = {"pullback": lambda: ours(x)}
    if installed("PyTorch"):
        torch = torch_module()
        inside = written(torch, torch.func.grad, lambda f, z, v: torch.func.jvp(f, (z,), (v,))[1], steps)
        theirs, point = torch.func.grad(inside), torch.as_tensor(x)
        found["PyTorch"] = lambda: theirs(point)
    if installed("JAX"):
        jax = jax_module()
        product = lambda f, z, v: jax.jvp(f, (z,), (v,))[1]  # noqa: E731
        compiled = jax.jit(jax.grad(written(jax.numpy, jax.grad, product, steps, jax.lax.fori_loop)))
        found["JAX, compiled"] = lambda: compiled(x).block_until_ready()
    if installed("autograd"):
        import autograd
        import autograd.numpy as anp
        from autograd.differential_operators import make_jvp_reversemode

        slope = autograd.grad(written(anp, autograd.grad, lambda f, z, v: make_jvp_reversemode(f)(z)(v), steps))
        found["autograd"] = lambda: slope(x)
    return found


def minimisations(written: Written, x: Array, iterations: int) -> Contestants:
    """SciPy's conjugate gradients, for some iterations, on the value and the gradient of each library."""
    from scipy.optimize import minimize

    functions: dict[str, Function] = {"pullback": autodiff.value_and_grad(written(np))}
    if installed("JAX"):
        jax = jax_module()
        functions["JAX, compiled"] = jax.jit(jax.value_and_grad(for_jax(written)))
    if installed("autograd"):
        import autograd
        import autograd.numpy as anp

        functions["autograd"] = autograd.value_and_grad(written(anp))
    if installed("PyTorch"):
        torch = torch_module()
        f = for_torch(written)

        def theirs(p: Array) -> Any:
            variable = torch.tensor(p, requires_grad=True)
            value = f(variable)
            return value.item(), torch.autograd.grad(value, variable)[0].numpy()

        functions["PyTorch"] = theirs

    def call(function: Function) -> Call:
        def both(p: Array) -> Any:
            value, gradient = function(p)
            return float(value), np.asarray(gradient)

        return lambda: minimize(both, x, jac=True, method="CG", options={"maxiter": iterations}).fun

    return {name: call(function) for name, function in functions.items()}


def joined(count: int) -> tuple[Contestants, Contestants]:
    """The gradient of a function of many numbers that it stacks, and of many short vectors that it concatenates."""
    numbers = np.random.default_rng(0).normal(size=count).tolist()
    vectors = [np.full(1, value) for value in numbers]
    stacked, concatenated = grad(lambda p: np.sum(np.stack(p) ** 2)), grad(lambda p: np.sum(np.concatenate(p) ** 2))
    stack: Contestants = {
        "NumPy by hand": lambda: list(2.0 * np.stack(numbers)),
        "pullback": lambda: stacked(numbers),
    }
    concatenate: Contestants = {
        "NumPy by hand": lambda: np.split(2.0 * np.concatenate(vectors), count),
        "pullback": lambda: concatenated(vectors),
    }
    if installed("PyTorch"):
        torch = torch_module()

        def joined_by(join: Function, parts: list[Any]) -> Call:
            def gradient() -> Any:
                variables = [torch.tensor(part, requires_grad=True) for part in parts]
                return list(torch.autograd.grad(torch.sum(join(variables) ** 2), variables))

            return gradient

        stack["PyTorch"] = joined_by(torch.stack, numbers)
        concatenate["PyTorch"] = joined_by(torch.concatenate, vectors)
    return stack, concatenate
