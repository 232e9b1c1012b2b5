"""From conversational rows to token ids, by the model's own chat template; what cannot be trained on is rejected.

TRL would truncate or drop such rows without a count, so it never sees them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from bestpath.core.errors import UserError
from bestpath.core.provenance import digest
from bestpath.core.rejects import Rejects, check_nothing_lost
from bestpath.core.tables import Row
from bestpath.stages.training.recipe import Recipe

COMPLETIONS = {"dpo": ("chosen", "rejected"), "sft": ("completion",)}


class ChatTokenizer(Protocol):
    """The part of a Hugging Face tokenizer that is used here."""

    def apply_chat_template(self, conversation: Any, **options: Any) -> Any:
        """Render chats as text."""

    def __call__(self, text: list[str], **options: Any) -> Any:
        """Token ids of texts."""


@dataclass(frozen=True)
class Language:
    """What a model can read and write: its tokenizer, the number of its embeddings, the most tokens of a row, and
    the ids that end a completion."""

    tokenizer: ChatTokenizer
    vocab_size: int
    max_length: int
    end_ids: frozenset[int]


def encode(rows: Sequence[Row], language: Language, recipe: Recipe, rejects: Rejects) -> list[Row]:
    """Token ids for TRL, one row for each trainable row: `prompt_ids`, `chosen_ids`, `rejected_ids` and a `row_id`
    that names their content (dpo), or `input_ids` and `labels` (sft, the loss is on the completion alone).

    A row is rejected as `over_max_length`, as `empty_completion`, or as `prompt_not_prefix` when the template
    renders the prompt differently with and without its completion. Raises UserError when a row lacks a field, when
    a token has no embedding, when no completion carries an end token, or when no row is left.
    """
    names = COMPLETIONS[recipe.objective]
    _check_fields(rows, ("prompt", *names, "problem_id"))
    prompts = _ids(language.tokenizer, [row["prompt"] for row in rows], add_generation_prompt=True)
    whole = {name: _ids(language.tokenizer, [row["prompt"] + row[name] for row in rows]) for name in names}
    encoded = []
    rejected = Rejects(rejects.stage)
    for i, row in enumerate(rows):
        texts = {name: whole[name][i] for name in names}
        reason, detail = _fault(prompts[i], list(texts.values()), language.max_length)
        if reason:
            rejected.add(str(row["problem_id"]), reason, detail, row.get("sample_id"))
        else:
            completions = {name: text[len(prompts[i]) :] for name, text in texts.items()}
            encoded.append(_trainable(prompts[i], completions))
    check_nothing_lost(rejects.stage, len(rows), len(encoded), rejected)
    _check_usable(encoded, language, rejected)
    rejects.rows += rejected.rows
    return encoded


def _check_fields(rows: Sequence[Row], names: tuple[str, ...]) -> None:
    for number, row in enumerate(rows, start=1):
        for name in names:
            if name not in row:
                raise UserError(f"row {number} of the training data has no '{name}'; it has {', '.join(sorted(row))}")


def _ids(tokenizer: ChatTokenizer, chats: list[list[Row]], **options: bool) -> list[list[int]]:
    if not chats:
        return []
    texts = tokenizer.apply_chat_template(chats, tokenize=False, **options)
    ids: list[list[int]] = tokenizer(texts, add_special_tokens=False)["input_ids"]
    return ids


def _fault(prompt: list[int], texts: list[list[int]], max_length: int) -> tuple[str, str]:
    """Why a row cannot be trained on: a reason and its detail, both empty if it can."""
    if any(text[: len(prompt)] != prompt for text in texts):
        return "prompt_not_prefix", "the chat template renders the prompt differently with its completion"
    if any(len(text) == len(prompt) for text in texts):
        return "empty_completion", ""
    longest = max(len(text) for text in texts)
    if longest > max_length:
        return "over_max_length", f"{longest} tokens, allowed are {max_length}"
    return "", ""


def _trainable(prompt: list[int], completions: dict[str, list[int]]) -> Row:
    if "completion" in completions:
        completion = completions["completion"]
        return {"input_ids": prompt + completion, "labels": [-100] * len(prompt) + completion}
    ids = {"prompt_ids": prompt, **{f"{name}_ids": ids for name, ids in completions.items()}}
    return {"row_id": digest(ids), **ids}


def _check_usable(encoded: list[Row], language: Language, rejects: Rejects) -> None:
    if not encoded and rejects.rows:
        counts = ", ".join(f"{n} {reason}" for reason, n in rejects.counts().items())
        raise UserError(f"no training row is usable ({counts}); raise max_length or correct the chat template")
    columns = ("prompt_ids", "chosen_ids", "rejected_ids", "input_ids")
    used = {token for row in encoded for column in columns for token in row.get(column, ())}
    if used and max(used) >= language.vocab_size:
        raise UserError(
            f"the tokenizer makes token id {max(used)}, but the model has only {language.vocab_size} embeddings; "
            "put the tokenizer that belongs to the model into its folder"
        )
    learned = (row.get("chosen_ids") or row["labels"] for row in encoded)
    if encoded and not any(language.end_ids.intersection(tokens) for tokens in learned):
        raise UserError(
            "the chat template puts no end token after an answer, so the model would never learn to stop; "
            "end the assistant's turn with the tokenizer's eos_token in chat_template.jinja"
        )


def learnt_tokens(encoded: Sequence[Row]) -> int:
    """The tokens of encoded rows that losses are computed on: completions, and both of each pair."""
    return sum(
        len(row["chosen_ids"]) + len(row["rejected_ids"])
        if "chosen_ids" in row
        else sum(label != -100 for label in row["labels"])
        for row in encoded
    )
