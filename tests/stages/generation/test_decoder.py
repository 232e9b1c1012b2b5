"""The decoding loop: the same tokens as `generate`, and the same bits in any company."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

import pytest
import torch

from bestpath.core.search import Sampling
from bestpath.stages.generation.engines import decoder as decoder_module
from bestpath.stages.generation.engines.decoder import Decoder
from bestpath.stages.generation.engines.loading import Loaded, load
from bestpath.stages.generation.engines.pools import Row, width_of
from bestpath.stages.generation.engines.prefixes import BLOCK
from tests.stages.generation.tiny import ARCHITECTURES, ENDS, build_folder, build_model

SAMPLINGS = (
    Sampling(0.0, max_tokens=40),
    Sampling(0.7, max_tokens=70),
    Sampling(1.0, top_p=0.8, max_tokens=55),
    Sampling(0.9, top_k=7, max_tokens=64),
    Sampling(0.6, top_p=0.9, top_k=20, max_tokens=90),
)


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="module", params=ARCHITECTURES)
def loaded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Loaded:
    return load(build_folder(tmp_path_factory.mktemp(request.param), request.param))


def some_rows(n: int) -> list[Row]:
    """Rows of all kinds: prompts of 1 to 110 tokens, some with a common beginning, all ways of sampling."""
    rng = random.Random(7)
    common = [rng.randrange(12, 300) for _ in range(80)]
    rows = []
    for i in range(n):
        length = rng.choice((1, 2, 16, 31, 32, 33, 47, 64, 65, 90, 110))
        shared = common[: rng.choice((0, 0, 32, 40, 64, 80))][:length]
        prompt = shared + [rng.randrange(12, 300) for _ in range(length - len(shared))]
        sampling = SAMPLINGS[i % len(SAMPLINGS)]
        rows.append(Row(i, prompt, sampling, seed=1000 + i, limit=sampling.max_tokens))
    return rows


def at_once(step: int) -> int:
    return 10**9


def in_turn(step: int) -> int:
    return 3 if step % 4 == 0 else 0


def run(decoder: Decoder, rows: Sequence[Row], arrive: Callable[[int], int] = at_once) -> dict[int, Row]:
    """Decode the rows; `arrive` says how many of them come in before each step."""
    waiting, ended, step = list(rows), {}, 0
    while len(ended) < len(rows):
        for row in waiting[: arrive(step)]:
            decoder.add(row)
        del waiting[: arrive(step)]
        ended.update((row.ticket, row) for row in decoder.step())
        step += 1
        assert step < 10_000
    return ended


@pytest.fixture
def logits_of(monkeypatch: pytest.MonkeyPatch) -> dict[int, list[torch.Tensor]]:
    """All logits that rows were given, by ticket, in order."""
    seen: dict[int, list[torch.Tensor]] = {}
    draw = decoder_module.draw

    def recording(logits: torch.Tensor, rows: Sequence[Row]) -> torch.Tensor:
        for row, values in zip(rows, logits, strict=True):
            seen.setdefault(row.ticket, []).append(values.clone())
        return draw(logits, rows)

    monkeypatch.setattr(decoder_module, "draw", recording)
    return seen


def plain_model(loaded: Loaded) -> Any:
    """The same model with transformers' own attention."""
    return build_model(loaded.model.config.model_type)


def test_greedy_tokens_are_those_of_generate(loaded: Loaded) -> None:
    rows = [Row(row.ticket, row.prompt, Sampling(), 0, 60) for row in some_rows(24)]
    plain = plain_model(loaded)
    ended = run(Decoder(loaded.model, loaded.shape, loaded.ends, 9, 512), rows)
    for row in rows:
        with torch.inference_mode():
            expected = plain.generate(torch.tensor([row.prompt]), max_new_tokens=60, do_sample=False)[0]
        assert ended[row.ticket].generated == expected[len(row.prompt) :].tolist()
        assert ended[row.ticket].stopped == (int(expected[-1]) in ENDS)


def test_log_probabilities_are_those_of_the_model(loaded: Loaded, logits_of: dict[int, list[torch.Tensor]]) -> None:
    ended = run(Decoder(loaded.model, loaded.shape, loaded.ends, 16, 200), some_rows(30))
    plain = plain_model(loaded)
    for row in ended.values():
        with torch.inference_mode():
            whole = plain(torch.tensor([row.prompt + row.generated])).logits[0]
        expected = whole[len(row.prompt) - 1 : -1].log_softmax(-1)
        got = torch.stack(logits_of[row.ticket]).log_softmax(-1)
        assert (got - expected).abs().max() < 1e-4


def test_tokens_and_logits_do_not_depend_on_the_batch(loaded: Loaded, logits_of: dict[int, list[torch.Tensor]]) -> None:
    def outcome(slots: int, order: int, arrive: Callable[[int], int], prompt_tokens: int) -> dict[int, Any]:
        logits_of.clear()
        rows = some_rows(60)
        random.Random(order).shuffle(rows)
        ended = run(Decoder(loaded.model, loaded.shape, loaded.ends, slots, prompt_tokens), rows, arrive)
        bits = {ticket: torch.stack(values).numpy().tobytes() for ticket, values in logits_of.items()}
        return {ticket: (row.generated, row.stopped, bits[ticket]) for ticket, row in ended.items()}

    expected = outcome(64, 0, at_once, 512)
    assert len({len(generated) for generated, _, _ in expected.values()}) > 8
    for slots, order, arrive, prompt_tokens in (
        (1, 1, at_once, 512),
        (4, 2, at_once, 512),
        (7, 3, at_once, 64),
        (7, 4, in_turn, 512),
        (64, 5, in_turn, 100),
        (128, 6, at_once, 10_000),
    ):
        assert outcome(slots, order, arrive, prompt_tokens) == expected


def test_a_known_beginning_is_not_computed_again(loaded: Loaded, monkeypatch: pytest.MonkeyPatch) -> None:
    tokens: list[int] = []
    forward = type(loaded.model).forward

    def counting(self: object, *args: object, **kwargs: torch.Tensor) -> object:
        tokens.append(kwargs["input_ids"].shape[1])
        return forward(self, *args, **kwargs)

    monkeypatch.setattr(type(loaded.model), "forward", counting)
    prompt = [20 + i % 50 for i in range(100)]
    samples = [Row(i, prompt, SAMPLINGS[1], i, 1) for i in range(4)]
    run(Decoder(loaded.model, loaded.shape, loaded.ends, 8, 512), samples)
    # One prompt whole (100 tokens), then the others from token 96 on; both padded to a multiple of 32.
    assert tokens == [128, 32]


def test_after_a_failed_step_it_begins_anew(loaded: Loaded, monkeypatch: pytest.MonkeyPatch) -> None:
    decoder = Decoder(loaded.model, loaded.shape, loaded.ends, 4, 10_000)
    expected = {ticket: row.generated for ticket, row in run(decoder, some_rows(10)).items()}
    for row in some_rows(10):
        decoder.add(row)
    decoder.step()
    with monkeypatch.context() as patch:
        patch.setattr(decoder_module, "draw", lambda *_: (_ for _ in ()).throw(RuntimeError("broken")))
        with pytest.raises(RuntimeError, match="broken"):
            decoder.step()
    decoder.give_up()
    assert decoder.step() == []
    assert {ticket: row.generated for ticket, row in run(decoder, some_rows(10)).items()} == expected


def test_widths_depend_on_the_length_alone_and_always_suffice() -> None:
    widths = [width_of(length) for length in range(1, 5000)]
    assert all(length <= width < length + max(64, length / 2) for length, width in enumerate(widths, 1))
    assert widths == sorted(widths)
    assert {width % BLOCK for width in widths} == {0}  # so that a prompt's last block lies within its pool
    assert len(set(widths)) < 40
