"""The file that results are appended to."""

from __future__ import annotations

import os
import signal
import stat
from collections.abc import Generator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import pytest

from autonomousai_sdk.batch.output import Output
from autonomousai_sdk.batch.result import Recorded
from autonomousai_sdk.errors import BatchError, ConfigurationError

RESULT = b'{"id":"line-1","custom_id":null,"response":{},"error":null}\n'
FAILED = b'{"id":"line-2","custom_id":"a","response":null,"error":{}}\n'
FOUND = [Recorded(b"#1", failed=False), Recorded(b"=a", failed=True)]


@contextmanager
def largest_file(size: int) -> Generator[None]:
    """Limit the size of files, as a full disk does."""
    resource = pytest.importorskip("resource", reason="Windows has no such limits")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


def test_results_are_appended_and_found_again(tmp_path: Path) -> None:
    """A resumed output has the results of both runs."""
    path = tmp_path / "out"
    with Output(path, resume=False) as output:
        output.write(RESULT)
    with Output(str(path), resume=True) as output:
        assert [*output.recorded()] == FOUND[:1]
        output.write(FAILED)
    assert path.read_bytes() == RESULT + FAILED
    with Output(path, resume=True) as output:
        assert [*output.recorded()] == FOUND


def test_an_output_that_is_not_there_is_resumed_from_nothing(tmp_path: Path) -> None:
    """The first run may be told to resume as well."""
    with Output(tmp_path / "out", resume=True) as output:
        assert [*output.recorded()] == []
        output.write(RESULT)
    assert (tmp_path / "out").read_bytes() == RESULT


@pytest.mark.parametrize("cut", range(len(FAILED)))
def test_a_torn_last_line_is_cut_off(tmp_path: Path, cut: int) -> None:
    """Wherever a kill has torn the last result, the file has whole results after a resume."""
    path = tmp_path / "out"
    path.write_bytes(RESULT + FAILED[:cut])
    with Output(path, resume=True) as output:
        found = [*output.recorded()]
        output.write(RESULT)
    is_whole = cut == len(FAILED) - 1
    assert found == (FOUND if is_whole else FOUND[:1])
    assert path.read_bytes() == RESULT + (FAILED if is_whole else b"") + RESULT


@pytest.mark.parametrize(
    "line",
    [
        b"{}",
        b"[]",
        b"{",
        b"",
        b'{"id": "line-1"}',
        b'{"id": "x", "error": null}',
        b'{"id": "line-\xc2\xb2", "error": null}',
        b'{"id": 5, "response": {}}',
    ],
)
def test_a_file_that_is_not_a_batchs_is_left_alone(tmp_path: Path, line: bytes) -> None:
    """Resuming a file with another line names that line, and the file stays as it is."""
    path = tmp_path / "out"
    path.write_bytes(RESULT + line + b"\n" + RESULT)
    with (
        pytest.raises(ConfigurationError, match="out, line 2, is not the result of a batch"),
        Output(path, resume=True) as output,
    ):
        list(output.recorded())
    assert path.read_bytes() == RESULT + line + b"\n" + RESULT


def test_results_of_other_programs_are_found_by_their_id(tmp_path: Path) -> None:
    """OpenAI's own batch output can be resumed, because each result has its custom_id."""
    path = tmp_path / "out"
    path.write_bytes(b'{"id": "batch_req_1", "custom_id": "a", "response": {}, "error": null}\n')
    with Output(path, resume=True) as output:
        assert [*output.recorded()] == [Recorded(b"=a", failed=False)]


@pytest.mark.parametrize("room", [0, 1, 30, len(RESULT) - 1])
def test_a_full_disk_leaves_whole_results(tmp_path: Path, room: int) -> None:
    """A result that does not fit is removed again, and the error says how to go on."""
    path = tmp_path / "out"
    with Output(path, resume=False) as output:
        output.write(RESULT)
        with (
            largest_file(len(RESULT) + room),
            pytest.raises(BatchError, match="Could not write to .*whole.*resume the batch"),
        ):
            output.write(RESULT)
        assert path.read_bytes() == RESULT
        output.write(FAILED)
    assert path.read_bytes() == RESULT + FAILED


def test_an_output_that_exists_is_refused(tmp_path: Path) -> None:
    """Without `resume` no file is overwritten, also an empty one."""
    path = tmp_path / "out"
    path.touch()
    with pytest.raises(ConfigurationError, match="exists already"):
        Output(path, resume=False)


def test_an_output_that_cannot_be_opened_says_why(tmp_path: Path) -> None:
    """A missing or a wrong folder is a BatchError with the system's reason."""
    for path in (tmp_path / "no" / "out", tmp_path):
        with pytest.raises((BatchError, ConfigurationError), match=r"No such file|directory"):
            Output(path, resume=True)


def test_two_runs_cannot_write_to_one_file(tmp_path: Path) -> None:
    """The second run on an output is refused until the first one has ended."""
    path = tmp_path / "out"
    with (
        Output(path, resume=False),
        pytest.raises(ConfigurationError, match="Another batch is writing"),
    ):
        Output(path, resume=True)
    with Output(path, resume=True):
        pass


def test_a_device_is_written_to() -> None:
    """A device is not created, and cannot be resumed; that it is full is told."""
    with Output("/dev/full", resume=False) as output:
        assert not output.is_file
        with pytest.raises(BatchError, match="No space left on device.$"):
            output.write(RESULT)
    with pytest.raises(ConfigurationError, match="cannot be resumed"):
        Output("/dev/null", resume=True)


def test_an_open_file_is_written_to(tmp_path: Path) -> None:
    """A binary file of the caller stays open, and what it has buffered comes first."""
    with (tmp_path / "out").open("wb") as file:
        file.write(b"first\n")
        with Output(file, resume=False) as output:
            output.write(RESULT)
        file.write(b"last\n")
    assert (tmp_path / "out").read_bytes() == b"first\n" + RESULT + b"last\n"


def test_a_file_in_memory_is_refused(tmp_path: Path) -> None:
    """An output needs a file of the system, and a path to be resumed."""
    with pytest.raises(ConfigurationError, match="must be a path"):
        Output(BytesIO(), resume=False)
    with (
        (tmp_path / "out").open("wb") as file,
        pytest.raises(ConfigurationError, match="resume= needs the path"),
    ):
        Output(file, resume=True)


def test_the_users_mask_decides_who_may_read_the_output(tmp_path: Path) -> None:
    """A new output has the permissions of any new file."""
    before = os.umask(0o027)
    try:
        with Output(tmp_path / "out", resume=False):
            pass
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == 0o640
