from __future__ import annotations

import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file

from tests.stages.training.tiny import make_model


@pytest.fixture(scope="session")
def base(tmp_path_factory):
    """The folder of a tiny random model."""
    return make_model(tmp_path_factory.mktemp("merging") / "base")


@pytest.fixture(scope="session")
def moved(base, tmp_path_factory):
    """Make a model whose weights differ from the base's by Gaussian noise."""

    def make(name, seed, scale=1e-3):
        folder = shutil.copytree(base, tmp_path_factory.mktemp("merging") / name)
        generator = torch.Generator().manual_seed(seed)
        weights = load_file(base / "model.safetensors")
        noisy = {k: w + scale * torch.randn(w.shape, generator=generator) for k, w in weights.items()}
        save_file(noisy, folder / "model.safetensors", {"format": "pt"})
        return folder

    return make


@pytest.fixture(scope="session")
def twins(moved):
    """Two models trained from the base: length and accuracy."""
    return [moved("length", 1), moved("accuracy", 2)]
