from __future__ import annotations

import json
import math
import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from bestpath.core.errors import UserError
from bestpath.core.io import read_jsonl
from bestpath.core.models import MANIFEST, check_folder, check_same_vocabulary
from bestpath.core.rejects import Rejects
from bestpath.core.tables import made_from, read_table, write_table
from bestpath.stages.training.choice import Readout
from bestpath.stages.training.reference import REFERENCE
from bestpath.stages.training.rows import Language, encode
from bestpath.stages.training.run import TRAINING
from bestpath.stages.training.train import train, write_reference
from tests.stages.training.tiny import chat, example, make_model, make_tokenizer, pair, recipe_of

DPO = recipe_of(1e-3, global_batch=8, micro_batch=8, lora_rank=0, precision="float32", max_length=250, checkpoints=2)
PAIRS = [pair(i) for i in range(24)]
DEV = [pair(i) for i in range(100, 111)]


def run(base, folder, recipe=DPO, rows=PAIRS, dev=DEV, **options):
    options.setdefault("rejects", Rejects("training"))
    return train(recipe, base, rows, dev, folder / "out", folder / "work", **options)


def values(trained, name):
    return {row["step"]: row["value"] for row in trained.metrics if row["name"] == name}


def contents(folder):
    return {path.relative_to(folder): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.fixture(scope="module")
def trained(base, tmp_path_factory):
    folder = tmp_path_factory.mktemp("trained")
    return run(base, folder), folder


def test_dpo_separates_the_pairs(trained):
    result, _ = trained
    loss, margin = values(result, "dev/loss"), values(result, "dev/rewards/margins")
    assert sorted(loss) == [0, 2, 3]
    assert loss[0] == pytest.approx(math.log(2), abs=1e-6)
    assert loss[3] < loss[2] < loss[0]
    assert margin[3] > margin[2] > 0
    assert sorted(values(result, "train/loss")) == [1, 2, 3]
    assert result.chosen == 3


def test_the_metrics_are_a_table(trained, tmp_path):
    result, _ = trained
    assert write_table(tmp_path / "training.parquet", TRAINING, result.metrics) == len(result.metrics)
    assert len({(row["step"], row["name"]) for row in result.metrics}) == len(result.metrics)
    assert not any("runtime" in row["name"] or "second" in row["name"] for row in result.metrics)


def test_the_model_folder_is_whole_readable_and_has_the_bases_own_tokenizer(trained, base):
    _, folder = trained
    out = folder / "out"
    check_folder(out)
    check_same_vocabulary(base, out)
    for name in ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja", "generation_config.json"):
        assert (out / name).read_bytes() == (base / name).read_bytes()
    umask = os.umask(0)
    os.umask(umask)
    assert {path.stat().st_mode & 0o777 for path in out.iterdir()} == {0o666 & ~umask}
    listed = json.loads((out / MANIFEST).read_text())["files"]
    assert set(listed) == {path.name for path in out.iterdir()} - {MANIFEST}
    assert [path.name for path in folder.iterdir()].count("out") == 1
    assert not list(folder.glob(".out.tmp-*"))


def test_two_runs_from_scratch_are_equal_to_the_byte_wherever_they_run(trained, base, tmp_path):
    result, folder = trained
    copy = shutil.copytree(base, tmp_path / "elsewhere" / "a+b")
    again = run(copy, tmp_path)
    assert contents(tmp_path / "out") == contents(folder / "out")
    assert again == result


def test_progress_is_written_for_a_watcher(trained):
    _, folder = trained
    progress = json.loads((folder / "work" / "progress.json").read_text())
    assert (progress["step"], progress["total"]) == (3, 3)
    assert [row["step"] for row in read_jsonl(folder / "work" / "log.jsonl") if "loss" in row] == [1, 2, 3]


def test_the_worked_example_of_the_dpo_loss(trained, base, tmp_path):
    """Policy and reference -12/-14 and -30/-29: margin 3, loss 0.554355 at beta 0.1 (docs/recut.md)."""
    _, folder = trained
    rows = read_table(folder / "work" / "reference.parquet", REFERENCE)
    shifted = [
        {
            **row,
            "ref_chosen_logps": row["ref_chosen_logps"] - 2,
            "ref_rejected_logps": row["ref_rejected_logps"] + 1,
        }
        for row in rows
    ]
    origin = made_from(folder / "work" / "reference.parquet")
    write_table(tmp_path / "reference.parquet", REFERENCE, shifted, origin)
    result = run(base, tmp_path, reference=tmp_path / "reference.parquet")
    assert values(result, "dev/loss")[0] == pytest.approx(0.554355, abs=1e-5)
    assert values(result, "dev/rewards/margins")[0] == pytest.approx(0.3, abs=1e-5)


def test_reference_log_probabilities_of_another_base_are_not_believed(trained, base, tmp_path):
    _, folder = trained
    rows = read_table(folder / "work" / "reference.parquet", REFERENCE)
    wrong = [{**row, "ref_chosen_logps": 0.0} for row in rows]
    write_table(tmp_path / "reference.parquet", REFERENCE, wrong, {"base": "another"})
    with pytest.raises(UserError, match="reference log-probabilities of other rows; delete it"):
        run(base, tmp_path, replace(DPO, checkpoints=1), reference=tmp_path / "reference.parquet")


def test_a_sweep_shares_one_file_of_reference_log_probabilities(trained, base, tmp_path):
    """The file depends on none of the settings of a sweep, and a run with it ends as one without."""
    file = tmp_path / "reference.parquet"
    write_reference(replace(DPO, learning_rate=1.0, beta=0.5, loss="ipo"), base, PAIRS, DEV, file, tmp_path / "scratch")
    result, folder = trained
    assert file.read_bytes() == (folder / "work" / "reference.parquet").read_bytes()
    again = run(base, tmp_path, reference=file)
    assert again == result
    weights = [(f / "out" / "model.safetensors").read_bytes() for f in (folder, tmp_path)]
    assert weights[0] == weights[1]


def test_sft_without_padding_follows_the_curve_of_sft_with_it(base, tmp_path):
    rows, dev = [example(i) for i in range(16)], [example(i) for i in range(100, 108)]
    sft = replace(DPO, objective="sft", checkpoints=1)
    curves = []
    for padding_free in (False, True):
        folder = tmp_path / str(padding_free)
        recipe = replace(sft, padding_free=padding_free)
        made = train(recipe, base, rows, dev, folder / "out", folder / "work", rejects=Rejects("training"))
        curves.append(values(made, "train/loss") | {-step: loss for step, loss in values(made, "dev/loss").items()})
    assert curves[0] == pytest.approx(curves[1], rel=1e-4)


def test_liger_needs_a_gpu(base, tmp_path):
    with pytest.raises(UserError, match="liger asks for kernels that need an NVIDIA GPU"):
        run(base, tmp_path, replace(DPO, liger=True))


def test_identical_texts_give_ln_2_for_ever(base, tmp_path):
    same = [{**row, "rejected": row["chosen"]} for row in PAIRS]
    dev = [{**row, "rejected": row["chosen"]} for row in DEV]
    result = run(base, tmp_path, rows=same, dev=dev)
    for loss in (*values(result, "dev/loss").values(), *values(result, "train/loss").values()):
        assert loss == pytest.approx(math.log(2), abs=1e-5)


@pytest.mark.parametrize(
    "options", [{"loss": "sigmoid_norm", "ld_alpha": 0.5}, {"loss": "ipo"}, {"sft_weight": 1.0, "epochs": 0.4}]
)
def test_other_losses_train_too(base, tmp_path, options):
    result = run(base, tmp_path, replace(DPO, checkpoints=1, **options))
    loss = values(result, "dev/loss")
    assert loss[max(loss)] < loss[0]


def test_the_length_normalised_loss_is_that_of_its_definition(trained, base, tmp_path):
    """sigmoid_norm at step 0 with reference shifted by 1 nat a token of the winner: -log sigma(beta * 1)."""
    _, folder = trained
    tokenizer = make_tokenizer()
    language = Language(tokenizer, 264, 250, frozenset([tokenizer.eos_token_id]))
    encoded = encode(PAIRS + DEV, language, DPO, Rejects("training"))
    winner_tokens = {row["row_id"]: len(row["chosen_ids"]) for row in encoded}
    rows = read_table(folder / "work" / "reference.parquet", REFERENCE)
    shifted = [{**row, "ref_chosen_logps": row["ref_chosen_logps"] - winner_tokens[row["row_id"]]} for row in rows]
    write_table(tmp_path / "reference.parquet", REFERENCE, shifted, made_from(folder / "work" / "reference.parquet"))
    recipe = replace(DPO, loss="sigmoid_norm", beta=2.0, checkpoints=1)
    result = run(base, tmp_path, recipe, reference=tmp_path / "reference.parquet")
    assert values(result, "dev/loss")[0] == pytest.approx(math.log1p(math.exp(-2.0)), abs=1e-4)


def test_sft_learns_the_completions(base, tmp_path):
    rows, dev = [example(i) for i in range(24)], [example(i) for i in range(100, 108)]
    result = run(base, tmp_path, replace(DPO, objective="sft"), rows=rows, dev=dev)
    loss = values(result, "dev/loss")
    assert loss[3] < loss[2] < loss[0]
    check_folder(tmp_path / "out")


def test_lora_is_exported_as_base_plus_adapter_in_float32(base, tmp_path):
    result = run(base, tmp_path, replace(DPO, lora_rank=4, lora_alpha=8))
    before, after = (load_file(folder / "model.safetensors") for folder in (base, tmp_path / "out"))
    adapter = load_file(tmp_path / "out" / "adapter" / "adapter_model.safetensors")
    prefix = "base_model.model."
    changed = 0
    for name, weight in before.items():
        key = prefix + name.removesuffix(".weight")
        if f"{key}.lora_A.weight" in adapter:
            delta = 8 / 4 * adapter[f"{key}.lora_B.weight"] @ adapter[f"{key}.lora_A.weight"]
            torch.testing.assert_close(after[name], weight + delta, rtol=0, atol=1e-7)
            changed += int((after[name] != weight).sum())
        else:
            assert torch.equal(after[name], weight)
    total = sum(weight.numel() for weight in before.values())
    assert values(result, "change/share") == {3: changed / total}
    settings = (tmp_path / "out" / "adapter" / "adapter_config.json").read_text()
    assert str(base) not in settings and str(tmp_path) not in settings


@pytest.mark.parametrize("rank", [0, 2])
def test_bfloat16_is_the_arithmetic_the_trained_weights_stay_float32(base, tmp_path, rank):
    recipe = replace(DPO, precision="bfloat16", lora_rank=rank, gradient_checkpointing=True, checkpoints=1)
    result = run(base, tmp_path, recipe)
    loss = values(result, "dev/loss")
    assert loss[3] < loss[0]
    assert {tensor.dtype for tensor in load_file(tmp_path / "out" / "model.safetensors").values()} == {torch.float32}
    assert json.loads((tmp_path / "out" / "config.json").read_text())["dtype"] == "float32"


def test_lora_on_named_modules_leaves_the_others_alone(base, tmp_path):
    run(base, tmp_path, replace(DPO, lora_rank=2, lora_targets="q_proj, v_proj", checkpoints=1))
    before, after = (load_file(folder / "model.safetensors") for folder in (base, tmp_path / "out"))
    moved = {name.split(".")[-2] for name in before if not torch.equal(before[name], after[name])}
    assert moved == {"q_proj", "v_proj"}


def test_the_dev_split_chooses_and_every_readout_is_shown(base, tmp_path):
    answers = {0: Readout(0.8, 100, 50), 1: Readout(0.8, 90, 50), 2: Readout(0.8, 70, 50), 3: Readout(0.3, 20, 50)}
    seen = []

    def readout(folder, step):
        check_folder(folder)
        torch.manual_seed(step)  # must not disturb the training
        seen.append((folder == base, step))
        return answers[step]

    recipe = replace(DPO, checkpoints=3)
    result = run(base, tmp_path / "chosen", recipe, criterion="length", readout=readout)
    assert seen == [(True, 0), (False, 1), (False, 2), (False, 3)]
    assert result.chosen == 2
    assert values(result, "readout/mean_tokens") == {0: 100, 1: 90, 2: 70, 3: 20}
    assert values(result, "chosen") == {2: 1.0}
    last = run(base, tmp_path / "last", recipe)
    assert last.chosen == 3
    assert values(last, "dev/loss") == values(result, "dev/loss")
    weights = [contents(tmp_path / name / "out")[Path("model.safetensors")] for name in ("chosen", "last")]
    assert weights[0] != weights[1]


def test_warnings_are_in_the_metrics_and_on_stderr(base, tmp_path, capsys):
    result = run(base, tmp_path, criterion="length", readout=lambda folder, step: Readout(0.5, 100.0, 20))
    assert {warning.name for warning in result.warnings} == {"trivial_separation", "length_unchanged"}
    assert values(result, "warning/trivial_separation") == {2: 1.0}
    assert values(result, "warning/length_unchanged") == {result.chosen: 1.0}
    assert "raise the learning rate" in capsys.readouterr().err


def test_over_length_rows_are_in_the_rejects_of_the_run(base, tmp_path):
    rejects = Rejects("training")
    long = [{**pair(i), "chosen": chat("assistant", "y" * 300)} for i in (50, 51)]
    run(base, tmp_path, replace(DPO, checkpoints=1), rows=PAIRS + long, rejects=rejects)
    assert rejects.counts() == {"over_max_length": 2}
    assert read_table(tmp_path / "work" / "reference.parquet", REFERENCE)[0].keys() == REFERENCE.columns.keys()
    assert len(read_table(tmp_path / "work" / "reference.parquet", REFERENCE)) == len(PAIRS) + len(DEV)


def test_the_models_context_limits_rows_too(tmp_path, tmp_path_factory):
    small = make_model(tmp_path_factory.mktemp("small") / "base", max_position_embeddings=40)
    rejects = Rejects("training")
    with pytest.raises(UserError, match="24 over_max_length"):
        run(small, tmp_path, rejects=rejects)


def test_bad_models_and_rows_are_told_before_anything_is_computed(base, tmp_path):
    def broken(name, *without):
        folder = shutil.copytree(base, tmp_path / name)
        for file in without:
            (folder / file).unlink()
        return folder

    with pytest.raises(UserError, match="has no tokenizer"):
        run(broken("no-tokenizer", "tokenizer.json"), tmp_path)
    with pytest.raises(UserError, match="no chat template"):
        run(broken("no-template", "chat_template.jinja"), tmp_path)
    with pytest.raises(UserError, match="there is no model folder"):
        run(tmp_path / "nothing", tmp_path)
    with pytest.raises(UserError, match="11 problems are in the training and in the dev split"):
        run(base, tmp_path, rows=PAIRS + DEV)
    with pytest.raises(UserError, match="no training rows"):
        run(base, tmp_path, rows=[])
    with pytest.raises(UserError, match="names 'q_prog', which is no module"):
        run(base, tmp_path, replace(DPO, lora_rank=4, lora_targets="k_proj, q_prog"))
    with pytest.raises(UserError, match="no multiple of micro_batch 5"):
        run(base, tmp_path, replace(DPO, micro_batch=5))
    assert not (tmp_path / "work").exists() and not (tmp_path / "out").exists()


def test_a_loss_that_is_not_a_number_ends_the_run(base, tmp_path):
    with pytest.raises(UserError, match=r"training loss is (nan|inf) at step \d+; lower the learning rate"):
        run(base, tmp_path, replace(DPO, learning_rate=1e30, warmup_ratio=0.0, epochs=3.0))
    assert not (tmp_path / "out").exists()


def test_a_run_needs_no_dev_split(base, tmp_path):
    result = run(base, tmp_path, dev=[])
    assert not values(result, "dev/loss")
    check_folder(tmp_path / "out")
