"""The arithmetic: our own implementation against the worked example, and mergekit's against ours."""

from __future__ import annotations

import pytest
import torch
from mergekit import merge_methods
from mergekit.common import ModelReference
from mergekit.merge_methods.base import TensorEntry, TensorGroup

from bestpath.core.errors import UserError
from bestpath.stages.merging.methods import METHODS, configuration
from tests.stages.merging import oracle

DELTA_L, DELTA_A = torch.tensor([0.4, -0.2, 0.1, 0.3]), torch.tensor([0.2, 0.4, -0.3, 0.1])
ZERO = torch.zeros(4)
MASKS = [torch.tensor([1.0, 0, 1, 0]), torch.tensor([0.0, 1, 1, 0])]
MERGED = torch.tensor([0.8, 0.571429, -0.428571, 0.0])
ONES = [torch.ones(4)] * 2


def mergekit(method, deltas, *, density, weight, normalize):
    """mergekit's own function on tensors, the base being zero."""
    names = [ModelReference.parse(name) for name in ("base", "length", "accuracy")]
    tensors = [torch.zeros_like(deltas[0]), *deltas]
    entries = [TensorEntry(id=n, tensor=t, is_base=n is names[0]) for n, t in zip(names, tensors, strict=True)]
    per_model = {name: density for name in names[1:]}, {name: weight for name in names[1:]}
    parameters = {"density": per_model[0], "weight": per_model[1], "normalize": normalize, "int8_mask": False}
    parameters |= {"rescale": method.startswith("dare"), "lambda": 1.0}
    return merge_methods.get(method).merge_group(TensorGroup(entries=tuple(entries)), **parameters)


@pytest.mark.parametrize("weight", [0.25, 1.0])
def test_the_worked_example_of_dare_ties(weight, monkeypatch):
    ours = oracle.dare_ties(ZERO, [DELTA_L, DELTA_A], MASKS, weight, True)
    torch.testing.assert_close(ours, MERGED, rtol=0, atol=1e-6)
    masks = iter(MASKS)
    monkeypatch.setattr(torch, "bernoulli", lambda probability: next(masks))
    theirs = mergekit("dare_ties", [DELTA_L, DELTA_A], density=0.5, weight=weight, normalize=True)
    torch.testing.assert_close(theirs, MERGED, rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    ("weight", "normalize", "merged"),
    [(0.25, True, [0.3, 0.4, -0.3, 0.2]), (1.0, True, [0.3, 0.4, -0.3, 0.2]), (0.25, False, [0.15, 0.1, -0.075, 0.1])],
)
def test_the_worked_example_at_density_1(weight, normalize, merged):
    ours = oracle.dare_ties(ZERO, [DELTA_L, DELTA_A], ONES, weight, normalize)
    torch.testing.assert_close(ours, torch.tensor(merged), rtol=0, atol=1e-6)
    for method in ("dare_ties", "ties"):
        theirs = mergekit(method, [DELTA_L, DELTA_A], density=1.0, weight=weight, normalize=normalize)
        torch.testing.assert_close(theirs, torch.tensor(merged), rtol=0, atol=1e-6)


def gaussian(correlation, n=400_000):
    generator = torch.Generator().manual_seed(3)
    a, b = torch.randn(2, n, generator=generator)
    return a, correlation * a + (1 - correlation**2) ** 0.5 * b


@pytest.mark.parametrize("density", [0.25, 0.5, 1.0])
def test_where_signs_agree_the_merge_goes_from_the_sum_to_the_average(density):
    """Expected merged delta = (delta_L + delta_A) * (1 - density / 2)."""
    torch.manual_seed(0)
    a, b = gaussian(0.5)
    merged = mergekit("dare_ties", [a, b], density=density, weight=0.5, normalize=True)
    agree = a.sign() == b.sign()
    slope = (merged[agree] @ (a + b)[agree]) / (a + b)[agree].square().sum()
    assert slope == pytest.approx(1 - density / 2, abs=0.02)


@pytest.mark.parametrize(("correlation", "cosine", "norm"), [(0.0, 0.48, 3.8), (0.5, 0.58, 3.1), (0.9, 0.65, 2.7)])
def test_density_a_quarter_is_far_from_the_average(correlation, cosine, norm):
    torch.manual_seed(0)
    a, b = gaussian(correlation)
    merged, average = mergekit("dare_ties", [a, b], density=0.25, weight=0.25, normalize=True), (a + b) / 2
    assert torch.cosine_similarity(merged, average, dim=0) == pytest.approx(cosine, abs=0.01)
    assert merged.norm() / average.norm() == pytest.approx(norm, abs=0.06)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"method": "dare_tis"}, "did you mean 'dare_ties'"),
        ({"method": "average"}, "known: dare_ties, ties"),
        ({"method": "ties", "density": 0.0}, r"must be in \(0, 1\]"),
        ({"method": "ties", "weight": 0.0}, "must be above 0"),
        ({"method": "linear"}, "linear needs a share"),
        ({"method": "ties", "share": 0.5}, "ties has no share"),
        ({"method": "slerp", "share": 1.5}, r"must be in \[0, 1\]"),
    ],
)
def test_senseless_settings_are_told(settings, said):
    with pytest.raises(UserError, match=said):
        oracle.method_of(**settings)


def test_a_share_needs_two_models(tmp_path):
    with pytest.raises(UserError, match="linear takes two models, not 3"):
        configuration(oracle.method_of("linear", share=0.5), tmp_path, [tmp_path] * 3, "float32")


@pytest.mark.parametrize("name", METHODS)
def test_every_method_is_stated_in_full_and_in_float32(name, tmp_path):
    method = oracle.method_of(name, share=0.5 if name in ("linear", "slerp") else None)
    stated = configuration(method, tmp_path / "base", [tmp_path / "a", tmp_path / "b"], "bfloat16")
    assert (stated["dtype"], stated["out_dtype"]) == ("float32", "bfloat16")
    known = {parameter.name for parameter in merge_methods.get(name).spec.parameters}
    used = set(stated["parameters"]) | {key for model in stated["models"] for key in model["parameters"]}
    assert used <= known
    assert used >= known - {"int8_mask"}
