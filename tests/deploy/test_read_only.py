"""Paperpost writes into its home and nowhere else: as its image and its unit run it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import REPOSITORY

# All that is mounted is made read-only but one folder, for this process and its children alone;
# then the command runs without any right (which root has by its number only) to undo that.
IN_A_READ_ONLY_WORLD = """
set -e
mount --bind "$0" "$0"
while read -r _ _ _ _ place _; do
    [ "$place" = "$0" ] || mount -o remount,bind,ro "$place" 2>/dev/null || true
done </proc/self/mountinfo
cd "$0"
exec setpriv --bounding-set=-all --inh-caps=-all --no-new-privs "$@"
"""


def read_only_but(home: Path, *command: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a command that may write into one folder alone."""
    world = ("unshare", "--mount", "--map-root-user", "sh", "-c", IN_A_READ_ONLY_WORLD)
    return subprocess.run(
        [*world, home, *command],
        env=os.environ | {"PAPERPOST_HOME": str(home), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=300,
    )


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """All that may be written; the test is skipped where such a world cannot be made."""
    if not shutil.which("unshare") or not shutil.which("setpriv"):
        pytest.skip("unshare and setpriv are not installed")
    folder = tmp_path / "home"
    folder.mkdir(mode=0o700)
    probe = read_only_but(folder, "touch", folder / "inside")
    if probe.returncode:
        pytest.skip(f"nothing can be mounted here: {probe.stderr.strip()}")
    outside = [tmp_path / "outside", REPOSITORY / "outside", Path("/dev/shm/outside")]
    for path in outside:
        assert read_only_but(folder, "touch", path).returncode, path
    return folder


@pytest.mark.slow
def test_the_whole_main_job_needs_to_write_into_the_home_alone(home: Path) -> None:
    program = Path(sys.executable).with_name("paperpost")
    done = read_only_but(home, program, "demo", "--folder", home / "demo", "--json")
    assert done.returncode == 0, done.stderr
    assert list((home / "demo" / "mail").glob("*.eml"))
