"""vLLM in this process: continuous batching, prefix caching, tensor parallelism."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bestpath.core.errors import UserError
from bestpath.core.models import check_folder
from bestpath.core.search import Completion, Generate
from bestpath.stages.generation.engines.chat import Chat, end_tokens
from bestpath.stages.generation.engines.local import CompletingEngine, Options


@dataclass(frozen=True)
class VllmOptions(Options):
    """How vLLM runs a model, on `tensor_parallel` GPUs together or on a CPU.

    `gpu_memory` is a share of each GPU's, `kv_cache_gb` the room for keys and values on a CPU. `eager` starts sooner
    and decodes slower.
    """

    tensor_parallel: int = 1
    gpu_memory: float = 0.9
    kv_cache_gb: int = 1
    eager: bool = False


def open_engine(folder: Path, **settings: Any) -> VllmEngine:
    """Open the engine on a model folder; settings as in `VllmOptions`."""
    return VllmEngine(folder, **settings)


class VllmEngine(CompletingEngine):
    """Runs a model folder on vLLM, as `VllmOptions` say.

    Requests join and leave the running batch between two steps, so that no search waits for another. Each carries
    its own seed and is one sample; samples of one prompt and the rounds of a search share what they have in common
    through vLLM's prefix cache. On a CPU a completion depends on its request alone; on a GPU the last bits of the
    logits vary with the batch, unless VLLM_BATCH_INVARIANT=1 is set.
    """

    def __init__(self, folder: Path | str, **settings: Any) -> None:
        folder = Path(folder)
        check_folder(folder)
        options = VllmOptions(**settings)
        vllm = import_vllm(options)
        chat, self._ends = chat_of(folder, options)
        self._engine = start(vllm, folder, options)
        super().__init__(options.slots, chat, self._engine.model_config.max_model_len)

    def close(self) -> None:
        """End vLLM and its processes."""
        self._engine.engine_core.shutdown()
        del self._engine

    def _start(self, ticket: int, request: Generate, prompt: list[int], limit: int) -> None:
        from vllm import SamplingParams
        from vllm.sampling_params import RequestOutputKind

        sampling = request.sampling
        parameters = SamplingParams(
            temperature=sampling.temperature,
            top_p=sampling.top_p,
            top_k=sampling.top_k,
            seed=request.seed if sampling.temperature else None,
            max_tokens=limit,
            stop_token_ids=sorted(self._ends),
            detokenize=False,  # `Chat` makes the same text for every engine
            output_kind=RequestOutputKind.FINAL_ONLY,
        )
        self._engine.add_request(str(ticket), {"prompt_token_ids": prompt}, parameters)

    def _work(self) -> Sequence[Any]:
        """One step of the engine: a token for every running request, and prompts of waiting ones."""
        return [output for output in self._engine.step() if output.finished]

    def _answers(self, ended: Sequence[Any]) -> list[tuple[int, Completion]]:
        return [self._completion(output) for output in ended]

    def _completion(self, output: Any) -> tuple[int, Completion]:
        (answer,) = output.outputs
        ids = list(answer.token_ids)
        stopped = bool(ids) and ids[-1] in self._ends
        return self._completed(int(output.request_id), len(output.prompt_token_ids), ids, stopped)

    def _give_up(self) -> None:
        self._engine.abort_request([str(ticket) for ticket in self._requests])


def start(vllm: Any, folder: Path, options: VllmOptions, **arguments: Any) -> Any:
    """Start vLLM's engine on a model folder. Raises UserError when it refuses the model."""
    engine_arguments = vllm.EngineArgs(
        model=str(folder),
        dtype=options.dtype,
        max_model_len=options.context,
        max_num_seqs=options.slots,
        tensor_parallel_size=options.tensor_parallel,
        gpu_memory_utilization=options.gpu_memory,
        enforce_eager=options.eager,
        enable_prefix_caching=True,
        # On a CPU vLLM cannot take back the random number of a prompt that it has only begun.
        enable_chunked_prefill=False if options.device == "cpu" else None,
        trust_remote_code=options.trust_remote_code,
        load_format="safetensors",
        generation_config="vllm",  # every request says how to sample
        disable_log_stats=True,
        seed=0,
        **arguments,
    )
    try:
        return vllm.LLMEngine.from_engine_args(engine_arguments)
    except (OSError, ValueError, RuntimeError, KeyError, ImportError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise UserError(
            f"vLLM cannot run the model in {folder} ({reason}); see the log, or use another engine"
        ) from error


def chat_of(folder: Path, options: VllmOptions) -> tuple[Chat, frozenset[int]]:
    """The chat format of a model folder, and the tokens that end a turn. Raises UserError when it has none."""
    from transformers import AutoTokenizer, GenerationConfig

    tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=options.trust_remote_code)
    return Chat(tokenizer), end_tokens(GenerationConfig.from_pretrained(folder), tokenizer, folder)


def _set_environment(device: str, kv_cache_gb: int, threads: int) -> None:
    """vLLM takes much of its configuration from the environment; what a user has set there stays."""
    settings = {"VLLM_NO_USAGE_STATS": "1", "VLLM_LOGGING_LEVEL": "WARNING", "VLLM_LOGGING_STREAM": "ext://sys.stderr"}
    if device == "cpu":
        settings |= {
            "VLLM_CPU_KVCACHE_SPACE": str(kv_cache_gb),
            # Snakemake shares the cores out; vLLM would pin itself to some of them.
            "VLLM_CPU_OMP_THREADS_BIND": "nobind",
            "OMP_NUM_THREADS": str(threads),
            # In this process the order of work, and so every bit, is the same in every run.
            "VLLM_ENABLE_V1_MULTIPROCESSING": "0",
        }
    for name, value in settings.items():
        os.environ.setdefault(name, value)


def import_vllm(options: VllmOptions) -> Any:
    """The module, configured. Raises UserError when there is none here, or it is built for another device."""
    _set_environment(options.device, options.kv_cache_gb, options.threads)
    try:
        import vllm
        from vllm.platforms import current_platform
    except ImportError as error:
        raise UserError(
            f"vLLM cannot be imported here ({error}); make its environment (docs/environments.md) or use the engine "
            "transformers"
        ) from error
    if current_platform.is_cpu() != (options.device == "cpu"):
        built = "a CPU" if current_platform.is_cpu() else "GPUs"
        raise UserError(
            f"this vLLM is built for {built}, but compute.gpus asks for the device {options.device}; change one"
        )
    return vllm
