"""The engine on a model folder: from chats to texts, and what is wrong with some folders."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch

from bestpath.core.errors import UserError
from bestpath.core.search import Completion, Generate, Message, Sampling
from bestpath.stages.generation.engines import open_engine
from bestpath.stages.generation.engines.chat import Chat
from bestpath.stages.generation.engines.decoder import Decoder
from bestpath.stages.generation.engines.loading import load
from bestpath.stages.generation.engines.local import Options
from bestpath.stages.generation.engines.transformers import TransformersEngine
from tests.stages.generation.tiny import ENDS, build_folder, build_model, build_tokenizer


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_folder(tmp_path_factory.mktemp("model"))


def ask(text: str, seed: int = 0, prefill: str = "", **sampling: Any) -> Generate:
    return Generate("actor", (Message("user", text),), Sampling(**{"temperature": 0.8, **sampling}), seed, prefill)


def answers(engine: Any, requests: Sequence[Generate]) -> list[Completion]:
    waiting, found = dict(enumerate(requests)), {}
    while len(found) < len(requests):
        while waiting and engine.in_flight < engine.capacity:
            ticket = next(iter(waiting))
            engine.submit(ticket, waiting.pop(ticket))
        found.update(engine.step(0.0))
    assert engine.in_flight == 0
    return [found[ticket] for ticket in range(len(requests))]


def test_completions_are_counted_and_finished_as_they_end(folder: Path) -> None:
    engine = open_engine("transformers", folder, slots=5)
    tokenizer = build_tokenizer()
    found = answers(engine, [ask(f"how many apples are {i}?", i, max_tokens=12) for i in range(40)])
    assert {completion.finish for completion in found} == {"stop", "length"}
    for i, completion in enumerate(found):
        assert completion.error is None
        chat = [{"role": "user", "content": f"how many apples are {i}?"}]
        prompt = tokenizer.apply_chat_template(chat, add_generation_prompt=True, return_dict=False)
        assert completion.n_prompt_tokens == len(prompt)
        assert (completion.n_tokens == 12) if completion.finish == "length" else (completion.n_tokens <= 12)
        assert "<|end|>" not in completion.text and "<|start|>" not in completion.text
    engine.close()


def test_the_text_is_that_of_generate(folder: Path) -> None:
    model, tokenizer = build_model(), build_tokenizer()
    requests = [ask(f"and how many pears {i}", temperature=0.0, max_tokens=30) for i in range(6)]
    for request, completion in zip(requests, answers(TransformersEngine(folder), requests), strict=True):
        chat = [{"role": "user", "content": request.messages[0].content}]
        prompt = tokenizer.apply_chat_template(chat, add_generation_prompt=True, return_dict=False)
        with torch.inference_mode():
            ids = model.generate(torch.tensor([prompt]), max_new_tokens=30, do_sample=False)[0, len(prompt) :].tolist()
        assert completion.n_tokens == len(ids)
        ids = ids[:-1] if ids[-1] in ENDS else ids
        assert completion.text == tokenizer.decode(ids, skip_special_tokens=True)


def test_seeds_decide_and_nothing_else(folder: Path) -> None:
    requests = [ask(f"pears {i % 7}", i // 7, max_tokens=60) for i in range(70)]
    found = answers(TransformersEngine(folder, slots=64), requests)
    assert len({completion.text for completion in found}) > 50
    assert answers(TransformersEngine(folder, slots=3), requests) == found
    assert answers(TransformersEngine(folder, slots=16), requests[::-1]) == found[::-1]


def test_a_completion_goes_on_from_its_prefill(folder: Path) -> None:
    model, tokenizer = build_model(), build_tokenizer()
    prefill = "there are many apples in"
    request = ask("how many?", prefill=prefill, temperature=0.0, max_tokens=15)
    (completion,) = answers(TransformersEngine(folder), [request])
    chat = [{"role": "user", "content": "how many?"}]
    prompt = tokenizer.apply_chat_template(chat, add_generation_prompt=True, tokenize=False) + prefill
    ids = tokenizer.encode(prompt, add_special_tokens=False)
    with torch.inference_mode():
        expected = model.generate(torch.tensor([ids]), max_new_tokens=15, do_sample=False)[0, len(ids) :].tolist()
    assert (completion.n_prompt_tokens, completion.n_tokens) == (len(ids), len(expected))
    expected = expected[:-1] if expected[-1] in ENDS else expected
    assert completion.text == tokenizer.decode(expected, skip_special_tokens=True)


def test_a_blank_between_prefill_and_completion_is_kept() -> None:
    """Some tokenizers drop the blank of a first word: the text is decoded behind the prefill."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    words = {"<|end|>": 0, "\u2581two": 1, "\u2581three": 2}
    backend = Tokenizer(models.WordLevel(words, unk_token="<|end|>"))
    backend.pre_tokenizer = pre_tokenizers.Metaspace()
    backend.decoder = decoders.Metaspace()
    chat = Chat(PreTrainedTokenizerFast(tokenizer_object=backend, eos_token="<|end|>"))
    assert chat.text(ask("?"), [2]) == "three"
    assert chat.text(ask("?", prefill="two"), [2]) == " three"


def test_the_context_is_a_limit(folder: Path) -> None:
    engine = TransformersEngine(folder, context=60)
    long, short, cut = answers(
        engine, [ask("x" * 200, max_tokens=5), ask("x", max_tokens=5), ask("x" * 20, temperature=0.0, max_tokens=99)]
    )
    assert (long.finish, long.error, long.text, long.n_tokens) == ("error", "prompt_too_long", "", 0)
    assert long.n_prompt_tokens > 200
    assert short.finish in ("stop", "length")
    assert cut.finish == "stop" or cut.n_prompt_tokens + cut.n_tokens == 60
    assert load(folder).context == 256 and load(folder, Options(context=1000)).context == 256


def test_a_failing_model_fails_its_requests_and_recovers(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = TransformersEngine(folder, slots=4)
    requests = [ask(f"pears {i}", i, max_tokens=9) for i in range(4)]
    expected = answers(engine, requests)
    step, calls = Decoder.step, []

    def failing(self: Decoder) -> Any:
        calls.append(1)
        ended = step(self)
        if len(calls) == 2:
            raise torch.OutOfMemoryError("too much\nof everything")
        return ended

    monkeypatch.setattr(Decoder, "step", failing)
    failed = [completion for completion in answers(engine, requests) if completion.finish == "error"]
    assert {completion.error for completion in failed} == {"engine_error: OutOfMemoryError: too much"}
    assert answers(engine, requests) == expected


def test_other_devices_and_precisions_run(folder: Path) -> None:
    found = answers(TransformersEngine(folder, dtype="bfloat16", slots=8), [ask(f"{i}", i) for i in range(12)])
    assert all(completion.finish != "error" for completion in found)


def test_two_start_tokens_are_an_error_and_one_is_not() -> None:
    chat = ask("hello", prefill="on")
    once = Chat(build_tokenizer("<|start|>{{ messages[0]['content'] }}", bos="<|start|>"))
    assert once.prompt(chat).count(1) == 1
    twice = Chat(build_tokenizer("<|start|><|start|>{{ messages[0]['content'] }}", bos="<|start|>"))
    with pytest.raises(UserError, match="two start tokens"):
        twice.prompt(chat)


def test_a_template_that_refuses_a_chat_is_an_error() -> None:
    chat = Chat(build_tokenizer("{{ raise_exception('no system role') }}"))
    with pytest.raises(UserError, match=r"roles user .*no system role"):
        chat.prompt(ask("hello"))


def changed(folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(folder, tmp_path / "copy"))


def edit_json(file: Path, **changes: Any) -> None:
    file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))


def test_folders_that_cannot_be_used_are_the_users_to_mend(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no model folder"):
        open_engine("transformers", tmp_path / "nowhere")
    copy = changed(folder, tmp_path)
    (copy / "chat_template.jinja").unlink()
    with pytest.raises(UserError, match="no chat template"):
        open_engine("transformers", copy)
    (copy / "tokenizer.json").unlink()
    with pytest.raises(UserError, match="tokenizer"):
        open_engine("transformers", copy)
    (copy / "model.safetensors").rename(copy / "pytorch_model.bin")
    with pytest.raises(UserError, match="safetensors"):
        open_engine("transformers", copy)


def test_a_tokenizer_larger_than_the_model_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="the model has a vocabulary of 200"):
        load(build_folder(tmp_path, vocabulary=200))


def test_program_code_in_a_folder_needs_trust(folder: Path, tmp_path: Path) -> None:
    copy = changed(folder, tmp_path)
    edit_json(copy / "config.json", auto_map={"AutoModelForCausalLM": "modeling_own.Model"})
    with pytest.raises(UserError, match="trust_remote_code"):
        load(copy)


def test_damaged_weights_are_an_error(folder: Path, tmp_path: Path) -> None:
    copy = changed(folder, tmp_path)
    (copy / "model.safetensors").write_bytes(b"nothing of use")
    with pytest.raises(UserError, match="cannot load the model"):
        load(copy)


def test_weights_of_another_model_are_an_error(folder: Path, tmp_path: Path) -> None:
    copy = changed(folder, tmp_path)
    edit_json(copy / "config.json", num_hidden_layers=3, layer_types=["full_attention"] * 3)
    with pytest.raises(UserError, match=r"12 tensors are missing or of another shape, for example model\.layers\.2"):
        load(copy)
    edit_json(copy / "config.json", num_hidden_layers=2, layer_types=["full_attention"] * 2, intermediate_size=102)
    with pytest.raises(UserError, match=r"6 tensors are missing or of another shape|cannot load the model"):
        load(copy)


def test_a_model_without_end_token_is_an_error(folder: Path, tmp_path: Path) -> None:
    copy = changed(folder, tmp_path)
    edit_json(copy / "generation_config.json", eos_token_id=None)
    edit_json(copy / "config.json", eos_token_id=None)
    edit_json(copy / "tokenizer_config.json", eos_token=None)
    with pytest.raises(UserError, match="no end token"):
        load(copy)


def test_attention_that_is_not_plain_is_refused(folder: Path, tmp_path: Path) -> None:
    from transformers import AutoModelForCausalLM, GPTNeoConfig, MistralConfig

    small = {"vocab_size": 304, "hidden_size": 32, "num_layers": 2, "num_heads": 2, "eos_token_id": 0}
    window = {"num_attention_heads": 2, "num_key_value_heads": 2, "intermediate_size": 32, "num_hidden_layers": 1}
    for name, config, reason in (
        ("old", GPTNeoConfig(**small, attention_types=[[["global", "local"], 1]], window_size=8), "GPTNeo"),
        ("window", MistralConfig(vocab_size=304, hidden_size=32, sliding_window=64, eos_token_id=0, **window), "64"),
    ):
        copy = Path(shutil.copytree(folder, tmp_path / name))
        AutoModelForCausalLM.from_config(config).save_pretrained(copy)
        with pytest.raises(UserError, match=reason):
            load(copy)
    assert load(tmp_path / "window", Options(context=64)).context == 64


def test_absent_devices_and_unknown_engines_are_named(folder: Path) -> None:
    if not torch.cuda.is_available():
        with pytest.raises(UserError, match="no device 'cuda'"):
            open_engine("transformers", folder, device="cuda")
    with pytest.raises(UserError, match="did you mean 'transformers'"):
        open_engine("transformer", folder)
