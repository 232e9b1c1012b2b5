from __future__ import annotations

from bestpath.stages.training.checkpoints import checkpoint, is_whole, keep_only, seal, whole_steps


def write(work, step, *, sealed=True):
    folder = checkpoint(work, step)
    folder.mkdir(parents=True)
    (folder / "model.safetensors").write_bytes(b"weights")
    (folder / "optimizer.pt").write_bytes(b"state")
    if sealed:
        seal(folder)
    return folder


def test_only_sealed_checkpoints_count_and_half_written_ones_are_removed(tmp_path):
    write(tmp_path, 5)
    write(tmp_path, 10)
    half = write(tmp_path, 15, sealed=False)
    assert whole_steps(tmp_path) == [5, 10]
    assert not half.exists()


def test_a_cut_or_a_missing_file_breaks_the_seal(tmp_path):
    cut, missing, extra = (write(tmp_path, step) for step in (1, 2, 3))
    (cut / "optimizer.pt").write_bytes(b"sta")
    (missing / "model.safetensors").unlink()
    (extra / "notes.txt").write_bytes(b"")
    assert [is_whole(folder) for folder in (cut, missing, extra)] == [False, False, True]
    assert whole_steps(tmp_path) == [3]


def test_steps_are_ordered_as_numbers(tmp_path):
    for step in (100, 20, 3):
        write(tmp_path, step)
    assert whole_steps(tmp_path) == [3, 20, 100]


def test_keep_only(tmp_path):
    for step in (1, 2, 3, 4):
        write(tmp_path, step)
    keep_only(tmp_path, {2, 4})
    assert whole_steps(tmp_path) == [2, 4]
