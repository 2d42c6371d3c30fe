"""The table of what was found by trying every entry of the registry: ``docs/checks.md``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from autodiff.primitive import registry
from autodiff.testing import Survey, survey

HEAD = """# What the checks found

Written by `python -m docs` from the table of primitives, by trying each entry; do not edit. The tests try the entries
too, and compare the results with this page.

- **by**: the arguments to which a derivative flows; `0` if it is zero everywhere.
- **domain**: the open intervals, without kinks, from which values are drawn; or the number of calls that are tried.
- **kinks**: the gradient at a kink, and the slopes to its two sides. *No slope*: one of them is infinite. *Smooth*: two
  branches of a formula meet without a kink.
- **orders**: how many orders of derivatives agree with differences; three are tried.
- **types**: the precisions (16, 32, 64 bits) in which values are those of NumPy, and gradients have the dtype of the
  argument.
- **complex**: the gradient of complex arguments is right. **vmap**: the function can be mapped, and equals a loop.
- **refuses**: the number of wrong calls that the entry lists. In addition every right call is changed to wrong ones (an
  array of another shape, an option out of its range, an unknown keyword, `out=`). If NumPy raises, the entry must raise
  too, with a message that names the function. If NumPy does not raise, the values must be those of NumPy.
"""
PAGE = Path(__file__).parent / "checks.md"
COLUMNS = ("function", "by", "domain", "kinks", "orders", "types", "complex", "vmap", "refuses")


def row(spelled: str, found: Survey, refused: int) -> str:
    """One line of the table."""
    cells = (
        spelled,
        ", ".join(f"`{name}`" for name in found.arguments) or "`0`",
        found.domain,
        "; ".join(found.kinks),
        str(found.orders) if found.arguments else "",
        ", ".join(name.removeprefix("float") for name in found.dtypes),
        "yes" if found.complex else "",
        "yes" if found.mapped else "",
        str(refused or ""),
    )
    return f"| {' | '.join(cells)} |"


def checks(spelled: Callable[[Any], str]) -> str:
    """The page: a row for each entry, in the order of the table."""
    lines = [f"| {' | '.join(COLUMNS)} |", "|---" * len(COLUMNS) + "|"]
    for entry in list(registry.values()):
        found = survey(entry)
        if found.faults:
            raise AssertionError(f"{entry.name}: {'; '.join(found.faults)}")
        lines.append(row(spelled(entry), found, len(entry.errors)))
    return "\n".join([HEAD, *lines]) + "\n"


def rows() -> list[str]:
    """The rows that stand in the page now."""
    lines = PAGE.read_text(encoding="utf-8").splitlines() if PAGE.exists() else []
    return [line for line in lines if line.startswith("| `")]


def is_complete(spelled: Callable[[Any], str]) -> bool:
    """Whether the page has a row for each entry, in order; what the rows say is compared where entries are tested."""
    return [line.split(" | ")[0] for line in rows()] == [f"| {spelled(entry)}" for entry in list(registry.values())]
