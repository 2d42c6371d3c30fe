"""JSON with all facts about the graph, for programs."""

from __future__ import annotations

import json
import math
from typing import Any

from ..picture.measure import Measure
from ..picture.model import Picture


def _measure(m: Measure | None) -> dict[str, Any] | None:
    if m is None:
        return None
    numbers = {"min": m.low, "mean": m.mean, "max": m.high, "norm": m.norm}
    plain: dict[str, Any] = {name: v if math.isfinite(v) else None for name, v in numbers.items()}
    return {**plain, "size": m.size, "nan": m.nan, "infinite": m.infinite, "text": m.text}


def as_json(picture: Picture) -> str:
    """Every box and group, visible or not, as strict JSON: a number that is not finite is null."""
    boxes = [
        {
            "id": i, "kind": b.kind, "operation": b.operation, "name": b.name, "label": b.label, "shape": b.shape,
            "dtype": b.dtype, "parents": b.parents, "arguments": b.arguments, "group": b.group, "line": b.line,
            "active": b.active, "value": _measure(b.value), "gradient": _measure(b.gradient), "kept_bytes": b.kept,
            "forward_seconds": b.forward, "backward_seconds": b.backward, "state": b.state, "message": b.message,
        }
        for i, b in enumerate(picture.boxes)
    ]  # fmt: skip
    groups = [
        {
            "id": i, "kind": g.kind, "name": g.name, "type": g.type, "parent": g.parent, "open": g.open,
            "operations": g.operations, "parameters": g.parameters, "children": g.children,
        }
        for i, g in enumerate(picture.groups)
    ]  # fmt: skip
    whole = {
        "title": picture.title,
        "facts": picture.facts,
        "outputs": picture.outputs,
        "boxes": boxes,
        "groups": groups,
    }
    return json.dumps(whole, ensure_ascii=False, indent=1, allow_nan=False)
