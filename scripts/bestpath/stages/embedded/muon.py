"""Muon (https://kellerjordan.github.io/posts/muon) that orthogonalises in float32.

torch's own orthogonalises in bfloat16, which a CPU without instructions for it emulates: it then takes as long as the
forward and backward pass of a small model, and float32 a tenth of that.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


class Float32Muon(torch.optim.Muon):
    """torch's Muon with Nesterov momentum and the rate of `match_rms_adamw`; a state is good for either."""

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        """Update every matrix that has a gradient; returns the loss that `closure` computes, if it is given."""
        with torch.enable_grad():
            loss = closure and closure()
        for group in self.param_groups:
            rate, kept = group["lr"], group["momentum"]
            for weight in group["params"]:
                if weight.grad is None:
                    continue
                state = self.state[weight]
                if "momentum_buffer" not in state:
                    state["momentum_buffer"] = torch.zeros_like(weight.grad)
                momentum = state["momentum_buffer"].lerp_(weight.grad, 1 - kept)
                direction = orthogonalised(
                    weight.grad.lerp(momentum, kept), group["ns_coefficients"], group["ns_steps"], group["eps"]
                )
                weight.mul_(1 - rate * group["weight_decay"])
                weight.add_(direction, alpha=-0.2 * rate * max(weight.shape) ** 0.5)
        return loss


def orthogonalised(matrix: Tensor, coefficients: tuple[float, float, float], steps: int, eps: float) -> Tensor:
    """A matrix with the same singular vectors whose singular values are about 1, by Newton-Schulz iterations.

    The matrix is of shape (rows, columns), and so is the result; `coefficients` are those of the quintic iteration.
    """
    a, b, c = coefficients
    tall = matrix.size(0) > matrix.size(1)
    result = matrix.T if tall else matrix
    result = result / result.norm().clamp(min=eps)
    for _ in range(steps):
        gram = result @ result.T
        result = torch.addmm(result, torch.addmm(gram, gram, gram, beta=b, alpha=c), result, beta=a)
    return result.T if tall else result
