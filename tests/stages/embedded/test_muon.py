from __future__ import annotations

import pytest
import torch

from bestpath.stages.embedded import pretraining
from bestpath.stages.embedded.muon import Float32Muon, orthogonalised
from bestpath.stages.embedded.pretraining import Course

SETTINGS = {"lr": 0.01, "weight_decay": 0.1, "momentum": 0.95, "adjust_lr_fn": "match_rms_adamw"}
COEFFICIENTS = (3.4445, -4.7750, 2.0315)


def trained(muon: type[torch.optim.Optimizer], shape: tuple[int, int], steps: int = 5) -> torch.Tensor:
    """A matrix after some steps down a quadratic valley."""
    generator = torch.Generator().manual_seed(1)
    start, target = (torch.randn(shape, generator=generator) for _ in range(2))
    weight = torch.nn.Parameter(start.clone())
    optimizer = muon([weight], **SETTINGS)  # type: ignore[call-arg]
    for _ in range(steps):
        optimizer.zero_grad()
        (weight - target).square().sum().backward()
        optimizer.step()
    return weight.detach() - start


@pytest.mark.parametrize("shape", [(64, 64), (128, 64), (32, 64)])
def test_its_steps_are_those_of_torch_up_to_the_rounding_of_bfloat16(shape: tuple[int, int]) -> None:
    ours, torchs = trained(Float32Muon, shape), trained(torch.optim.Muon, shape)
    difference = (ours - torchs).norm() / torchs.norm()
    assert 0 < difference < 0.02  # bfloat16 has 8 bits: a rounding is up to 2 ** -8 of a number
    assert torch.nn.functional.cosine_similarity(ours.flatten(), torchs.flatten(), dim=0) > 0.9998


@pytest.mark.parametrize("shape", [(16, 40), (40, 16)])
def test_singular_vectors_stay_and_singular_values_become_about_one(shape: tuple[int, int]) -> None:
    matrix = torch.randn(shape, generator=torch.Generator().manual_seed(2))
    before = matrix.clone()
    left, _, right = torch.linalg.svd(matrix, full_matrices=False)
    core = left.T @ orthogonalised(matrix, COEFFICIENTS, 5, 1e-7) @ right.T
    values = core.diagonal()
    assert torch.allclose(core, values.diag(), atol=1e-4)
    assert values.min() > 0.6 and values.max() < 1.3
    assert torch.equal(matrix, before)


def test_a_matrix_without_gradient_stays_and_a_closure_gives_the_loss() -> None:
    used, unused = (torch.nn.Parameter(torch.ones(2, 2)) for _ in range(2))
    optimizer = Float32Muon([used, unused], **SETTINGS)

    def loss() -> torch.Tensor:
        total = used.square().sum()
        total.backward()
        return total

    assert optimizer.step(loss) == 4
    assert optimizer.step() is None
    assert torch.equal(unused, torch.ones(2, 2)) and not torch.equal(used, torch.ones(2, 2))


def test_it_goes_on_from_a_state_of_torchs() -> None:
    weight = torch.nn.Parameter(torch.randn(8, 4, generator=torch.Generator().manual_seed(3)))
    first, second = torch.optim.Muon([weight], **SETTINGS), Float32Muon([weight], **SETTINGS)
    weight.grad = torch.ones_like(weight)
    first.step()
    second.load_state_dict(first.state_dict())
    second.step()
    assert torch.allclose(second.state[weight]["momentum_buffer"], torch.full((8, 4), 0.05 + 0.95 * 0.05))


@pytest.mark.parametrize(("dtype", "muon"), [("bfloat16", torch.optim.Muon), ("float32", Float32Muon)])
def test_pretraining_takes_the_one_that_the_settings_name(dtype: str, muon: type) -> None:
    model = torch.nn.Sequential(torch.nn.Linear(4, 4))
    course = Course(steps=1, batch=1, seed=1, threads=2, matrix_rate=0.01, muon_dtype=dtype)
    matrices, others = pretraining._optimizers(model, course)
    assert type(matrices) is muon and type(others) is torch.optim.AdamW
