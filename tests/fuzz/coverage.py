"""Which branches an input takes, and the smallest corpus that takes them all."""

import inspect
import sys
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

Arc = tuple[str, int, int]
"""A file and two lines that ran one after the other; the first is negative for a call."""


def arcs_of(call: Callable[[], object], files: frozenset[str]) -> set[Arc]:
    """The arcs that `call` takes in `files`; what it raises is swallowed."""
    arcs: set[Arc] = set()

    def enter(frame: FrameType, _event: str, _value: Any) -> Any:
        name = frame.f_code.co_filename
        if name not in files:
            return None
        last = -frame.f_code.co_firstlineno

        def step(frame: FrameType, event: str, _value: Any) -> Any:
            nonlocal last
            if event == "line":
                arcs.add((name, last, frame.f_lineno))
                last = frame.f_lineno
            return step

        return step

    sys.settrace(enter)
    try:
        call()
    except Exception:  # noqa: BLE001 - the campaign has recorded it
        pass
    finally:
        sys.settrace(None)
    return arcs


def minimise(
    check: Callable[[bytes], object], inputs: Iterable[Path], files: frozenset[str]
) -> tuple[list[Path], set[Arc]]:
    """The inputs worth keeping, smallest first, and all arcs they take.

    An input is kept when it takes an arc that no smaller one takes.
    """
    kept: list[Path] = []
    seen: set[Arc] = set()
    for path in sorted(inputs, key=lambda path: (path.stat().st_size, path.name)):
        new = arcs_of(partial(check, path.read_bytes()), files) - seen
        if new:
            kept.append(path)
            seen |= new
    return kept, seen


def share_of_lines(modules: Sequence[Path], arcs: set[Arc]) -> float:
    """The share of the lines in functions of `modules` that `arcs` reach, 0 to 1."""
    lines = {(str(module), line) for module in modules for line in _lines_of(module)}
    reached = {(name, line) for name, _, line in arcs}
    return len(lines & reached) / len(lines) if lines else 0.0


def _lines_of(module: Path) -> set[int]:
    """Lines inside functions; those of the module itself ran when it was imported."""
    lines: set[int] = set()
    waiting: list[CodeType] = [compile(module.read_text("utf-8"), str(module), "exec")]
    while waiting:
        code = waiting.pop()
        waiting += [const for const in code.co_consts if isinstance(const, CodeType)]
        if code.co_flags & inspect.CO_OPTIMIZED:  # a function, not a module or a class
            lines |= {line for _, _, line in code.co_lines() if line} - {code.co_firstlineno}
    return lines
