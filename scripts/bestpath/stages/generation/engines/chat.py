"""Between chats and token ids: the model's own chat template in, its own tokenizer out."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from bestpath.core.errors import UserError
from bestpath.core.search import Generate, Message


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

    def conversation(self, messages: Sequence[Message]) -> tuple[int, ...]:
        """The token ids of a chat that is over. Raises UserError as `prompt`."""
        return self._template(messages, opens_turn=False)

    def answered(self, messages: tuple[Message, ...], end: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """The token ids of a chat up to its last turn, and of that turn as a completion that ends with `end`.

        The turn stands there as it is, as a completion would: some templates cut the thoughts out of finished turns.
        Raises UserError as `prompt`.
        """
        return self._prompt(messages[:-1], ""), (*self._ids(messages[-1].content), end)

    def end_of_turn(self, ends: Collection[int]) -> int:
        """The one of the end tokens that the template puts behind a turn; any of them if it puts none."""
        ids = self.conversation((Message("user", "?"), Message("assistant", "!")))
        return next((token for token in reversed(ids) if token in ends), min(ends))

    def text(self, request: Generate, ids: Sequence[int]) -> str:
        """The text of a completion without its end token and other special tokens."""
        before = self._ids(request.prefill)
        start = self._decode(before)
        whole = self._decode([*before, *ids])
        # Some tokenizers drop a blank at the very beginning: decode the completion behind what precedes it.
        return whole[len(start) :] if whole.startswith(start) else self._decode(ids)

    def _render(self, messages: tuple[Message, ...], prefill: str) -> tuple[int, ...]:
        return (*self._template(messages, opens_turn=True), *self._ids(prefill))

    def _template(self, messages: Sequence[Message], opens_turn: bool) -> tuple[int, ...]:
        from jinja2 import TemplateError

        chat = [{"role": message.role, "content": message.content} for message in messages]
        try:
            ids = self._tokenizer.apply_chat_template(chat, add_generation_prompt=opens_turn, return_dict=False)
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
        return tuple(ids)

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
