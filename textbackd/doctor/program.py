"""Ask a program of this box, with nothing to type and little patience.   → examination.py, box.py, access.py, textbackd/setup"""

import subprocess


def ran(*command: str, within: float) -> subprocess.CompletedProcess[str] | None:
    """Return what became of a command; None if there is no such program, or it took longer than `within` seconds."""
    try:
        return subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=within,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None


def said(*command: str, within: float) -> str | None:
    """Return what a command printed; None if it is not there, took too long, or failed."""
    done = ran(*command, within=within)
    return done.stdout if done is not None and done.returncode == 0 else None
