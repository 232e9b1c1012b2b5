"""Merging models through mergekit: checked first, float32 until one final cast, the same bytes every time."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from bestpath.core.errors import UserError
from bestpath.core.models import (
    check_folder,
    check_same_shapes,
    check_same_vocabulary,
    copy_companions,
    new_folder,
    open_tensors,
    tensors,
)
from bestpath.stages.merging.methods import Method, configuration

_DTYPES = {"float32": "F32", "bfloat16": "BF16", "float16": "F16"}


def merge(
    method: Method,
    base: Path,
    models: Sequence[Path],
    out: Path,
    seed: int,
    dtype: str = "float32",
    *,
    trust_remote_code: bool = False,
) -> None:
    """Merge `models`, trained from `base`, and write the model folder `out` with weights of `dtype`.

    The masks of the DARE methods depend on `seed` and on the models alone. Tokenizer, template and generation settings
    are the base's own files. Raises UserError, before anything is merged, when a folder is not a whole model, or
    when tokenizers or tensors do not fit together; and afterwards when a merged weight is not finite.
    """
    if dtype not in _DTYPES:
        raise UserError(f"the merge cannot write dtype '{dtype}'; known: {', '.join(_DTYPES)}")
    check_folder(base)
    for model in models:
        check_folder(model)
        check_same_vocabulary(base, model)
        check_same_shapes(base, model)
    with new_folder(out) as folder, tempfile.TemporaryDirectory() as links:
        # mergekit orders its work by the names of the weight files, and reads "+" in a name as a LoRA: give it
        # the same plain names wherever the models lie.
        names = [Path(links) / name for name in ("base", *(f"model{i}" for i in range(1, len(models) + 1)))]
        for name, path in zip(names, (base, *models), strict=True):
            name.symlink_to(path.resolve())
        _run(configuration(method, names[0], names[1:], dtype), folder, seed, trust_remote_code)
        (folder / "config.json").unlink()
        copy_companions(base, folder, dtype)
        _check_merged(base, folder, dtype)


def _run(configuration: dict[str, object], folder: Path, seed: int, trust_remote_code: bool) -> None:
    from mergekit.config import MergeConfiguration
    from mergekit.merge import run_merge
    from mergekit.options import MergeOptions

    options = MergeOptions(
        random_seed=seed,
        device="cpu",
        copy_tokenizer=False,
        write_model_card=False,
        lazy_unpickle=True,
        quiet=True,
        trust_remote_code=trust_remote_code,
    )
    with _one_thread():
        run_merge(MergeConfiguration.model_validate(configuration), str(folder), options)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Sums depend on the number of threads, and every tensor's scale is a ratio of sums."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _check_merged(base: Path, folder: Path, dtype: str) -> None:
    """Check names, shapes, type and values of what mergekit wrote."""
    import torch

    check_same_shapes(base, folder)
    merged = tensors(folder)
    odd = sorted(name for name, info in merged.items() if info.dtype != _DTYPES[dtype])
    if odd:
        raise UserError(f"the merge wrote {odd[0]} as {merged[odd[0]].dtype} instead of {dtype}; see the merge's log")
    with open_tensors(folder) as read:
        for name in merged:
            if not torch.isfinite(read(name)).all():
                raise UserError(f"the merged weights {name} are not finite; merge other checkpoints or in float32")
