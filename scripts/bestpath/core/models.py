"""Model folders: what must be in one, whether two belong together, and how one comes into being whole.

A model folder is a Hugging Face folder: config.json, safetensors weights, a tokenizer and a chat template. Its
manifest.json, written last, holds the size and the SHA-256 of every file; it is what other rules depend on.
Nothing here imports torch when the module is loaded.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bestpath.core.errors import UserError
from bestpath.core.io import read_json, write_json
from bestpath.core.provenance import digest, sha256_of

if TYPE_CHECKING:
    import torch

MANIFEST = "manifest.json"
LINEAGE = "lineage.json"
"""Where a model comes from (see `lineage`); beside the manifest and not in it, so that it changes no model."""
_WEIGHTS = ("model.safetensors", "model.safetensors.index.json")
WEIGHT_BYTES = {"float32": 4, "bfloat16": 2, "float16": 2}
_TOKENIZERS = ("tokenizer.json", "tokenizer.model", "vocab.json")
_WEIGHT_SUFFIXES = {".safetensors", ".bin", ".pt", ".pth", ".h5", ".msgpack", ".gguf", ".onnx"}


# --- checks -----------------------------------------------------------------------------------------------------


def check_folder(folder: Path) -> None:
    """Check that a folder holds a whole model that can chat.

    Raises UserError when the configuration, the weights, the tokenizer or the chat template is missing, when the
    tokenizer has tokens that the model does not know, or when a file is not the one that the manifest states.
    """
    if not folder.is_dir():
        raise UserError(f"there is no model folder {folder}; give the folder of a Hugging Face model")
    if not (folder / "config.json").is_file():
        raise UserError(f"the model folder {folder} has no config.json; give the folder of a Hugging Face model")
    if not any((folder / name).is_file() for name in _WEIGHTS):
        raise UserError(
            f"the model folder {folder} has no model.safetensors; save the model again with safe serialization"
        )
    for name in sorted({file.name for file in _weight_files(folder)}):
        if not (folder / name).is_file():
            raise UserError(f"the model folder {folder} lacks its weight file {name}; copy the whole model again")
    if not any((folder / name).is_file() for name in _TOKENIZERS):
        raise UserError(f"the model folder {folder} has no tokenizer; save the model's tokenizer there too")
    if not _has_chat_template(folder):
        raise UserError(f"the tokenizer of {folder} has no chat template; put it there as chat_template.jinja")
    _check_embeddings(folder)
    _check_manifest(folder)


def check_reward_model(folder: Path) -> None:
    """Check that a folder holds a whole reward model: one that gives a chat one number.

    Raises UserError as `check_folder`, when the head is missing (libraries would go on with random numbers), and when
    it gives more numbers than one.
    """
    check_folder(folder)
    head = tensors(folder).get("score.weight")
    if head is None:
        raise UserError(
            f"the model in {folder} is not a reward model: its weights have no score.weight; give the folder of a "
            "model that was saved for sequence classification"
        )
    if head.shape[0] != 1:
        raise UserError(
            f"the model in {folder} is not a reward model: its head gives {head.shape[0]} numbers, and a reward is one"
        )


def _check_embeddings(folder: Path) -> None:
    """Some models have more rows than tokens, never fewer; where either number is not stated, nothing is checked."""
    config = read_json(folder / "config.json")
    rows = config.get("vocab_size", config.get("text_config", {}).get("vocab_size"))
    last, token = max((id_, token) for token, id_ in vocabulary(folder).items())
    if rows is not None and last >= rows:
        raise UserError(
            f"the tokenizer of {folder} does not belong to its model: token {token!r} has the id {last}, but the model "
            f"has a vocabulary of {rows}; put the model's own tokenizer there"
        )


def _has_chat_template(folder: Path) -> bool:
    if (folder / "chat_template.jinja").is_file() or (folder / "chat_template.json").is_file():
        return True
    settings = folder / "tokenizer_config.json"
    return settings.is_file() and bool(read_json(settings).get("chat_template"))


def _check_manifest(folder: Path) -> None:
    """Compare all sizes, and the content of what was changed after the manifest, which is written last."""
    manifest = folder / MANIFEST
    if not manifest.is_file():
        return
    written = manifest.stat().st_mtime_ns
    for name, entry in read_json(manifest)["files"].items():
        file = folder / name
        size = file.stat().st_size if file.is_file() else None
        found = ""
        if size != entry["bytes"]:
            found = "is missing" if size is None else f"has {size} bytes instead of {entry['bytes']}"
        elif file.stat().st_mtime_ns > written and sha256_of(file) != entry["sha256"]:
            found = "is not what the manifest says: it was changed or damaged"
        if found:
            raise UserError(f"{file} {found}; delete the folder {folder} and run the workflow again")


def check_same_vocabulary(first: Path, second: Path) -> None:
    """Check that the tokenizers of two model folders give every token the same id.

    Raises UserError naming the first token that differs.
    """
    ids, others = vocabulary(first), vocabulary(second)
    different = [token for token in {**ids, **others} if ids.get(token) != others.get(token)]
    if different:
        token = min(different)
        raise UserError(
            f"the tokenizers of {first} and {second} differ in {len(different)} tokens, for example {token!r} "
            f"(id {ids.get(token, 'none')} and {others.get(token, 'none')}); use models with the same tokenizer"
        )


def check_same_shapes(first: Path, second: Path) -> None:
    """Check that two model folders hold tensors of the same names and shapes.

    Raises UserError naming the first tensor that differs.
    """
    shapes = {name: info.shape for name, info in tensors(first).items()}
    others = {name: info.shape for name, info in tensors(second).items()}
    for name in sorted(shapes.keys() | others.keys()):
        if shapes.get(name) != others.get(name) and not (_is_tied_head(first, name) or _is_tied_head(second, name)):
            raise UserError(
                f"the weights of {first} and {second} do not fit together: the shape of {name} is "
                f"{shapes.get(name, 'none')} and {others.get(name, 'none')}; use models of one architecture and size"
            )


def _is_tied_head(folder: Path, name: str) -> bool:
    """Whether a tensor is an output embedding that may be left out because it is the input embedding."""
    return name == "lm_head.weight" and bool(read_json(folder / "config.json").get("tie_word_embeddings"))


def vocabulary(folder: Path) -> dict[str, int]:
    """Token -> id of a folder's tokenizer; for a tokenizer without tokenizer.json, the digest of its files -> 0."""
    file = folder / "tokenizer.json"
    if not file.is_file():
        files = [folder / name for name in (*_TOKENIZERS, "merges.txt", "added_tokens.json")]
        return {f"{file.name} {sha256_of(file)}": 0 for file in files if file.is_file()}
    content = read_json(file)
    vocab: Any = content["model"]["vocab"]
    ids = {entry[0]: i for i, entry in enumerate(vocab)} if isinstance(vocab, list) else dict(vocab)
    return {**ids, **{token["content"]: token["id"] for token in content.get("added_tokens", [])}}


def parameters(folder: Path) -> int:
    """How many parameters a model folder holds: the size of its weights in the dtype it states (float32 if none)."""
    config = read_json(folder / "config.json") if (folder / "config.json").is_file() else {}
    dtype = config.get("dtype", config.get("torch_dtype", "float32"))
    size = sum(file.stat().st_size for file in folder.glob("*.safetensors"))
    return size // WEIGHT_BYTES.get(dtype, WEIGHT_BYTES["float32"])


# --- making a folder --------------------------------------------------------------------------------------------


@contextmanager
def new_folder(folder: Path) -> Iterator[Path]:
    """Yield an empty folder beside `folder`; it takes its place whole, with a manifest, or not at all.

    Remains of a killed job are removed first. Files get the permissions of the umask: transformers and
    safetensors write files that only their owner can read. Raises UserError when the folder cannot be written.
    """
    temporary = folder.with_name(f".{folder.name}.tmp-{os.getpid()}")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        for remains in folder.parent.glob(f".{folder.name}.tmp-*"):
            shutil.rmtree(remains)
        temporary.mkdir()
        yield temporary
        _open_to_umask(temporary)
        write_manifest(temporary)
        if folder.is_dir():
            shutil.rmtree(folder)
        temporary.rename(folder)
        sync(folder.parent)
    except PermissionError as error:
        raise UserError(
            f"cannot write the model folder {folder} ({error.strerror}); make its parent writable"
        ) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def write_manifest(folder: Path) -> None:
    """Write manifest.json: size and SHA-256 of every file of the folder, synced to disk before."""
    files = {}
    apart = {folder / MANIFEST, folder / LINEAGE}
    for path in sorted(path for path in folder.rglob("*") if path.is_file() and path not in apart):
        sync(path)
        name = path.relative_to(folder).as_posix()
        files[name] = {"bytes": path.stat().st_size, "sha256": sha256_of(path)}
    write_json(folder / MANIFEST, {"files": files})


def folder_digest(folder: Path) -> str:
    """16 hex digits that depend on the content of a folder's files, taken from its manifest if it has one."""
    if (folder / MANIFEST).is_file():
        files = read_json(folder / MANIFEST)["files"]
        return digest({name: entry["sha256"] for name, entry in files.items()})
    return digest({path.name: sha256_of(path) for path in sorted(folder.iterdir()) if path.is_file()})


def copy_companions(base: Path, folder: Path, dtype: str) -> None:
    """Copy everything of a model but its weights, byte for byte: configuration, tokenizer, template, licence.

    Only config.json is rewritten, and only if it states another dtype than `dtype`.
    """
    for path in sorted(base.iterdir()):
        skipped = path.suffix in _WEIGHT_SUFFIXES or path.name in {*_WEIGHTS, MANIFEST, LINEAGE, "README.md"}
        if path.is_file() and not skipped and not path.name.startswith("."):
            shutil.copyfile(path, folder / path.name)
    config = read_json(base / "config.json")
    if config.get("dtype", config.get("torch_dtype")) != dtype:
        config.pop("torch_dtype", None)
        (folder / "config.json").write_text(json.dumps({**config, "dtype": dtype}, indent=2) + "\n", encoding="utf-8")


def sync(path: Path) -> None:
    """Force a file or the entries of a folder to disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _open_to_umask(folder: Path) -> None:
    umask = os.umask(0)
    os.umask(umask)
    for path in (path for path in folder.rglob("*") if not path.is_symlink()):
        path.chmod((0o777 if path.is_dir() else 0o666) & ~umask)


# --- weights ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class TensorInfo:
    """Where a tensor is stored and what it is; `dtype` in the spelling of safetensors (F32, BF16)."""

    file: Path
    dtype: str
    shape: tuple[int, ...]


def tensors(folder: Path) -> dict[str, TensorInfo]:
    """The tensors of a model folder by name, read from the headers of its safetensors files."""
    found = {}
    for file in _weight_files(folder):
        with file.open("rb") as stream:
            header = json.loads(stream.read(int.from_bytes(stream.read(8), "little")))
        for name, entry in header.items():
            if name != "__metadata__":
                found[name] = TensorInfo(file, entry["dtype"], tuple(entry["shape"]))
    return dict(sorted(found.items()))


@contextmanager
def open_tensors(folder: Path) -> Iterator[Callable[[str], torch.Tensor]]:
    """Yield a function that reads one tensor of a model folder from disk; see `tensors` for the names."""
    from safetensors import safe_open

    where = {name: info.file for name, info in tensors(folder).items()}
    with ExitStack() as stack:
        handles = {file: stack.enter_context(safe_open(file, framework="pt")) for file in set(where.values())}
        yield lambda name: handles[where[name]].get_tensor(name)


def chunks(same_shape: Mapping[str, torch.Tensor], size: int = 2**22) -> Iterator[dict[str, torch.Tensor]]:
    """Equal pieces of tensors of one shape, flattened, so that comparing large ones takes little memory."""
    pieces = [tensor.flatten().split(size) for tensor in same_shape.values()]
    for piece in zip(*pieces, strict=True):
        yield dict(zip(same_shape, piece, strict=True))


def _weight_files(folder: Path) -> list[Path]:
    single, index = (folder / name for name in _WEIGHTS)
    if single.is_file():
        return [single]
    return sorted({folder / name for name in read_json(index)["weight_map"].values()})
