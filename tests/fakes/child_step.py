"""A heavy step for the tests of `secai_assets.children`; what it does is said in its options."""

import os
import sys
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from secai_assets.resources.house import House
from secai_lib.core.errors import StorageError, Unreachable


def make(house: House, options: Mapping[str, object], say: Callable[[str], None]) -> None:
    say(f"home {house.project.home.name}")
    os.write(1, b"a library prints\n")
    match options["do"]:
        case "refuse":
            raise StorageError("the disk is full: free some space")
        case "wait":
            raise Unreachable("the Hub did not answer")
        case "leave a thread":
            ThreadPoolExecutor(1).submit(time.sleep, 60)
            raise Unreachable("the server refused")
        case "stumble":
            raise ZeroDivisionError("one by zero")
        case "die":
            sys.stderr.write("out of memory\n")
            sys.stderr.flush()
            os.kill(os.getpid(), 9)
        case "sleep":
            Path(str(options["file"])).write_text(str(os.getpid()))
            time.sleep(60)
