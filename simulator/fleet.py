"""The logs of a fleet in one summary: a file a task, on the workers of a Dask cluster.

Summaries add up in any grouping (see `simulator.summary`), so this is one map and one fold. The
paths are `fsspec`'s: of this machine, or such as `s3://bucket/mail/*.gz`; workers open them, so
they have to be able to. A file whose worker dies is done again on another.

Needs the extra `fleet`, here and on the workers, and the same release of this program on both.
"""

from __future__ import annotations

import logging
import posixpath
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import msgspec

from simulator import formats
from simulator.errors import Error
from simulator.language import Text
from simulator.summary import Summary, summarise

PATIENCE = 30
"""Seconds until a scheduler answers and one worker is there."""


class NoFleet(Error):
    """The cluster cannot be used: the message says why, and what to do."""


class Counted(msgspec.Struct, frozen=True, kw_only=True):
    """One file: its counts, or what the trouble was."""

    path: str
    summary: Summary = msgspec.field(default_factory=Summary)
    trouble: Text | str = ""


def expand(paths: Sequence[str]) -> list[str]:
    """Every file that these paths and patterns name, each once, in their order.

    A path without a pattern is taken as it is. Raises `NoFleet` for a pattern that names nothing,
    standard input, a protocol that is not known, or a store that cannot be listed.
    """
    fsspec = _extra("fsspec")
    found: dict[str, None] = {}
    for path in paths:
        if path == "-":
            raise NoFleet("-: workers cannot read standard input; name files that they can open")
        try:
            # A worker stands in another folder.
            whole = path if "://" in path else str(Path(path).absolute())
            fs, *_ = fsspec.core.get_fs_token_paths(whole, mode="rb")
            named = fs.glob(whole) if set("*?[") & set(path) else [whole]
        except Exception as error:
            # Each store raises what its own library does.
            raise NoFleet(f"{path}: {_one(error)}") from None
        if not named:
            raise NoFleet(f"{path}: no file is named like that")
        there = fs.unstrip_protocol if "://" in path else str
        found |= dict.fromkeys(map(there, named))
    return list(found)


def count(path: str, release: str = "", format: str | None = None) -> Counted:  # noqa: A002
    """Summarise one file, where it is: this is what a worker does.

    What is not a file of this machine is brought into a temporary one first, as it stands. Nothing
    is raised: what goes wrong with a file is told of it.
    """
    if release and release != (mine := _release()):
        there = f"the worker has ehlo-twice {mine}, not {release}"
        return Counted(path=path, trouble=f"{path}: {there}; install the same on both")
    try:
        if "://" not in path:
            return _read(Path(path), path, format)
        with tempfile.TemporaryDirectory(prefix="ehlo-twice-") as folder:
            brought = Path(folder) / posixpath.basename(path)
            with _extra("fsspec").open(path, "rb") as source, brought.open("wb") as target:
                shutil.copyfileobj(source, target)
            return _read(brought, path, format)
    except (Error, OSError, ValueError, ImportError) as error:
        return Counted(path=path, trouble=f"{path}: {_one(error)}")


def _read(file: Path, path: str, kind: str | None) -> Counted:
    try:
        found = formats.verdicts(file, format=kind)
        return Counted(path=path, summary=summarise(tallied.verdict for tallied in found))
    except formats.CannotRead as error:
        why: Text | str | int = error.why
        if isinstance(why, Text):
            # What it is called here, a copy perhaps, is nothing to who gave the path.
            why = why.values.get("why", why)
        return Counted(path=path, trouble=Text("{name}: {why}", {"name": path, "why": why}))


def summaries(
    paths: Sequence[str],
    address: str,
    format: str | None = None,  # noqa: A002 - it is what the option is called
) -> Iterator[Counted]:
    """Each file of `paths` as it gets done, in whatever order, by the cluster at `address`.

    `address` is the scheduler's, such as `tcp://10.0.0.1:8786`. A file that keeps killing its
    workers is given up after four of them, and told so. Raises `NoFleet`.
    """
    distributed = _extra("distributed")
    for name in ("distributed", "distributed.client"):
        # What it has to tell of a lost connection is pages of its own insides.
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        client = distributed.Client(address, timeout=PATIENCE)
    except (OSError, ValueError) as error:
        raise NoFleet(
            f"{address}: no scheduler answers ({_one(error)}); start one with `dask scheduler`"
        ) from None
    with client:
        try:
            client.wait_for_workers(1, timeout=PATIENCE)
        except TimeoutError:
            raise NoFleet(
                f"{address}: the scheduler has no worker; start some with `dask worker {address}`"
            ) from None
        release = _release()
        tasks = {client.submit(count, path, release, format, pure=False): path for path in paths}
        for future in distributed.as_completed(tasks):
            if future.cancelled():
                raise NoFleet(f"{address}: the scheduler went away; start it, and count again")
            yield _outcome(future, tasks[future])
            future.release()


def _outcome(future: Any, path: str) -> Counted:
    error = future.exception()
    if error is None:
        counted: Counted = future.result()
        return counted
    if isinstance(error, ModuleNotFoundError):
        why = f"a worker lacks {error.name}; install ehlo-twice[fleet] there"
        raise NoFleet(why)
    return Counted(path=path, trouble=f"{path}: {type(error).__name__}: {_one(error)}")


def _release() -> str:
    try:
        return version("ehlo-twice")
    except PackageNotFoundError:
        return "from a checkout"


def _extra(name: str) -> Any:
    """A package of the extra. Raises `NoFleet` where it is not installed."""
    import importlib

    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise NoFleet(f"{error.name} is not installed: pip install 'ehlo-twice[fleet]'") from None


def _one(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__
