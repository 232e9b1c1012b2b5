"""A tiny random model with a real byte-level tokenizer and a chat template, and rows to train it on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bestpath.stages.training.recipe import Recipe

TEMPLATE = (
    "{% for message in messages %}{{ '<|start|>' + message['role'] + '\\n' + message['content'] + '<|end|>\\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|start|>assistant\\n' }}{% endif %}"
)


def recipe_of(learning_rate: float, **given: Any) -> Recipe:
    """A recipe of DPO with a small adapter, but for what is given."""
    settings = {
        "objective": "dpo",
        "loss": "sigmoid",
        "beta": 0.1,
        "ld_alpha": None,
        "sft_weight": 0.0,
        "epochs": 1.0,
        "global_batch": 8,
        "micro_batch": 1,
        "max_length": 4096,
        "warmup_ratio": 0.1,
        "scheduler": "cosine",
        "lora_rank": 8,
        "lora_alpha": 16,
        "lora_dropout": 0.0,
        "lora_targets": "all-linear",
        "precision": "bfloat16",
        "gradient_checkpointing": False,
        "padding_free": False,
        "liger": False,
        "zero": 0,
        "checkpoints": 4,
        "seed": 42,
        "trust_remote_code": False,
    }
    return Recipe(**{**settings, "learning_rate": learning_rate, **given})


def make_tokenizer(template: str | None = TEMPLATE, extra: tuple[str, ...] = ()):
    """Bytes and three special tokens (259 ids); `extra` tokens follow."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    backend = Tokenizer(models.BPE(vocab={c: i for i, c in enumerate(alphabet)}, merges=[]))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    specials = ("<|pad|>", "<|start|>", "<|end|>", *extra)
    backend.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in specials])
    return PreTrainedTokenizerFast(
        tokenizer_object=backend, pad_token="<|pad|>", eos_token="<|end|>", chat_template=template
    )


def make_model(folder: Path, seed: int = 0, tokenizer=None, **config) -> Path:
    """Save a random Qwen2 model of two layers and width 32 with its tokenizer."""
    import torch
    from transformers import Qwen2Config, Qwen2ForCausalLM

    tokenizer = tokenizer or make_tokenizer()
    settings = {
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "num_key_value_heads": 1,
        "vocab_size": 264,
        "max_position_embeddings": 256,
        "tie_word_embeddings": True,
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
        "bos_token_id": None,
        **config,
    }
    torch.manual_seed(seed)
    model = Qwen2ForCausalLM(Qwen2Config(**settings))
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def chat(role: str, text: str) -> list[dict[str, str]]:
    """A chat of one turn."""
    return [{"role": role, "content": text}]


def pair(number: int) -> dict[str, object]:
    """A preference for the short answer over the long one."""
    return {
        "problem_id": f"p{number}",
        "prompt": chat("user", f"what is {number}+1?"),
        "chosen": chat("assistant", f"{number + 1}"),
        "rejected": chat("assistant", f"{number}+1={number + 1}, check {number + 1}-1={number}, so {number + 1}"),
    }


def example(number: int) -> dict[str, object]:
    """A completion to imitate."""
    row = pair(number)
    return {"problem_id": row["problem_id"], "prompt": row["prompt"], "completion": row["chosen"]}
