from __future__ import annotations

import pytest
from trl.data_utils import _tokenize as trl_tokenize

from bestpath.core.errors import UserError
from bestpath.core.rejects import Rejects
from bestpath.stages.training.rows import Language, encode
from tests.stages.training.tiny import TEMPLATE, chat, example, make_tokenizer, pair, recipe_of

DPO = recipe_of(1e-5)
SFT = recipe_of(1e-5, objective="sft")


def encoded(rows, recipe=DPO, max_length=250, template=TEMPLATE, vocab_size=264):
    tokenizer = make_tokenizer(template)
    language = Language(tokenizer, vocab_size, max_length, frozenset([tokenizer.eos_token_id]))
    rejects = Rejects("training")
    return encode(rows, language, recipe, rejects), rejects


def test_ids_are_those_that_trl_would_make():
    tokenizer = make_tokenizer()
    row = pair(7)
    (ids,), _ = encoded([row])
    assert ids["prompt_ids"] == trl_tokenize(tokenizer, row["prompt"], add_generation_prompt=True)["input_ids"]
    assert ids["prompt_ids"] + ids["chosen_ids"] == trl_tokenize(tokenizer, row["prompt"] + row["chosen"])["input_ids"]
    assert tokenizer.decode(ids["chosen_ids"]) == "8<|end|>\n"


def test_the_loss_of_an_sft_row_is_on_its_completion_alone():
    tokenizer = make_tokenizer()
    (row,), _ = encoded([example(7)], SFT)
    learned = [token for token in row["labels"] if token != -100]
    assert tokenizer.decode(learned) == "8<|end|>\n"
    assert row["input_ids"][-len(learned) :] == learned
    assert len(row["input_ids"]) == len(row["labels"])


def test_rows_that_are_too_long_are_rejected_and_counted_never_cut():
    long = {**pair(1), "rejected": chat("assistant", "x" * 300)}
    rows, rejects = encoded([pair(0), long, pair(2)])
    assert len(rows) == 2
    assert [(r["problem_id"], r["reason"]) for r in rejects.rows] == [("p1", "over_max_length")]
    assert "allowed are 250" in rejects.rows[0]["detail"]


def test_the_longest_allowed_row_is_kept():
    (row,), _ = encoded([pair(1)])
    exact = len(row["prompt_ids"]) + max(len(row["chosen_ids"]), len(row["rejected_ids"]))
    assert len(encoded([pair(1), pair(2)], max_length=exact)[0]) == 2
    with pytest.raises(UserError, match="1 over_max_length"):
        encoded([pair(1)], max_length=exact - 1)


def test_a_template_that_renders_the_prompt_differently_is_told():
    thinking = TEMPLATE.replace("assistant\\n", "assistant\\n<think>\\n")
    with pytest.raises(UserError, match=r"no training row is usable \(3 prompt_not_prefix\)"):
        encoded([pair(i) for i in range(3)], template=thinking)


def test_a_template_without_an_end_token_is_told():
    endless = TEMPLATE.replace("<|end|>", "")
    with pytest.raises(UserError, match="never learn to stop"):
        encoded([pair(1)], template=endless)


def test_a_tokenizer_with_more_tokens_than_the_model_has_embeddings_is_told():
    with pytest.raises(UserError, match="makes token id 258, but the model has only 200 embeddings"):
        encoded([pair(1)], vocab_size=200)


def test_rows_that_do_not_fit_the_objective_are_told():
    with pytest.raises(UserError, match="row 2 of the training data has no 'chosen'"):
        encoded([pair(1), example(2)])
    with pytest.raises(UserError, match="row 1 of the training data has no 'completion'"):
        encoded([pair(1)], SFT)
