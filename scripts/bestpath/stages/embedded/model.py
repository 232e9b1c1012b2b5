"""The embedded base model before training: its size from one dial, and how its weights begin."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transformers import LlamaForCausalLM, PreTrainedTokenizerFast

HEAD = 32
_PERIODS = (2, 5, 10, 20, 50, 100, 200)


@dataclass(frozen=True)
class Size:
    """The size dial: `depth` layers of width 32 * depth. Depth 3 has about 0.3 million parameters.

    All heads of a layer share their keys and values: grouped-query attention, as in the models it stands for.
    """

    depth: int

    @property
    def width(self) -> int:
        """The width of the residual stream."""
        return HEAD * self.depth


def new_model(
    size: Size, tokenizer: PreTrainedTokenizerFast, largest: int, context: int, seed: int
) -> LlamaForCausalLM:
    """A small Llama with fresh weights, the same for the same arguments.

    The embeddings of numbers begin as waves of several periods: numbers that are close, or that end in the same
    digit, begin alike. A model this small would otherwise spend most of its training on finding that out.
    """
    import torch
    from transformers import GenerationConfig, LlamaConfig, LlamaForCausalLM

    torch.manual_seed(seed)
    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=-(-len(tokenizer) // 64) * 64,
            hidden_size=size.width,
            intermediate_size=2 * size.width,
            num_hidden_layers=size.depth,
            num_attention_heads=size.depth,
            num_key_value_heads=1,
            head_dim=HEAD,
            max_position_embeddings=context,
            tie_word_embeddings=True,
            initializer_range=size.width**-0.5,
            pad_token_id=tokenizer.pad_token_id,
            bos_token_id=None,
            eos_token_id=tokenizer.eos_token_id,
            dtype="float32",
        )
    )
    model.generation_config = GenerationConfig(eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id)
    with torch.no_grad():
        embeddings = torch.nn.init.normal_(model.model.embed_tokens.weight, 0.0, 0.05)
        for name, weight in model.named_parameters():
            if name.endswith(("o_proj.weight", "down_proj.weight")):
                weight.mul_(1 / math.sqrt(2 * size.depth))
        numbers = torch.arange(largest + 1)[:, None]
        angles = 2 * math.pi * numbers / torch.tensor(_PERIODS)
        waves = torch.cat([angles.cos(), angles.sin()], dim=1)
        directions = torch.linalg.qr(torch.randn(size.width, waves.shape[1]))[0]
        for blank in ("", "Ġ"):
            ids = tokenizer.convert_tokens_to_ids([f"{blank}{n}" for n in range(largest + 1)])
            embeddings[torch.tensor(ids)] += 0.3 * waves @ directions.T
    return model
