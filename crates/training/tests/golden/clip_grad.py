"""Writes clip_grad.json: what torch.nn.utils.clip_grad_norm_ and clip_grad_value_ make of gradients.

    pip install torch==2.15.0 numpy
    python clip_grad.py

A case has the gradients of a layer's weight and bias in `f32`, the limit, and what PyTorch made of
them; `norm` is what clip_grad_norm_ returned. Numbers that are not finite are strings.
"""

import json
import math
from pathlib import Path

import torch

HERE = Path(__file__).parent


def plain(value):
    if isinstance(value, list):
        return [plain(v) for v in value]
    return value if math.isfinite(value) else str(value)


def clipped(kind, limit, weight, bias):
    grads = [torch.tensor(weight), torch.tensor(bias)]
    params = [torch.nn.Parameter(torch.zeros_like(grad)) for grad in grads]
    for param, grad in zip(params, grads):
        param.grad = grad.clone()
    # Also for values, so that every case has the norm before clipping.
    norm = torch.nn.utils.get_total_norm([param.grad for param in params])
    if kind == "norm":
        norm = torch.nn.utils.clip_grad_norm_(params, limit)
    else:
        torch.nn.utils.clip_grad_value_(params, limit)
    return {
        "kind": kind,
        "limit": limit,
        "weight": plain(weight),
        "bias": plain(bias),
        "norm": plain(norm.item()),
        "clipped_weight": plain(params[0].grad.tolist()),
        "clipped_bias": plain(params[1].grad.tolist()),
    }


torch.manual_seed(0)
inf, nan = math.inf, math.nan
gradients = []
for scale in [1e-12, 1e-3, 1.0, 1e3, 1e15]:
    drawn = torch.randn(3, 2) * scale, torch.randn(2) * scale
    gradients.append([grad.tolist() for grad in drawn])
zero = [[0.0, 0.0]] * 3
gradients += [
    [zero, [0.0, 0.0]],
    [[[3.0, 0.0], [0.0, 0.0], [0.0, 0.0]], [0.0, 4.0]],
    [zero, [nan, 1.0]],
    [zero, [1.0, -inf]],
    [[[inf, -inf], [nan, 0.5], [-2.0, 2.0]], [1.0, 1.0]],
    [[[3e30, 1.0], [0.0, 0.0], [0.0, 0.0]], [1.0, 1.0]],
]
cases = [
    clipped(kind, limit, weight, bias)
    for weight, bias in gradients
    for kind in ["norm", "value"]
    for limit in [1e-3, 1.0, 5.0, 1e9]
]
golden = {"torch": torch.__version__, "cases": cases}
(HERE / "clip_grad.json").write_text(json.dumps(golden) + "\n")
