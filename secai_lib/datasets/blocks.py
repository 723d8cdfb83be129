"""The answer that turns a weak file into its proven fix: what Stage 2 is trained on."""

from secai_lib.datasets.answer_format import AnswerRefused, Block, is_marker
from secai_lib.datasets.applier import apply_answer
from secai_lib.datasets.placeholders import hashes
from secai_lib.datasets.windows import NoWindow, Window, span


def block_for(window: Window, text: str, fixed: str) -> Block:
    """The smallest block that turns `text`, which `window` was cut from, into `fixed`.

    Its old lines stand in the window exactly once, and applying it gives `fixed` byte for byte.

    Raises:
        NoWindow: `fixed` differs outside the window, or in a way no block can say.
    """
    lines = inside(window, text, fixed)
    if any(line.strip() and not line.startswith(window.indent) for line in lines):
        raise NoWindow("outdented", "A new line begins further left than the whole window.")
    after = tuple(window.shown(line) for line in lines)
    first, last, last_new = span(window.lines, after)
    shift = last_new - last
    while not _found_once(window.lines, first, last):
        first, last = _wider(window.lines, first, last)
    block = Block(old=window.lines[first:last], new=after[first : last + shift])
    if any(is_marker(line) for line in (*block.old, *block.new)):
        raise NoWindow("marker", f"{window.path} holds lines that look like the block's marks.")
    if any(hashes(line) for line in block.new):
        raise NoWindow("unknown_hash", "The fix needs a hash that nothing in the window tells.")
    _refuse_inexact(window, text, fixed, block)
    return block


def inside(window: Window, text: str, fixed: str) -> list[str]:
    """The lines of `fixed` that stand where `window` was cut from `text`, indentation and all.

    Raises:
        NoWindow: `fixed` differs from `text` outside of the window.
    """
    behind = text[window.end :]
    inside = window.start + len(behind) <= len(fixed)
    if not inside or not (fixed.startswith(text[: window.start]) and fixed.endswith(behind)):
        raise NoWindow("outside", f"The fix changes {window.path} outside of the window.")
    return fixed[window.start : len(fixed) - len(behind)].split(window.newline)


def _found_once(lines: tuple[str, ...], first: int, last: int) -> bool:
    wanted = lines[first:last]
    if not any(line.strip() for line in wanted):
        return False
    size = last - first
    return sum(lines[i : i + size] == wanted for i in range(len(lines) - size + 1)) == 1


def _wider(lines: tuple[str, ...], first: int, last: int) -> tuple[int, int]:
    """One line more: the one above, which new lines hang on, and below where there is none."""
    if first > 0 and (lines[first - 1].strip() or last == len(lines)):
        return first - 1, last
    if last < len(lines):
        return first, last + 1
    return max(first - 1, 0), last


def _refuse_inexact(window: Window, text: str, fixed: str, block: Block) -> None:
    """Trust nothing: what the applier makes of the block is what counts."""
    try:
        exact = apply_answer(text, window, block.text) == fixed
    except AnswerRefused:
        exact = False
    if not exact:
        raise NoWindow("not_exact", f"No block says exactly how {window.path} changes.")
