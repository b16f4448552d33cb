"""The command as a person meets it: what they type, and what comes out."""

from typing import NamedTuple

import pytest

from simulator import cli


class Ran(NamedTuple):
    """How a command ended, and what it wrote."""

    code: int
    out: str
    err: str


class Command:
    """Runs `ehlo-twice` in this process."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
        self._monkeypatch = monkeypatch
        self._capfd = capfd

    def __call__(self, *arguments: str) -> Ran:
        self._monkeypatch.setattr("sys.argv", ["ehlo-twice", *arguments])
        # A command sets it for a process of its own; this one goes on to other tests.
        self._monkeypatch.setattr("gc.set_threshold", lambda *_threshold: None)
        self._capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            cli.main()
        out, err = self._capfd.readouterr()
        return Ran(int(ended.value.code or 0), out, err)

    def fails(self, *arguments: str) -> str:
        """The one line on stderr of a command that cannot be done."""
        error = self.fails_after_work(*arguments)
        assert error.count("\n") == 0, error
        return error

    def fails_after_work(self, *arguments: str) -> str:
        """The same, where a progress bar may have stood on stderr before."""
        ran = self(*arguments)
        assert ran.code == 2
        assert ran.out == ""
        assert "Traceback" not in ran.err
        _, mark, error = ran.err.rpartition("ehlo-twice: ")
        assert mark
        return error.rstrip("\n")
