"""Scores by the transformers engine: against plain loops, in any company, and what is wrong with some models."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch

from bestpath.core.errors import UserError
from bestpath.core.search import Message, Score, Scored
from bestpath.stages.generation.engine import PROMPT_TOO_LONG, Scorer
from bestpath.stages.generation.engines import open_scorer
from bestpath.stages.generation.engines.chat import Chat
from bestpath.stages.generation.engines.replicas import Replicas
from bestpath.stages.generation.engines.reward_check import check_against_transformers
from bestpath.stages.generation.engines.scoring import Text
from bestpath.stages.generation.engines.transformers_scorer import PackedScorer
from tests.stages.generation.tiny import (
    CHAT_TEMPLATE,
    build_folder,
    build_model,
    build_reward_folder,
    build_reward_model,
    build_tokenizer,
)

KINDS = ("reward", "likelihood")
END = 0  # of the template's turns


def chat(question: str, answer: str) -> tuple[Message, ...]:
    return Message("user", question), Message("assistant", answer)


def chats(n: int) -> list[tuple[Message, ...]]:
    """Different chats of very different lengths, the first of which is answered by nothing."""
    rng = random.Random(7)
    answers = ["", *("".join(rng.choice("how many ") for _ in range(rng.randrange(1, 120))) for _ in range(n - 1))]
    return [chat("and apples " * (i % 5 + 1), answer) for i, answer in enumerate(answers)]


def scores(scorer: Scorer, asked: Sequence[tuple[Message, ...]], of: Any) -> list[Scored]:
    waiting, found = dict(enumerate(asked)), {}
    while len(found) < len(asked):
        while waiting and scorer.in_flight < scorer.capacity:
            ticket = next(iter(waiting))
            scorer.submit(ticket, Score("role", waiting.pop(ticket), of))
        found.update(scorer.step(0.2))
    assert scorer.in_flight == 0
    return [found[ticket] for ticket in range(len(asked))]


def rendered(messages: tuple[Message, ...], **settings: Any) -> list[int]:
    turns = [{"role": message.role, "content": message.content} for message in messages]
    ids: list[int] = build_tokenizer().apply_chat_template(turns, return_dict=False, **settings)
    return ids


def folder_of(folder: Path, of: str, **changes: Any) -> Path:
    return build_reward_folder(folder, **changes) if of == "reward" else build_folder(folder, **changes)


@pytest.mark.parametrize("architecture", ["qwen2", "llama"])
def test_rewards_are_those_of_a_plain_loop(tmp_path: Path, architecture: str) -> None:
    model = build_reward_model(architecture)
    found = scores(open_scorer("transformers", build_reward_folder(tmp_path, architecture)), chats(30), "reward")
    for messages, score in zip(chats(30), found, strict=True):
        ids = rendered(messages)
        with torch.inference_mode():
            expected = model(torch.tensor([ids])).logits[0, 0].item()
        assert score.value == pytest.approx(expected, abs=2e-5)
        assert (score.n_tokens, score.error) == (len(ids), None)


@pytest.mark.parametrize("architecture", ["qwen2", "llama"])
def test_likelihoods_are_those_of_a_plain_loop(tmp_path: Path, architecture: str) -> None:
    """The turn stands as the model would write it: behind the opening of a turn, up to its end token and no further."""
    model, tokenizer = build_model(architecture), build_tokenizer()
    scorer = open_scorer("transformers", build_folder(tmp_path, architecture), "likelihood")
    for messages, score in zip(chats(30), scores(scorer, chats(30), "likelihood"), strict=True):
        before = rendered(messages[:-1], add_generation_prompt=True)
        turn = [*tokenizer.encode(messages[-1].content, add_special_tokens=False), END]
        with torch.inference_mode():
            logs = model(torch.tensor([before + turn])).logits[0].double().log_softmax(-1)
        expected = sum(float(logs[len(before) + i - 1, token]) for i, token in enumerate(turn))
        assert score.value == pytest.approx(expected, rel=1e-5)
        assert (score.n_tokens, score.error) == (len(turn), None)


@pytest.mark.parametrize("of", KINDS)
def test_a_score_does_not_depend_on_the_batch(tmp_path: Path, of: Any) -> None:
    folder = folder_of(tmp_path, of)
    alone = scores(open_scorer("transformers", folder, of, slots=1), chats(50), of)
    assert len({score.value for score in alone}) == 50
    assert scores(open_scorer("transformers", folder, of, slots=64), chats(50), of) == alone
    assert scores(open_scorer("transformers", folder, of, slots=7), chats(50)[::-1], of) == alone[::-1]


def test_copies_in_processes_of_their_own_score_alike(tmp_path: Path) -> None:
    folder = build_reward_folder(tmp_path)
    copies = Replicas(["0", "1"], open_scorer, "transformers", folder, "reward", slots=4)
    try:
        assert copies.capacity == 8
        assert scores(copies, chats(20), "reward") == scores(open_scorer("transformers", folder), chats(20), "reward")
    finally:
        copies.close()


@pytest.mark.parametrize("of", KINDS)
def test_equal_texts_are_scored_once(tmp_path: Path, of: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    scorer = open_scorer("transformers", folder_of(tmp_path, of), of, slots=6)
    computed: list[str] = []
    add = PackedScorer.add
    monkeypatch.setattr(PackedScorer, "add", lambda self, name, text: (computed.append(name), add(self, name, text)))
    asked = [chats(4)[i] for i in (0, 1, 0, 2, 0, 1, 3, 3, 2, 1)]
    found = scores(scorer, asked, of)
    assert len(computed) == 4
    assert [found[i] for i in (2, 4, 5, 7, 8, 9)] == [found[i] for i in (0, 0, 1, 6, 3, 1)]


def test_the_same_tokens_split_elsewhere_are_another_likelihood() -> None:
    assert Text((1, 2, 3), 1).name != Text((1, 2, 3), 2).name != Text((2, 1, 2, 3), 2).name


@pytest.mark.parametrize("of", KINDS)
def test_a_chat_that_does_not_fit_is_never_cut(tmp_path: Path, of: Any) -> None:
    scorer = open_scorer("transformers", folder_of(tmp_path, of), of, context=100)
    lengths = range(60, 100)
    found = scores(scorer, [chat("x", "z" * length) for length in lengths], of)
    fits = [score for score in found if score.error is None]
    beyond = [score for score in found if score.error is not None]
    assert fits and beyond and found == fits + beyond
    assert {(score.error, score.value) for score in beyond} == {(PROMPT_TOO_LONG, None)}
    outside = len(rendered(chat("x", "")[:-1], add_generation_prompt=True)) if of == "likelihood" else 0
    assert (fits[-1].n_tokens + outside, beyond[0].n_tokens + outside) == (100, 101)


@pytest.mark.parametrize("of", KINDS)
def test_a_failing_model_fails_its_requests_and_recovers(
    tmp_path: Path, of: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = folder_of(tmp_path, of)
    expected = scores(open_scorer("transformers", folder, of), chats(9), of)
    scorer = open_scorer("transformers", folder, of)
    with monkeypatch.context() as patched:

        def failing(self: PackedScorer) -> Any:
            raise torch.OutOfMemoryError("too much\nof everything")

        patched.setattr(PackedScorer, "step", failing)
        found = scores(scorer, chats(9), of)
        assert found == [Scored(None, 0, "engine_error: OutOfMemoryError: too much")] * 9
    assert scores(scorer, chats(9), of) == expected


def test_a_score_that_is_not_a_number_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scorer = open_scorer("transformers", build_folder(tmp_path), "likelihood")
    loaded = scorer._scorer._loaded.model  # type: ignore[attr-defined]
    with torch.no_grad():
        loaded.lm_head.weight[7] = float("nan")
    (found,) = scores(scorer, chats(1), "likelihood")
    assert (found.value, found.error) == (None, "engine_error: the score is not a number")


def test_padding_at_the_end_of_a_chat_is_no_part_of_it(tmp_path: Path) -> None:
    """transformers reads the reward at the last token that is not padding, which may be the end token."""
    template = CHAT_TEMPLATE.replace("'<|end|>\\n'", "'<|end|>'")
    assert template != CHAT_TEMPLATE
    model = build_reward_model()
    assert model.config.pad_token_id == END
    (found,) = scores(open_scorer("transformers", build_reward_folder(tmp_path, template=template)), chats(1), "reward")
    ids = rendered(chats(1)[0], chat_template=template)
    assert ids[-1] == END
    with torch.inference_mode():
        assert found.value == pytest.approx(model(torch.tensor([ids])).logits[0, 0].item(), abs=2e-5)


def test_bfloat16_runs(tmp_path: Path) -> None:
    for of in KINDS:
        folder = folder_of(tmp_path / of, of)
        exact = scores(open_scorer("transformers", folder, of), chats(12), of)
        rough = scores(open_scorer("transformers", folder, of, dtype="bfloat16"), chats(12), of)
        for one, other in zip(exact, rough, strict=True):
            assert one.value is not None and other.value == pytest.approx(one.value, rel=0.05, abs=0.1)


def test_a_score_of_another_kind_is_refused(tmp_path: Path) -> None:
    scorer = open_scorer("transformers", build_reward_folder(tmp_path))
    with pytest.raises(UserError, match="model of the role 'judge' gives a reward, and a likelihood is asked"):
        scorer.submit(1, Score("judge", chats(1)[0], "likelihood"))


def test_only_an_assistants_turn_is_scored() -> None:
    for messages in ((), (Message("user", "hello"),)):
        with pytest.raises(ValueError, match="only an assistant's turn can be scored"):
            Score("reward", messages)


def test_the_end_of_a_turn_is_the_templates() -> None:
    assert Chat(build_tokenizer()).end_of_turn(frozenset({0, 5, 9})) == 0
    assert Chat(build_tokenizer("{{ messages[0]['content'] }}")).end_of_turn(frozenset({9, 5})) == 5


def test_engines_that_cannot_score(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="there is no engine 'transformer'"):
        open_scorer("transformer", tmp_path)
    with pytest.raises(UserError, match="an endpoint cannot score"):
        open_scorer("endpoint", tmp_path)


# --- reward models that must not be used ---------------------------------------------------------------------------


def test_models_that_give_no_reward(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"is not a reward model: its weights have no score\.weight"):
        open_scorer("transformers", build_folder(tmp_path / "language"))
    with pytest.raises(UserError, match="is not a reward model: its head gives 2 numbers"):
        open_scorer("transformers", build_reward_folder(tmp_path / "labels", labels=2))
    with pytest.raises(UserError, match=r"tensors are missing or of another shape, for example lm_head"):
        open_scorer("transformers", build_reward_folder(tmp_path / "reward"), "likelihood")


def test_rewards_that_are_all_alike(tmp_path: Path) -> None:
    model = build_reward_model()
    with torch.no_grad():
        model.score.weight.zero_()
    model.save_pretrained(tmp_path)
    build_tokenizer().save_pretrained(tmp_path)
    with pytest.raises(UserError, match="gives 100 different answers only 1 different rewards"):
        open_scorer("transformers", tmp_path)


def test_templates_that_spoil_a_chat(tmp_path: Path) -> None:
    deaf = "{{ '<|start|>' + messages[0]['content'][:5] + '<|end|>' }}"
    with pytest.raises(UserError, match="renders different answers alike"):
        open_scorer("transformers", build_reward_folder(tmp_path / "deaf", template=deaf))
    folder = build_reward_folder(tmp_path / "twice")
    build_tokenizer("<|start|><|start|>{{ messages[1]['content'] }}", bos="<|start|>").save_pretrained(folder)
    with pytest.raises(UserError, match="two start tokens"):
        open_scorer("transformers", folder)


def test_another_engine_must_agree_with_transformers(tmp_path: Path) -> None:
    model, folder = build_reward_model(), build_reward_folder(tmp_path)
    texts = [Text((5, 7, 40 + i), 0) for i in range(100)]
    with torch.inference_mode():
        rewards = [(text, model(torch.tensor([text.ids])).logits[0, 0].item()) for text in texts]
    check_against_transformers(rewards, folder, "float32", trust=False)
    wrong = [(text, torch.tensor(reward).sigmoid().item()) for text, reward in rewards]
    with pytest.raises(UserError, match=r"vLLM gives a text the reward 0\.\d+ by the model in .*, and transformers"):
        check_against_transformers(wrong, folder, "float32", trust=False)
