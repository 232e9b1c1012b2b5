"""Counting tokens by a model's own tokenizer and chat template."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from bestpath.core.search import Message


def text_counter(folder: Path) -> Callable[[str], int]:
    """Counts the tokens of a text, without any token that only marks its beginning or end."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    return lambda text: len(tokenizer.encode(text, add_special_tokens=False))


def prompt_counter(folder: Path) -> Callable[[Sequence[Message]], int]:
    """Counts the tokens of a chat under the model's template, up to where the assistant's turn begins."""
    from transformers import PreTrainedTokenizerFast  # AutoTokenizer imports torch, for seconds

    tokenizer = PreTrainedTokenizerFast.from_pretrained(folder)

    def count(messages: Sequence[Message]) -> int:
        turns = [{"role": message.role, "content": message.content} for message in messages]
        text = tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
        return len(tokenizer.encode(text, add_special_tokens=False))

    return count


class TextTokenizer:
    """A model's tokenizer on bare text: nothing marks its beginning or end."""

    def __init__(self, folder: Path) -> None:
        from tokenizers import Tokenizer

        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))

    def encode(self, text: str) -> list[int]:
        """Token ids."""
        return list(self._tokenizer.encode(text, add_special_tokens=False).ids)

    def decode(self, ids: Sequence[int]) -> str:
        """Their text; special tokens are left out."""
        return str(self._tokenizer.decode(list(ids)))
