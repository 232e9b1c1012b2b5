from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from bestpath.core.errors import UserError
from bestpath.core.models import MANIFEST, check_folder
from bestpath.stages.merging.merge import merge
from tests.stages.merging import oracle
from tests.stages.merging.oracle import method_of
from tests.stages.training.tiny import make_model, make_tokenizer

ROOT = Path(__file__).parents[3]


def contents(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def weights(folder):
    return load_file(folder / "model.safetensors")


def merged(method, base, models, folder, **options):
    merge(method, base, models, folder / "out", options.pop("seed", 1), **options)
    return weights(folder / "out")


def assert_equals(found, expected):
    assert found.keys() == expected.keys()
    for name in found:
        torch.testing.assert_close(found[name], expected[name], rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize(
    ("method", "ours"),
    [
        (method_of("linear", share=0.25), lambda b, x, y: oracle.linear(x, y, 0.25)),
        (method_of("slerp", share=0.25), lambda b, x, y: oracle.slerp(x, y, 0.25)),
        (method_of("ties"), lambda b, x, y: oracle.ties(b, [x, y], 1.0, 0.5, True)),
        (
            method_of("ties", density=0.3, weight=0.7, normalize=False),
            lambda b, x, y: oracle.ties(b, [x, y], 0.3, 0.7, False),
        ),
        (method_of("task_arithmetic"), lambda b, x, y: oracle.task_arithmetic(b, [x, y], 0.5, True)),
        (
            method_of("task_arithmetic", weight=1.0, normalize=False),
            lambda b, x, y: oracle.task_arithmetic(b, [x, y], 1.0, False),
        ),
        (method_of("sce", density=0.75), lambda b, x, y: oracle.sce(b, [x, y], 0.75)),
    ],
    ids=["linear", "slerp", "ties", "ties-0.3", "average", "sum", "sce"],
)
def test_merges_equal_our_own_implementation(method, ours, base, twins, tmp_path):
    found = merged(method, base, twins, tmp_path)
    b, x, y = (weights(folder) for folder in (base, *twins))
    assert_equals(found, {name: ours(b[name], x[name], y[name]) for name in b})


@pytest.mark.parametrize(
    ("method", "ours"),
    [
        (method_of("dare_ties", density=0.25, weight=0.25), oracle.dare_ties),
        (method_of("dare_linear", density=0.5, weight=1.0, normalize=False), oracle.dare_linear),
    ],
    ids=["dare_ties", "dare_linear"],
)
def test_random_merges_equal_our_own_implementation_with_the_same_masks(
    method, ours, base, twins, tmp_path, monkeypatch
):
    from mergekit.merge_methods.task_adapter import ExecuteMergeMethodTask

    names, masks = [], []
    draw, execute = torch.bernoulli, ExecuteMergeMethodTask.execute

    def noted_draw(probability):
        masks.append(draw(probability))
        return masks[-1]

    def noted_execute(task, **inputs):
        names.append(task.output_weight.name)
        return execute(task, **inputs)

    monkeypatch.setattr(torch, "bernoulli", noted_draw)
    monkeypatch.setattr(ExecuteMergeMethodTask, "execute", noted_execute)
    found = merged(method, base, twins, tmp_path)
    b, x, y = (weights(folder) for folder in (base, *twins))
    pairs = dict(zip(names, zip(masks[::2], masks[1::2], strict=True), strict=True))
    expected = {n: ours(b[n], [x[n], y[n]], pairs[n], method.weight, method.normalize) for n in b}
    assert_equals(found, expected)
    drawn = torch.cat([mask.flatten() for mask in masks])
    assert drawn.mean() == pytest.approx(method.density, abs=0.01)


def test_linear_ends_are_the_models_themselves_the_share_is_the_first_ones(base, twins, tmp_path):
    for share, model in ((1.0, twins[0]), (0.0, twins[1])):
        found = merged(method_of("linear", share=share), base, twins, tmp_path / str(share))
        assert all(torch.equal(found[name], tensor) for name, tensor in weights(model).items())


def test_with_equal_weights_and_normalize_the_weight_cancels(base, twins, tmp_path):
    for name in ("dare_ties", "ties"):
        folders = [tmp_path / f"{name}-{weight}" for weight in (0.25, 0.5, 1.0)]
        for folder, weight in zip(folders, (0.25, 0.5, 1.0), strict=True):
            merged(method_of(name, density=0.25, weight=weight), base, twins, folder)
        assert contents(folders[0] / "out") == contents(folders[1] / "out") == contents(folders[2] / "out")


def test_the_mask_is_random_but_decided_by_the_seed_alone(base, twins, tmp_path):
    method = method_of("dare_ties", density=0.25, weight=0.25)
    torch.manual_seed(123)
    merged(method, base, twins, tmp_path / "first")
    elsewhere = [shutil.copytree(twin, tmp_path / f"z{i}+{2 - i}" / "m@1") for i, twin in enumerate(twins)]
    merged(method, shutil.copytree(base, tmp_path / "zz"), elsewhere, tmp_path / "second")
    merged(method, base, twins, tmp_path / "third", seed=2)
    assert contents(tmp_path / "first" / "out") == contents(tmp_path / "second" / "out")
    assert contents(tmp_path / "first" / "out") != contents(tmp_path / "third" / "out")


def test_another_process_writes_the_same_bytes(base, twins, tmp_path):
    method = method_of("dare_ties", density=0.25, weight=0.25)
    merged(method, base, twins, tmp_path / "here")
    code = (
        "import sys; from pathlib import Path; from bestpath.stages.merging.merge import merge; "
        "from tests.stages.merging.oracle import method_of; base, a, b, out = map(Path, sys.argv[1:]); "
        "merge(method_of('dare_ties', density=0.25, weight=0.25), base, [a, b], out, 1)"
    )
    environment = {
        **os.environ,
        "PYTHONHASHSEED": "7",
        "OMP_NUM_THREADS": "2",
        "PYTHONPATH": f"{ROOT / 'scripts'}:{ROOT}",
    }
    command = [sys.executable, "-c", code, *map(str, (base, *twins, tmp_path / "there" / "out"))]
    subprocess.run(command, env=environment, check=True, capture_output=True)
    assert contents(tmp_path / "here" / "out") == contents(tmp_path / "there" / "out")


def test_there_is_one_cast_and_it_is_the_last_step(base, twins, tmp_path):
    method = method_of("ties")
    exact = merged(method, base, twins, tmp_path / "float32")
    cast = merged(method, base, twins, tmp_path / "bfloat16", dtype="bfloat16")
    assert all(torch.equal(cast[name], exact[name].to(torch.bfloat16)) for name in exact)
    assert json.loads((tmp_path / "bfloat16" / "out" / "config.json").read_text())["dtype"] == "bfloat16"


def test_the_folder_is_whole_and_has_the_bases_own_tokenizer(base, twins, tmp_path):
    merged(method_of("ties"), base, twins, tmp_path)
    out = tmp_path / "out"
    check_folder(out)
    assert set(contents(out)) == {*contents(base), MANIFEST}
    for name in set(contents(base)) - {"model.safetensors"}:
        assert (out / name).read_bytes() == (base / name).read_bytes()
    umask = os.umask(0)
    os.umask(umask)
    assert {path.stat().st_mode & 0o777 for path in out.iterdir()} == {0o666 & ~umask}
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_merging_again_replaces_the_old_folder_and_removes_remains_of_a_killed_job(base, twins, tmp_path):
    (tmp_path / ".out.tmp-1").mkdir(parents=True)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "old").touch()
    merged(method_of("ties"), base, twins, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert not (tmp_path / "out" / "old").exists()


def test_models_that_do_not_fit_are_told_before_merging(base, twins, tmp_path, monkeypatch):
    monkeypatch.setattr("bestpath.stages.merging.merge._run", None)  # merging would be an error of another kind

    def fails(model, said):
        with pytest.raises(UserError, match=said):
            merged(method_of("ties"), base, [twins[0], model], tmp_path)
        assert not (tmp_path / "out").exists()

    other = make_tokenizer(extra=("<|more|>",))
    fails(make_model(tmp_path / "other", tokenizer=other), r"differ in 1 tokens, for example '<\|more\|>'")
    fails(make_model(tmp_path / "wide", hidden_size=64), "the shape of model.embed_tokens.weight is")
    fails(make_model(tmp_path / "deep", num_hidden_layers=3), r"the shape of model.layers.2.\S+ is none and")
    for name, said in (("tokenizer.json", "has no tokenizer"), ("chat_template.jinja", "no chat template")):
        broken = shutil.copytree(twins[1], tmp_path / f"without-{name}")
        (broken / name).unlink()
        fails(broken, said)
    fails(tmp_path / "nowhere", "there is no model folder")
    with pytest.raises(UserError, match="cannot write dtype 'int8'"):
        merged(method_of("ties"), base, twins, tmp_path, dtype="int8")


def test_weights_that_are_not_finite_are_no_result(base, twins, tmp_path):
    broken = shutil.copytree(twins[1], tmp_path / "broken")
    values = weights(broken)
    values["model.norm.weight"][0] = torch.nan
    save_file(values, broken / "model.safetensors", {"format": "pt"})
    with pytest.raises(UserError, match=r"model.norm.weight are not finite"):
        merged(method_of("linear", share=0.5), base, [twins[0], broken], tmp_path)
    assert not (tmp_path / "out").exists()
