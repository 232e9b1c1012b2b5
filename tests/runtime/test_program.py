"""How programs end."""

from __future__ import annotations

import pytest

from bestpath.core.errors import UserError
from bestpath.runtime.program import run


def interrupted() -> None:
    raise KeyboardInterrupt


def interrupted_in_an_import() -> None:
    try:
        raise KeyboardInterrupt
    except KeyboardInterrupt as error:
        raise ImportError("initialization failed") from error


@pytest.mark.parametrize("main", [interrupted, interrupted_in_an_import])
def test_ctrl_c_is_one_sentence(main, capfd: pytest.CaptureFixture[str]) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(SystemExit) as end:
        run(main)
    assert end.value.code == 130
    assert capfd.readouterr().err == "stopped by Ctrl-C; run the same again to go on\n"


def test_what_a_user_caused_is_one_sentence(capfd: pytest.CaptureFixture[str]) -> None:
    def main() -> None:
        raise UserError("there is no file; make it")

    with pytest.raises(SystemExit) as end:
        run(main)
    assert end.value.code == 1
    assert capfd.readouterr().err == "error: there is no file; make it\n"


def test_a_defect_keeps_its_traceback() -> None:
    with pytest.raises(ZeroDivisionError):
        run(lambda: print(1 / 0))


def test_a_program_may_answer_ctrl_c_itself() -> None:
    def main() -> None:
        try:
            raise KeyboardInterrupt
        except KeyboardInterrupt:
            raise SystemExit(3) from None

    with pytest.raises(SystemExit) as end:
        run(main)
    assert end.value.code == 3
