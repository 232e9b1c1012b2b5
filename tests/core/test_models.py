from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bestpath.core.errors import UserError
from bestpath.core.models import (
    MANIFEST,
    check_folder,
    check_same_vocabulary,
    copy_companions,
    folder_digest,
    new_folder,
    tensors,
    vocabulary,
    write_manifest,
)

ROOT = Path(__file__).parents[2]


def model(folder, vocab=("a", "b"), shards=None):
    """A folder that looks like a model; the weights are one float32 of zero."""
    folder.mkdir(parents=True)
    header = json.dumps({"w": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}).encode()
    content = len(header).to_bytes(8, "little") + header + bytes(4)
    if shards:
        index = {"weight_map": {"w": shards[0]}}
        (folder / "model.safetensors.index.json").write_text(json.dumps(index))
        (folder / shards[0]).write_bytes(content)
    else:
        (folder / "model.safetensors").write_bytes(content)
    (folder / "config.json").write_text('{"dtype": "float32"}')
    ids = {token: i for i, token in enumerate(vocab)}
    added = [{"id": len(ids), "content": "<end>"}]
    (folder / "tokenizer.json").write_text(json.dumps({"model": {"vocab": ids}, "added_tokens": added}))
    (folder / "chat_template.jinja").write_text("{{ messages }}")
    return folder


def test_a_whole_folder_passes_single_or_sharded_with_or_without_manifest(tmp_path):
    check_folder(model(tmp_path / "single"))
    sharded = model(tmp_path / "sharded", shards=["model-00001-of-00001.safetensors"])
    check_folder(sharded)
    assert tensors(sharded)["w"].shape == (1,)
    write_manifest(sharded)
    check_folder(sharded)


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ("config.json", "has no config.json"),
        ("model.safetensors", "has no model.safetensors"),
        ("tokenizer.json", "has no tokenizer"),
        ("chat_template.jinja", "no chat template"),
    ],
)
def test_what_is_missing_is_named(file, said, tmp_path):
    folder = model(tmp_path / "model")
    (folder / file).unlink()
    with pytest.raises(UserError, match=said) as caught:
        check_folder(folder)
    assert str(folder) in str(caught.value)


def test_a_tokenizer_with_more_tokens_than_the_model_is_refused(tmp_path):
    folder = model(tmp_path / "model")
    (folder / "config.json").write_text('{"vocab_size": 3}')
    check_folder(folder)
    (folder / "config.json").write_text('{"text_config": {"vocab_size": 3}}')
    check_folder(folder)
    (folder / "config.json").write_text('{"vocab_size": 2}')
    with pytest.raises(UserError, match="token '<end>' has the id 2, but the model has a vocabulary of 2"):
        check_folder(folder)


def test_a_missing_shard_is_named(tmp_path):
    folder = model(tmp_path / "model", shards=["model-00001-of-00002.safetensors"])
    (folder / "model-00001-of-00002.safetensors").unlink()
    with pytest.raises(UserError, match=r"lacks its weight file model-00001-of-00002\.safetensors"):
        check_folder(folder)


def test_a_template_in_the_tokenizers_settings_counts(tmp_path):
    folder = model(tmp_path / "model")
    (folder / "chat_template.jinja").unlink()
    (folder / "tokenizer_config.json").write_text('{"chat_template": "{{ messages }}"}')
    check_folder(folder)


def test_a_file_that_changed_its_size_since_the_manifest_is_told(tmp_path):
    folder = model(tmp_path / "model")
    write_manifest(folder)
    (folder / "config.json").write_text("{}")
    with pytest.raises(UserError, match=r"config.json has 2 bytes instead of 20; delete the folder"):
        check_folder(folder)
    (folder / "config.json").unlink()
    with pytest.raises(UserError, match=r"has no config.json"):
        check_folder(folder)


def test_vocabularies(tmp_path):
    one, same = model(tmp_path / "1"), model(tmp_path / "2")
    assert vocabulary(one) == {"a": 0, "b": 1, "<end>": 2}
    check_same_vocabulary(one, same)
    with pytest.raises(UserError, match=r"differ in 2 tokens, for example 'a' \(id 0 and 1\)"):
        check_same_vocabulary(one, model(tmp_path / "3", vocab=("b", "a")))
    with pytest.raises(UserError, match=r"'<end>' \(id 2 and 3\)"):
        check_same_vocabulary(one, model(tmp_path / "4", vocab=("a", "b", "c")))
    unigram = model(tmp_path / "5")
    (unigram / "tokenizer.json").write_text('{"model": {"vocab": [["a", -1.0], ["b", -2.0], ["<end>", 0.0]]}}')
    check_same_vocabulary(one, unigram)


def test_tokenizers_without_a_json_file_are_compared_by_content(tmp_path):
    folders = [model(tmp_path / name) for name in "abc"]
    for folder, content in zip(folders, (b"1", b"1", b"2"), strict=True):
        (folder / "tokenizer.json").unlink()
        (folder / "tokenizer.model").write_bytes(content)
    check_same_vocabulary(folders[0], folders[1])
    with pytest.raises(UserError, match="differ"):
        check_same_vocabulary(folders[0], folders[2])


def test_a_new_folder_appears_whole_or_not_at_all(tmp_path):
    with pytest.raises(RuntimeError, match="midway"), new_folder(tmp_path / "out") as folder:
        (folder / "half").touch()
        raise RuntimeError("midway")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / ".out.tmp-999").mkdir()
    with new_folder(tmp_path / "out") as folder:
        (folder / "sub").mkdir()
        (folder / "sub" / "file").write_text("x")
        assert not (tmp_path / "out").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    manifest = json.loads((tmp_path / "out" / MANIFEST).read_text())
    assert list(manifest["files"]) == ["sub/file"]
    assert manifest["files"]["sub/file"]["bytes"] == 1


def test_a_linked_file_is_listed_but_its_source_is_left_alone(tmp_path):
    source = tmp_path / "weights"
    source.write_bytes(b"1234")
    source.chmod(0o400)
    with new_folder(tmp_path / "out") as folder:
        (folder / "weights").symlink_to(source)
    assert source.stat().st_mode & 0o777 == 0o400
    assert json.loads((tmp_path / "out" / MANIFEST).read_text())["files"]["weights"]["bytes"] == 4


def test_the_digest_depends_on_the_content_alone(tmp_path):
    one, two = model(tmp_path / "1"), model(tmp_path / "2")
    assert folder_digest(one) == folder_digest(two)
    write_manifest(one)
    write_manifest(two)
    assert folder_digest(one) == folder_digest(two)
    other = model(tmp_path / "3", vocab=("c",))
    write_manifest(other)
    assert folder_digest(other) != folder_digest(one)


def test_companions_are_copied_byte_for_byte_but_for_the_dtype(tmp_path):
    base, out = model(tmp_path / "base"), tmp_path / "out"
    write_manifest(base)
    (base / "README.md").touch()
    (base / "LICENSE").write_text("free")
    out.mkdir()
    copy_companions(base, out, "float32")
    names = {"config.json", "tokenizer.json", "chat_template.jinja", "LICENSE"}
    assert {path.name: path.read_bytes() for path in out.iterdir()} == {n: (base / n).read_bytes() for n in names}
    copy_companions(base, out, "bfloat16")
    assert json.loads((out / "config.json").read_text()) == {"dtype": "bfloat16"}


def test_nothing_heavy_is_imported_with_the_module():
    heavy = "{'torch', 'transformers', 'numpy', 'pyarrow'}"
    code = f"import sys, bestpath.core.models; print(sorted({heavy} & set(sys.modules)))"
    environment = {"PYTHONPATH": str(ROOT / "scripts")}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
