"""Between chats and token ids: the model's own chat template in, its own tokenizer out."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from bestpath.errors import UserError
from bestpath.search import Generate, Message


class Chat:
    """Renders requests to prompts and completions to text, by a tokenizer of transformers."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        # Several samples of one prompt, and both turns of a pair, are rendered once.
        self._prompt = lru_cache(maxsize=4096)(self._render)

    def prompt(self, request: Generate) -> tuple[int, ...]:
        """The prompt's token ids: the chat, the opening of the assistant's turn, and what the request prefills.

        Raises UserError when the chat template cannot render the chat or begins it with two start tokens.
        """
        return self._prompt(request.messages, request.prefill)

    def text(self, request: Generate, ids: Sequence[int]) -> str:
        """The text of a completion without its end token and other special tokens."""
        before = self._ids(request.prefill)
        start = self._decode(before)
        whole = self._decode([*before, *ids])
        # Some tokenizers drop a blank at the very beginning: decode the completion behind what precedes it.
        return whole[len(start) :] if whole.startswith(start) else self._decode(ids)

    def _render(self, messages: tuple[Message, ...], prefill: str) -> tuple[int, ...]:
        from jinja2 import TemplateError

        chat = [{"role": message.role, "content": message.content} for message in messages]
        try:
            ids = self._tokenizer.apply_chat_template(chat, add_generation_prompt=True, return_dict=False)
        except TemplateError as error:
            roles = ", ".join(message.role for message in messages)
            raise UserError(
                f"the model's chat template cannot render a chat of the roles {roles} ({error}); "
                "use a model whose template allows them"
            ) from error
        start = self._tokenizer.bos_token_id
        if start is not None and ids[:2] == [start, start]:
            raise UserError("the model's chat template begins a chat with two start tokens; remove one of them")
        if not ids:
            raise UserError("the model's chat template renders nothing; correct it")
        return (*ids, *self._ids(prefill))

    def _ids(self, text: str) -> list[int]:
        return list(self._tokenizer.encode(text, add_special_tokens=False)) if text else []

    def _decode(self, ids: Sequence[int]) -> str:
        if not ids:
            return ""
        return str(self._tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False))


def end_tokens(generation_config: Any, tokenizer: Any, folder: Path) -> frozenset[int]:
    """The tokens that end a turn. Raises UserError when the model has none."""
    named = generation_config.eos_token_id
    ends = {*(named if isinstance(named, list) else [named]), tokenizer.eos_token_id} - {None}
    if not ends:
        raise UserError(f"the model in {folder} has no end token; set eos_token_id in its generation_config.json")
    return frozenset(ends)
