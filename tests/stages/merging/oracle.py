"""Merging in plain torch, straight from the definitions on docs/recut.md, to judge mergekit's results by."""

from __future__ import annotations

from typing import Any

import torch

from bestpath.stages.merging.methods import Method


def method_of(method: str, **given: Any) -> Method:
    """A merge method that keeps and averages everything, but for what is given."""
    return Method(**{"method": method, "density": 1.0, "weight": 0.5, "normalize": True, "share": None, **given})


def linear(first, second, share):
    """share * first + (1 - share) * second."""
    return share * first + (1 - share) * second


def slerp(first, second, share):
    """The point `share` of the way from second to first on the great circle, or on the line if nearly collinear."""
    cosine = (first.flatten() @ second.flatten()) / (first.norm() * second.norm())
    if cosine.abs() > 0.9995:
        return linear(first, second, share)
    angle = torch.acos(cosine)
    return (torch.sin((1 - share) * angle) * second + torch.sin(share * angle) * first) / torch.sin(angle)


def task_arithmetic(base, models, weight, normalize):
    """base + weighted sum (or mean) of the deltas."""
    total = sum(weight * (model - base) for model in models)
    return base + (total / (weight * len(models)) if normalize else total)


def keep_largest(delta, density):
    """The largest `density` of the entries by magnitude."""
    keep = max(1, int(density * delta.numel()))
    mask = torch.zeros(delta.numel())
    mask[delta.flatten().abs().argsort(descending=True)[:keep]] = 1
    return delta * mask.reshape(delta.shape)


def keep_at_random(delta, mask):
    """The masked entries, scaled so that the L1 norm is that of all."""
    kept = delta * mask
    return kept * (delta.abs().sum() / kept.abs().sum()) if kept.any() else kept


def elect_and_add(deltas, weight, normalize):
    """TIES: the sign of the weighted sum is elected (0 counts as +), and only entries of that sign are added."""
    weighted = [weight * delta for delta in deltas]
    elected = torch.where(sum(weighted) >= 0, 1.0, -1.0)
    agree = [(delta.sign() == elected) for delta in weighted]
    total = sum(delta * keep for delta, keep in zip(weighted, agree, strict=True))
    if not normalize:
        return total
    weights = sum(weight * keep for keep in agree)
    return total / torch.where(weights == 0, torch.ones_like(total), weights)


def ties(base, models, density, weight, normalize):
    """TIES on whole tensors."""
    return base + elect_and_add([keep_largest(model - base, density) for model in models], weight, normalize)


def dare_ties(base, models, masks, weight, normalize):
    """DARE with given masks, then TIES."""
    kept = [keep_at_random(model - base, mask) for model, mask in zip(models, masks, strict=True)]
    return base + elect_and_add(kept, weight, normalize)


def dare_linear(base, models, masks, weight, normalize):
    """DARE with given masks, then the weighted sum or mean."""
    kept = [base + keep_at_random(model - base, mask) for model, mask in zip(models, masks, strict=True)]
    return task_arithmetic(base, kept, weight, normalize)


def sce(base, models, density):
    """SCE: the entries of largest variance; models weighed by mean square, equally if that is under 1e-6."""
    deltas = torch.stack([model - base for model in models])
    if density < 1:
        variance = deltas.var(dim=0, unbiased=False).flatten()
        mask = torch.zeros_like(variance)
        mask[variance.topk(int(variance.count_nonzero() * density)).indices] = 1
        deltas = deltas * mask.reshape(base.shape)
    elected = torch.where(deltas.sum(dim=0) >= 0, 1.0, -1.0)
    squares = deltas.square().flatten(1).mean(dim=1)
    weights = squares / squares.sum() if squares.sum() >= 1e-6 else torch.full_like(squares, 1 / len(models))
    kept = weights.reshape(-1, *[1] * base.dim()) * (deltas.sign() == elected)
    return base + (deltas * kept).sum(dim=0) / kept.sum(dim=0).clamp(min=1e-6)
