"""Random programs beside JAX and PyTorch: one program in three libraries, in double precision, gradients compared.

``python benchmarks/random_programs.py [programs]`` draws that many different programs (10,000) of depth up to 20 from
the operations that all three libraries have, and then a quarter as many from those that JAX has.  Every result goes to
``runs/random_programs.jsonl``, and a run that was stopped goes on where it was.  ``--table`` writes the tables of
what is there to ``random_programs.md``.

A gradient is that of a weighted sum of everything that the program returns, by every input.  Where two libraries
differ, each step of the program is run by itself at the recorded values; the first whose value or VJP differs is named.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

# small programs, each compiled once: what XLA spends on optimizing them is never earned back
os.environ.setdefault(
    "XLA_FLAGS",
    "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true "
    "--xla_cpu_parallel_codegen_split_count=1 --xla_cpu_use_fusion_emitters=false",
)
os.environ.setdefault("JAX_PLATFORMS", "cpu")
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
from hypothesis import HealthCheck, Phase, given, seed, settings

from autodiff import vjp
from autodiff.primitive import Example, Sample
from autodiff.testing.random.calls import pattern, slots
from autodiff.testing.random.outline import composable, usable_examples
from autodiff.testing.random.program import Operand, Program, Step
from autodiff.testing.random.programs import programs
from benchmarks import jaxpr
from benchmarks.measuring import version
from benchmarks.peer_names import jax_numpy, torch_numpy

Array = Any
PAGE = Path(__file__).with_suffix(".md")
STATE = Path(__file__).resolve().parent.parent / "runs" / "random_programs.jsonl"
DEPTHS, CHUNK = (20, 10, 5), 250  # of the chunks in turn: small programs reach more of the operations' corners
TOLERANCE = 1e-8
"""Relative to the largest number of an output or a gradient; rounding moves a deep program's gradient by as much."""


# -- one program in one library --------------------------------------------------------------------------------------


def weights(value: Array) -> Array:
    """The cotangent of an output: numbers that do not cancel, the same for every library."""
    return np.cos(1.0 + 1.7 * np.arange(np.size(value))).reshape(np.shape(value)).astype(np.float64)


def together(result: Any) -> tuple[Any, ...]:
    """The outputs of a program."""
    return result if isinstance(result, tuple) else (result,)


Answer = tuple[list[Array], list[Array]]


def ours(program: Program) -> Answer:
    """Outputs, and the gradient of their weighted sum by every input."""
    values, pull = vjp(lambda *a: together(program(*a)), *program.arrays)
    gradients = pull(tuple(weights(v) for v in values))
    return [np.asarray(v) for v in values], [np.asarray(g) for g in gradients]


def jaxs(program: Program, compiled: bool = False) -> Answer:
    """The same by JAX, traced and evaluated operation by operation, or compiled as a whole."""
    import jax
    import jax.numpy as jnp

    numpy = jax_numpy()

    def both(*arrays: Any) -> Any:
        values, pull = jax.vjp(lambda *a: together(program.run(numpy, *a)), *arrays)
        return values, pull(tuple(jnp.asarray(weights(v), v.dtype) for v in values))

    values, gradients = jax.jit(both)(*program.arrays) if compiled else jaxpr.run(both, *program.arrays)
    return [np.asarray(v) for v in values], [np.asarray(g) for g in gradients]


def torchs(program: Program) -> Answer:
    """The same by PyTorch."""
    import torch

    numpy = torch_numpy()
    arrays = [torch.tensor(a, requires_grad=True) for a in program.arrays]
    values = together(program.run(numpy, *arrays))
    parts = [(v * torch.from_numpy(weights(_as_numpy(v.detach())))).sum() for v in values if v.requires_grad]
    found = torch.autograd.grad(sum(parts), arrays, allow_unused=True) if parts else [None] * len(arrays)
    gradients = [np.zeros(a.shape) if g is None else g.numpy() for a, g in zip(arrays, found, strict=True)]
    return [_as_numpy(v.detach()) for v in values], gradients


PEER_NAMES = {"JAX": jax_numpy, "PyTorch": torch_numpy}
PEERS: dict[str, Callable[[Program], Answer]] = {"JAX": jaxs, "PyTorch": torchs}


def distance(mine: list[Array], theirs: list[Array]) -> float:
    """The largest difference, relative to the largest number."""
    worst, top = 0.0, max([1.0, *[float(np.max(np.abs(m), initial=0.0)) for m in mine]])
    for a, b in zip(mine, theirs, strict=True):
        if np.shape(a) != np.shape(b):
            return np.inf
        gap = float(np.max(np.abs(a - b), initial=0.0))
        worst = max(worst, gap / top) if np.isfinite(gap) else np.inf
    return worst


# -- comparing ---------------------------------------------------------------------------------------------------------


def compared(program: Program, peer: str, mine: Answer) -> dict[str, Any]:
    """What came out: agreement, a refusal of the peer's, or a difference with the step that makes it."""
    try:
        theirs = PEERS[peer](program)
    except Exception as error:  # whatever a library raises for a call that it does not take
        return {"verdict": "refused", "why": f"{type(error).__name__}: {' '.join(str(error).split())[:120]}"}
    gaps = [distance(m, t) for m, t in zip(mine, theirs, strict=True)]
    if max(gaps) <= TOLERANCE:
        return {"verdict": "agrees", "gap": max(gaps)}
    return {"verdict": "differs", "values": gaps[0], "gradients": gaps[1], **guilty(program, peer)}


def guilty(program: Program, peer: str) -> dict[str, Any]:
    """The first step that differs when it is run by itself, at the values that the program has there."""
    values = program.values(np, *program.arrays)
    for n, step in enumerate(program.steps):
        known = [np.asarray(v) for v in values[: len(program.arrays) + n]]
        taken = sorted({i for o in step.operands for i in (o.value, o.base) if i is not None})
        if any(np.iscomplexobj(values[i]) for i in (*taken, len(known))):
            continue
        order = {old: new for new, old in enumerate(taken)}
        moved = [
            o._replace(value=order[o.value], base=None if o.base is None else order[o.base]) for o in step.operands
        ]
        alone = Program(
            tuple(known[i] for i in taken), (Step(step.entry, step.args, step.kwargs, tuple(moved), step.output),),
            (len(taken),),
        )  # fmt: skip
        try:
            mine, theirs = ours(alone), PEERS[peer](alone)
        except Exception:  # it took the step as a part of the program
            continue
        gaps = [distance(m, t) for m, t in zip(mine, theirs, strict=True)]
        if max(gaps) > TOLERANCE:
            what = "value" if gaps[0] > TOLERANCE else "gradient"
            return {"step": step.entry.name, "what": what, "code": repr(alone)}
    return {"step": "none by itself", "what": "", "code": repr(program)}


# -- the run --------------------------------------------------------------------------------------------------------


def shared_table(peer: str) -> list[Any]:
    """The operations of which the peer takes every example, and gives the same value."""
    return [entry for entry in composable() if all(agrees_in_value(entry, e, peer) for e in examples_of(entry))]


def examples_of(entry: Any) -> list[Example]:
    """An elementwise operation's own domain, any other's examples."""
    if getattr(entry, "elementwise", False):
        return [Example(tuple(Sample((2,), domain) for domain in entry.domain), {})]
    return list(usable_examples(entry))


def agrees_in_value(entry: Any, example: Example, peer: str) -> bool:
    """Whether the peer takes this call and gives NumPy's numbers."""
    arrays = [pattern(s) for s in slots((*example.args, *example.kwargs.values()))]
    numpy = PEER_NAMES[peer]()
    step = Step(entry, example.args, example.kwargs, tuple(Operand(i) for i in range(len(arrays))))
    mine = step.run(arrays, np)
    try:
        if peer == "JAX":
            theirs = jaxpr.run(lambda *a: step.run(a, numpy), *arrays)
        else:
            theirs = step.run([_torch_tensor(a) for a in arrays], numpy)
    except Exception:
        return False
    several = isinstance(mine, list | tuple)
    if several != isinstance(theirs, list | tuple):
        return False
    pairs = list(zip(mine, theirs, strict=False)) if several else [(mine, theirs)]
    numbers = [(np.asarray(a), _as_numpy(b)) for a, b in pairs if np.asarray(a).dtype.kind in "fc"]
    return all(distance([a], [b]) < TOLERANCE for a, b in numbers)


def _torch_tensor(array: Array) -> Any:
    import torch

    return torch.tensor(array)


def _as_numpy(value: Any) -> Array:
    return value.resolve_conj().resolve_neg().numpy() if hasattr(value, "resolve_conj") else np.asarray(value)


def drawn(number: int, table: list[Any], depth: int) -> list[Program]:
    """One chunk of programs, the same for the same number."""
    found: list[Program] = []

    @seed(number)
    @settings(
        max_examples=CHUNK, deadline=None, database=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(programs(max_depth=depth, entries=table))
    def collect(program: Program) -> None:
        found.append(program)

    collect()
    return found


def records() -> Iterator[dict[str, Any]]:
    """What is known from this run and those before it."""
    if STATE.exists():
        with STATE.open() as lines:
            for line in lines:
                yield json.loads(line)


def run(wanted: int) -> None:
    """Go on until so many different programs were compared with both peers, and a quarter of that with JAX alone."""
    known = list(records())
    seen = {r["program"] for r in known}
    STATE.parent.mkdir(exist_ok=True)
    torch_table = shared_table("PyTorch")
    jax_table = shared_table("JAX")
    stages = [
        (["JAX", "PyTorch"], [e for e in torch_table if e in jax_table], wanted),
        (["JAX"], jax_table, wanted // 4),
    ]
    for peers, table, enough in stages:
        mine = [r for r in known if sorted(r["peers"]) == sorted(peers)]
        count = sum(all(p["verdict"] != "refused" for p in r["peers"].values()) for r in mine)
        chunk = max([r["chunk"] for r in mine], default=-1) + 1
        while count < enough:
            with STATE.open("a") as state:
                for program in drawn(chunk * 2 + len(peers) - 1, table, DEPTHS[chunk % len(DEPTHS)]):
                    text = repr(program)
                    if text in seen:
                        continue
                    seen.add(text)
                    record = one(program, peers, chunk)
                    count += all(p["verdict"] != "refused" for p in record["peers"].values())
                    state.write(json.dumps(record) + "\n")
                    state.flush()
            print(f"{' and '.join(peers)}: chunk {chunk}, {count} programs", flush=True)
            chunk += 1


def one(program: Program, peers: list[str], chunk: int) -> dict[str, Any]:
    """The record of one program."""
    with np.errstate(all="ignore"):
        try:
            mine = ours(program)
        except Exception as error:
            why = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
            answers = {peer: {"verdict": "differs", "step": "ours failed", "what": why, "code": ""} for peer in peers}
        else:
            answers = {peer: compared(program, peer, mine) for peer in peers}
    return {
        "chunk": chunk, "program": repr(program), "names": program.names, "depth": program.depth,
        "inputs": len(program.arrays), "peers": answers,
    }  # fmt: skip


CAUSES = {
    ("std", "gradient"): "convention: the derivative of the std of equal elements is 0 here, NaN there",
    ("nanstd", "gradient"): "convention: the derivative of the std of equal elements is 0 here, NaN there",
    ("vector_norm", "gradient"): "convention: the derivative of a norm at 0 is 0 here, NaN there",
    ("eigh", "value"): "the sign of an eigenvector is LAPACK's own choice",
    ("vander", "gradient"): "a peer's NaN: the power rule at 0 ** 0",
    ("ldexp", "gradient"): "a peer's error at 0: the slope of x * 2 ** n is 2 ** n",
    ("logspace", "gradient"): "a peer's error: JAX and gradcheck confirm the gradient here",
    ("det", "gradient"): "a peer's error for a singular matrix: JAX and gradcheck confirm the gradient here",
    ("nanmedian", "value"): "a peer's shape: keepdims of a 0-d array",
    ("median", "value"): "a peer's shape: keepdims of a 0-d array",
    ("nanmedian", "gradient"): "convention: elements that tie share equally",
    ("median", "gradient"): "convention: elements that tie share equally",
    ("nanquantile", "gradient"): "convention: elements that tie share equally",
    ("nanpercentile", "gradient"): "convention: elements that tie share equally",
    ("sort", "gradient"): "convention: ties share equally; what shows here is the peer's det of a singular matrix",
    ("fmin", "gradient"): "convention: ties share equally; what shows here is the peer's logspace",
    ("polyfit", "gradient"): "a peer's NaN: the power rule at 0 ** 0, in its vander",
    ("polymul", "value"): "a peer's shape: it keeps the leading zeros that NumPy drops",
    ("linalg_vecdot", "value"): "a peer's value: it broadcasts before it takes axis=; the value here is NumPy's",
    ("none by itself", ""): "a peer's rounding: its geomspace of equal ends, of which these programs take bin edges",
    (
        "ours failed",
        "LinAlgError: qr: the matrix has not full rank, so its factors have no derivative there",
    ): "refused here: QR of a singular matrix; the peers give a number",
    (
        "ours failed",
        (
            "LinAlgError: slogdet: the matrix is singular, and the logarithm of a determinant of 0 has no "
            "derivative; use det"
        ),
    ): "refused here: the logarithm of 0; the peers give inf or NaN",
}
"""Every difference that was traced to its cause, by operation and what differs."""


# -- the tables -----------------------------------------------------------------------------------------------------


def tables() -> str:
    """What came out, as Markdown."""
    known = list(records())
    out = [
        "# Random programs beside JAX and PyTorch\n\nWritten by `python benchmarks/random_programs.py`.\n",
        (
            f"JAX {version('jax')} and PyTorch {version('torch')}, double precision. A difference is one of more than "
            f"{TOLERANCE:.0e} of the largest number, in a value or in a gradient."
        ),
        "",
        "| compared with | different programs | steps | agree | differ | refused by the peer | largest gap if agreed |",
        "|---|---|---|---|---|---|---|",
    ]
    for peers in (["JAX", "PyTorch"], ["JAX"]):
        mine = [r for r in known if sorted(r["peers"]) == sorted(peers)]
        for peer in peers:
            verdicts = Counter(r["peers"][peer]["verdict"] for r in mine)
            gap = max([r["peers"][peer].get("gap", 0.0) for r in mine], default=0.0)
            where = f"{peer}{'' if len(peers) == 2 else ', more operations'}"
            out.append(
                f"| {where} | {len(mine):,} | {sum(len(r['names']) for r in mine):,} | {verdicts['agrees']:,} | "
                f"{verdicts['differs']} | {verdicts['refused']} | {gap:.0e} |"
            )
    both = [r for r in known if len(r["peers"]) == 2 and all(p["verdict"] != "refused" for p in r["peers"].values())]
    out += ["", f"{len(both):,} programs were compared with both.", "", "## Differences", ""]
    causes = Counter(
        (peer, p["step"], p["what"]) for r in known for peer, p in r["peers"].items() if p["verdict"] == "differs"
    )
    out += ["| peer | operation | differs in | programs | cause |", "|---|---|---|---|---|"]
    for (peer, step, what), n in causes.most_common():
        out.append(f"| {peer} | `{step}` | {what} | {n} | {CAUSES.get((step, what), '**not traced yet**')} |")
    refused = Counter((q, a["why"]) for r in known for q, a in r["peers"].items() if a["verdict"] == "refused")
    out += ["", "## Refusals of the peers", "", "| peer | what it says | programs |", "|---|---|---|"]
    out += [f"| {peer} | {why.replace('|', chr(92) + '|')} | {n} |" for (peer, why), n in refused.most_common(12)]
    depths = Counter(r["depth"] for r in known)
    out += ["", "## Depth", "", "| depth | " + " | ".join(str(d) for d in sorted(depths)) + " |"]
    out += [
        "|---" * (len(depths) + 1) + "|",
        "| programs | " + " | ".join(str(depths[d]) for d in sorted(depths)) + " |",
    ]
    uses = Counter(name for r in known for name in r["names"])
    out += ["", "## Operations", "", f"{len(uses)} operations, by how often each was used:", ""]
    out.append(", ".join(f"`{name}` {n}" for name, n in uses.most_common()))
    return "\n".join(out) + "\n"


def main() -> int:
    """Run, or print what is known."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("programs", nargs="?", type=int, default=10_000)
    parser.add_argument("--table", action="store_true", help="print the tables of what was run")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    if not arguments.table:
        run(arguments.programs)
    PAGE.write_text(tables(), encoding="utf-8")
    print(PAGE.read_text(encoding="utf-8"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
