"""A small random model with a real tokenizer, made in a moment."""

from __future__ import annotations

from pathlib import Path
from typing import Any

CHAT_TEMPLATE = (
    "{% for message in messages %}{{ '<|start|>' + message['role'] + '\\n' + message['content'] + '<|end|>\\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|start|>assistant\\n' }}{% endif %}"
)
ARCHITECTURES = ("qwen2", "llama", "qwen3")
# A random model hardly ever draws one given token; with these as end tokens completions have natural lengths.
ENDS = list(range(12))


def build_tokenizer(chat_template: str | None = CHAT_TEMPLATE, bos: str | None = None) -> Any:
    """Bytes and a few merged words; reversible on any text."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    backend = Tokenizer(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=300,
        special_tokens=["<|end|>", "<|start|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    backend.train_from_iterator(["how many apples are there in the end, and how many pears"] * 3, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=backend,
        eos_token="<|end|>",
        pad_token="<|end|>",
        bos_token=bos,
        chat_template=chat_template,
        clean_up_tokenization_spaces=False,
    )


def build_config(architecture: str = "qwen2", vocabulary: int = 304, **changes: Any) -> Any:
    """Weights large enough for clear preferences among tokens. Odd sizes, so that no kernel is flattered."""
    from transformers import AutoConfig

    settings: dict[str, Any] = {
        "vocab_size": vocabulary,
        "hidden_size": 48,
        "intermediate_size": 101,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": {"qwen2": 2, "llama": 4, "qwen3": 1}[architecture],
        "head_dim": 12 if architecture != "qwen3" else 20,
        "max_position_embeddings": 256,
        "initializer_range": 0.2,
        "eos_token_id": 0,
        "bos_token_id": None,
        "pad_token_id": 0,
    }
    return AutoConfig.for_model(architecture, **{**settings, **changes})


def build_model(architecture: str = "qwen2", vocabulary: int = 304, **changes: Any) -> Any:
    """A language model of random weights."""
    import torch
    from transformers import AutoModelForCausalLM, GenerationConfig

    torch.manual_seed(5)
    model = AutoModelForCausalLM.from_config(build_config(architecture, vocabulary, **changes))
    model.generation_config = GenerationConfig(eos_token_id=ENDS, pad_token_id=0)
    return model.eval()


def build_folder(folder: Path, architecture: str = "qwen2", **changes: Any) -> Path:
    """A model folder as the engine loads it."""
    build_model(architecture, **changes).save_pretrained(folder)
    build_tokenizer().save_pretrained(folder)
    return folder


def build_reward_model(architecture: str = "qwen2", labels: int = 1, **changes: Any) -> Any:
    """A reward model of random weights."""
    import torch
    from transformers import AutoModelForSequenceClassification

    torch.manual_seed(6)
    config = build_config(architecture, num_labels=labels, **changes)
    return AutoModelForSequenceClassification.from_config(config).eval()


def build_reward_folder(
    folder: Path, architecture: str = "qwen2", template: str = CHAT_TEMPLATE, **changes: Any
) -> Path:
    """A folder with a reward model."""
    build_reward_model(architecture, **changes).save_pretrained(folder)
    build_tokenizer(template).save_pretrained(folder)
    return folder
