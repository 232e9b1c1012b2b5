"""Pretraining of the embedded base: a plain loop, since TRL costs a model this small twice the time.

The loss counts the completions alone. Batches hold documents of about the same length. What a step sees depends on
its number alone, so a run that is killed goes on from its last checkpoint and ends with the same bytes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from bestpath.core.io import atomic_path
from bestpath.core.models import new_folder
from bestpath.core.randomness import generator_for
from bestpath.core.tables import Row
from bestpath.runtime.progress import progress_bar
from bestpath.stages.embedded.language import World
from bestpath.stages.embedded.lessons import Curriculum, Document, documents
from bestpath.stages.embedded.model import Size, new_model
from bestpath.stages.embedded.tokenizer import build_tokenizer

if TYPE_CHECKING:
    import torch
    from torch import Tensor
    from transformers import LlamaForCausalLM, PreTrainedTokenizerFast

_BUCKETS = 32  # batches whose documents are sorted by length together
_HELD_OUT = 96  # documents a lesson


@dataclass(frozen=True)
class Course:
    """How the base is pretrained: learning rates of the matrices (Muon) and of the embeddings and norms (AdamW).

    `muon_dtype` is the precision in which Muon orthogonalises; everything else is in float32.
    """

    steps: int
    batch: int
    seed: int
    threads: int
    matrix_rate: float
    muon_dtype: Literal["bfloat16", "float32"]
    embedding_rate: float = 3.0e-3
    weight_decay: float = 0.1


def pretrain(
    taught: Curriculum, world: World, size: Size, course: Course, context: int, out: Path, work: Path
) -> list[Row]:
    """Pretrain a base model, write its folder `out`, return its metrics.

    `work` keeps the checkpoint of an interrupted run; the caller removes it.
    """
    sample = list(documents(taught, world, course.seed, -4000, 0))
    tokenizer = build_tokenizer(taught.prompts, sample, world.largest)
    import torch

    torch.set_num_threads(course.threads)
    torch.use_deterministic_algorithms(True)
    model = new_model(size, tokenizer, world.largest, context, course.seed)
    run = _Run(model, tokenizer, taught, world, course, work / "checkpoint.pt")
    run.resume()
    run.to_end()
    with new_folder(out) as folder:
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
    return run.metrics


class _Run:
    def __init__(
        self,
        model: LlamaForCausalLM,
        tokenizer: PreTrainedTokenizerFast,
        taught: Curriculum,
        world: World,
        course: Course,
        checkpoint: Path,
    ) -> None:
        self.metrics: list[Row] = []
        self._model, self._taught, self._world, self._course = model, taught, world, course
        self._encode = _Encoder(tokenizer)
        self._checkpoint = checkpoint
        self._optimizers = _optimizers(model, course)
        self._step = 0

    def resume(self) -> None:
        """Take up the state of a run that was interrupted."""
        import torch

        if self._checkpoint.is_file():
            state = torch.load(self._checkpoint, weights_only=True)
            self._step, self.metrics = state["step"], state["metrics"]
            self._model.load_state_dict(state["model"])
            for optimizer, saved in zip(self._optimizers, state["optimizers"], strict=True):
                optimizer.load_state_dict(saved)

    def to_end(self) -> None:
        """Train to the last step."""
        losses = []
        every = max(1, self._course.steps // 20)
        with progress_bar("pretrain", "step", self._course.steps, self._step) as bar:
            for rows in self._batches(self._step):
                losses.append(self._learn(rows))
                self._step += 1
                bar.update()
                if self._step % every == 0 or self._step == self._course.steps:
                    self._note("train/loss", sum(losses) / len(losses))
                    bar.set_postfix_str(f"loss {losses[-1]:.3f}", refresh=False)
                    losses = []
                    self._save()
        for name in self._taught.prompts:
            self._examine(name)

    def _learn(self, rows: Sequence[tuple[list[int], list[int]]]) -> float:
        """One step; the loss before it."""
        import torch

        share = _schedule(self._step, self._course.steps)
        for optimizer in self._optimizers:
            for group in optimizer.param_groups:
                group["lr"] = share * group["initial_lr"]
        loss, _ = self._loss(rows)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self._model.parameters(), 1.0)
        for optimizer in self._optimizers:
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        return loss.item()

    def _loss(self, rows: Sequence[tuple[list[int], list[int]]]) -> tuple[Tensor, Tensor]:
        """The mean loss of the completion tokens, and which of them would be predicted right."""
        import torch

        ids, labels = self._encode.tensors(rows)
        hidden = self._model.model(input_ids=ids, use_cache=False).last_hidden_state
        counted = labels != -100
        logits = self._model.lm_head(hidden[counted])
        loss = torch.nn.functional.cross_entropy(logits, labels[counted])
        return loss, logits.argmax(-1) == labels[counted]

    def _batches(self, step: int) -> Iterator[list[tuple[list[int], list[int]]]]:
        """The batches from a step on."""
        size = self._course.batch
        for chunk in range(step // _BUCKETS, -(-self._course.steps // _BUCKETS)):
            first = chunk * size * _BUCKETS
            rows = self._encode(
                list(documents(self._taught, self._world, self._course.seed, first, first + size * _BUCKETS))
            )
            rows.sort(key=lambda row: len(row[0]) + len(row[1]))
            order = list(range(_BUCKETS))
            generator_for(self._course.seed, "buckets", chunk).shuffle(order)
            done = max(0, step - chunk * _BUCKETS)
            last = self._course.steps - chunk * _BUCKETS
            for bucket in order[done:last]:
                yield rows[bucket * size : (bucket + 1) * size]

    def _examine(self, name: str) -> None:
        """Note loss and token accuracy on documents of one lesson that no step has seen."""
        import torch

        unseen = documents(self._taught.only(name), self._world, self._course.seed + 1, 0, _HELD_OUT)
        with torch.inference_mode():
            loss, right = self._loss(self._encode(list(unseen)))
        self._note(f"held-out/{name}/loss", loss.item())
        self._note(f"held-out/{name}/token_accuracy", right.float().mean().item())

    def _note(self, name: str, value: float) -> None:
        self.metrics.append({"step": self._step, "name": name, "value": value})

    def _save(self) -> None:
        import torch

        state = {
            "step": self._step,
            "metrics": self.metrics,
            "model": self._model.state_dict(),
            "optimizers": [optimizer.state_dict() for optimizer in self._optimizers],
        }
        with atomic_path(self._checkpoint) as temporary:
            torch.save(state, temporary)


class _Encoder:
    """Documents as token ids under the chat template."""

    def __init__(self, tokenizer: PreTrainedTokenizerFast) -> None:
        mark = "\x01"
        chat = tokenizer.apply_chat_template(
            [{"role": "user", "content": mark}], tokenize=False, add_generation_prompt=True
        )
        self._before, self._after = str(chat).split(mark)
        self._end, self._pad = str(tokenizer.eos_token), int(tokenizer.pad_token_id or 0)
        self._backend = tokenizer.backend_tokenizer

    def __call__(self, batch: Sequence[Document]) -> list[tuple[list[int], list[int]]]:
        """Prompt and completion of each document."""
        prompts = self._backend.encode_batch_fast([self._before + document.prompt + self._after for document in batch])
        completions = self._backend.encode_batch_fast([document.completion + self._end for document in batch])
        return [(prompt.ids, completion.ids) for prompt, completion in zip(prompts, completions, strict=True)]

    def tensors(self, rows: Sequence[tuple[list[int], list[int]]]) -> tuple[Tensor, Tensor]:
        """Token ids, and the token to predict at each place, -100 where it does not count; both (rows, longest)."""
        import torch

        longest = max(len(prompt) + len(completion) for prompt, completion in rows)
        ids = torch.full((len(rows), longest), self._pad)
        labels = torch.full((len(rows), longest), -100)
        for i, (prompt, completion) in enumerate(rows):
            both = torch.tensor(prompt + completion)
            ids[i, : len(both)] = both
            labels[i, len(prompt) - 1 : len(both) - 1] = both[len(prompt) :]
        return ids, labels


def _optimizers(model: LlamaForCausalLM, course: Course) -> list[torch.optim.Optimizer]:
    import torch

    from bestpath.stages.embedded.muon import Float32Muon

    matrices: list[Tensor] = []
    others: list[Tensor] = []
    for name, weight in model.named_parameters():
        (matrices if weight.ndim == 2 and "embed" not in name else others).append(weight)
    muon = Float32Muon if course.muon_dtype == "float32" else torch.optim.Muon
    made: list[Any] = [
        muon(
            matrices,
            lr=course.matrix_rate,
            weight_decay=course.weight_decay,
            momentum=0.95,
            adjust_lr_fn="match_rms_adamw",
        ),
        torch.optim.AdamW(others, lr=course.embedding_rate, betas=(0.9, 0.98), weight_decay=0.0, fused=True),
    ]
    for optimizer in made:
        for group in optimizer.param_groups:
            group["initial_lr"] = group["lr"]
    return made


def _schedule(step: int, steps: int) -> float:
    """The share of the learning rate: a short warm-up, then a cosine down to 2 %."""
    warmup = max(20, steps // 30)
    if step < warmup:
        return (step + 1) / warmup
    return 0.02 + 0.49 * (1 + math.cos(math.pi * (step - warmup) / max(1, steps - warmup)))
