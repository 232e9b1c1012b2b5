from __future__ import annotations

import pytest

from tests.stages.training.tiny import make_model


@pytest.fixture(autouse=True, scope="session")
def one_thread():
    """Other numbers of threads give other bytes, and waste time on models this small."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def base(tmp_path_factory):
    """The folder of a tiny random model with a tokenizer and a chat template."""
    return make_model(tmp_path_factory.mktemp("models") / "base")
