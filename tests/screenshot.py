"""Headless Chromium, which shows a file and tells what it became."""

import shutil
import subprocess
from pathlib import Path

PROGRAM = (
    shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
)
# The numbers that its preferredColorScheme has for them.
SCHEMES = {"light": 1, "dark": 0}


def chromium(file: Path, *options: str, scheme: str = "light") -> str:
    """What Chromium prints about the file, as with --dump-dom; needs PROGRAM."""
    if PROGRAM is None:
        raise FileNotFoundError("there is no Chromium on this machine")
    command = [
        *(PROGRAM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-lcd-text"),
        *("--disable-dev-shm-usage", "--no-first-run", "--no-proxy-server", "--hide-scrollbars"),
        f"--blink-settings=preferredColorScheme={SCHEMES[scheme]}",
        *options,
        file.as_uri(),
    ]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=120)
    return done.stdout
