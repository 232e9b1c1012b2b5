"""Loading a model folder for the `transformers` engines, and everything that can be wrong with one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from torch import Tensor
from torch.nn.functional import linear, scaled_dot_product_attention
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification, AutoTokenizer
from transformers.utils.logging import disable_progress_bar

from bestpath.core.errors import UserError
from bestpath.core.io import read_json
from bestpath.core.models import check_folder, check_reward_model
from bestpath.stages.generation.engines.attention import ATTENTION, Heads
from bestpath.stages.generation.engines.chat import end_tokens
from bestpath.stages.generation.engines.local import Options
from bestpath.stages.generation.engines.pools import Shape

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}
_LOADING_ERRORS = (OSError, ValueError, KeyError, ImportError, RuntimeError, SafetensorError)


@dataclass(frozen=True)
class Loaded:
    """A model ready to run: `ends` are its end tokens (a reward model has none), `context` the most tokens of a row."""

    model: Any
    tokenizer: Any
    shape: Shape
    ends: frozenset[int]
    context: int


def load(folder: Path, options: Options | None = None, reward: bool = False) -> Loaded:
    """Load and check the folder of a causal language model or of a `reward` model; weights come from safetensors only.

    Raises UserError when the folder is incomplete, its parts do not fit together, the device is not there, or the
    architecture needs more than causal attention over all tokens.
    """
    options = options or Options()
    (check_reward_model if reward else check_folder)(folder)
    if "auto_map" in read_json(folder / "config.json") and not options.trust_remote_code:
        raise UserError(
            f"the model in {folder} brings program code of its own; set trust_remote_code: true if you trust it"
        )
    if options.device == "cpu":
        torch.set_num_threads(options.threads)
    elif not torch.cuda.is_available():
        raise UserError(f"there is no device '{options.device}' on this machine; use the device cpu")
    disable_progress_bar()
    common = {"local_files_only": True, "trust_remote_code": options.trust_remote_code}
    kind: Any = AutoModelForSequenceClassification if reward else AutoModelForCausalLM
    try:
        tokenizer: Any = AutoTokenizer.from_pretrained(folder, **common)
        model, report = kind.from_pretrained(
            folder, dtype=DTYPES[options.dtype], use_safetensors=True, output_loading_info=True, **common
        )
    except _LOADING_ERRORS as error:
        raise UserError(f"cannot load the model in {folder} ({_first_line(error)}); save or copy it again") from error
    # transformers would go on with random numbers in the place of these.
    if absent := sorted({*report["missing_keys"], *(key for key, *_ in report["mismatched_keys"])}):
        raise UserError(
            f"the weights in {folder} do not fit its config.json: {len(absent)} tensors are missing or of another "
            f"shape, for example {absent[0]}; save or copy the model again"
        )
    model = model.to(options.device).eval()
    context = _context(model.config.get_text_config(), folder, options.context)
    ends = frozenset[int]() if reward else end_tokens(model.generation_config, tokenizer, folder)
    return Loaded(model, tokenizer, _use_our_attention(model, folder), ends, context)


def _context(config: Any, folder: Path, wanted: int | None) -> int:
    most: int = config.max_position_embeddings
    rope = getattr(config, "rope_parameters", None) or {}
    if rope.get("rope_type") in ("dynamic", "longrope"):
        # Beyond this length the longest row of a batch would change the positions of all.
        most = rope.get("original_max_position_embeddings") or most
    context = min(wanted or most, most)
    kinds = set(getattr(config, "layer_types", None) or [])
    window = getattr(config, "sliding_window", None)
    if window and window < context and (not kinds or "sliding_attention" in kinds):
        raise UserError(
            f"the model in {folder} sees a window of {window} tokens only; set its context to {window} at most"
        )
    return context


def logits_at(model: Any, places: Tensor | None, **inputs: Any) -> Tensor:
    """The logits at some places of a sequence, or at all: [places, vocabulary].

    Of a reward model, what its head makes of the places, [places, 1], in float32: bfloat16 has too few digits for it.
    """
    if hasattr(model, "score"):
        hidden = model.base_model(**inputs, use_cache=False).last_hidden_state[0]
        return linear((hidden if places is None else hidden[places]).float(), model.score.weight.float())
    kept = {} if places is None else {"logits_to_keep": places}
    logits: Tensor = model(**inputs, **kept, use_cache=False).logits[0]
    return logits


class _Probe:
    """Attention within each of several packed texts; notes what the layers would store."""

    def __init__(self, lengths: Sequence[int]) -> None:
        self._lengths = list(lengths)
        self.stored: dict[int, tuple[int, int, int]] = {}

    def attend(self, layer: int, heads: Heads) -> Tensor:
        self.stored[layer] = (heads.keys.shape[1], heads.keys.shape[2], heads.values.shape[2])
        parts, start = [], 0
        for length in self._lengths:
            text = heads.of(start, start + length)
            queries, keys, values = (x.transpose(0, 1)[None] for x in (text.queries, text.keys, text.values))
            grouped = queries.shape[1] != keys.shape[1]
            part = scaled_dot_product_attention(
                queries, keys, values, is_causal=True, scale=heads.scale, enable_gqa=grouped
            )
            parts.append(part[0].transpose(0, 1))
            start += length
        return torch.cat(parts)


@torch.inference_mode()
def _use_our_attention(model: Any, folder: Path) -> Shape:
    """Switch the model to our attention, check that two packed texts give the logits that each has alone, and learn
    what the layers store."""
    lengths = (40, 8)
    ids = torch.arange(sum(lengths), device=model.device)[None] % model.get_input_embeddings().num_embeddings
    expected = torch.cat([logits_at(model, None, input_ids=text) for text in ids.split(lengths, 1)])
    probe = _Probe(lengths)
    difference = float("inf")
    try:
        model.set_attn_implementation(ATTENTION)
        positions = torch.cat([torch.arange(length, device=model.device) for length in lengths])[None]
        places = torch.arange(sum(lengths), device=model.device)
        logits = logits_at(model, places, input_ids=ids, position_ids=positions, attending=probe)
        difference = float((logits - expected).abs().max())
    except (TypeError, ValueError, RuntimeError, AttributeError, KeyError):
        pass  # an architecture that does not let its attention be replaced
    tolerance = 1e-3 if model.dtype == torch.float32 else 5e-2
    if not difference <= tolerance * float(expected.abs().max()) or len(set(probe.stored.values())) != 1:
        raise UserError(
            f"the transformers engine cannot run the architecture {type(model).__name__} of {folder}; "
            "use another engine for this model"
        )
    return Shape(len(probe.stored), *probe.stored[0], model.dtype, model.device)


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
