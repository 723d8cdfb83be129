"""What the steps of a training have read."""

from secai_lib.training.plan import padding_share
from secai_lib.training.records import Seen
from secai_lib.training.work import Work


def seen_of(work: Work, done: int) -> Seen:
    """Counts over the first `done` steps of the plan."""
    steps, lengths = work.plan.steps[:done], work.lengths
    read = [row for step in steps for row in step.rows]
    replayed = [row for step in steps if step.replayed for row in step.rows]
    tokens = sum(lengths[row] for row in read)
    return Seen(
        rows=len(read),
        tokens=tokens,
        answer_tokens=sum(work.rows[row].targets for row in read),
        padding=padding_share([batch for step in steps for batch in step.batches], lengths),
        epochs=(len(read) - len(replayed)) / work.own,
        replayed_rows=len(replayed) / len(read) if read else 0.0,
        replayed_tokens=sum(lengths[row] for row in replayed) / tokens if tokens else 0.0,
    )
