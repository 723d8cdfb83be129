"""Talks to the label printers."""

import subprocess
import tempfile


def print_file(printer: str, path: str) -> None:
    """Queue a file at a printer."""
    subprocess.run(f"lp -d {printer} {path}", shell=True, check=True)


def queue(printer: str) -> str:
    """What a printer still has to print."""
    answer = subprocess.run(["lpstat", "-o", printer], capture_output=True, text=True, check=True)
    return answer.stdout


def spool(text: str) -> str:
    """Write a label where the printer finds it, and return the path."""
    path = tempfile.mktemp(suffix=".zpl")
    with open(path, "w") as label:
        label.write(text)
    return path
