"""How an adapter is trained: which rows when, at which rate, until when, and what is proven."""

from secai_lib.training.lineage import Parent
from secai_lib.training.loop import train
from secai_lib.training.records import Resumed, Training, Validation
from secai_lib.training.state import Checkpoints, Progress, Trained
from secai_lib.training.work import Rows, Work, make_work

__all__ = [
    "Checkpoints",
    "Parent",
    "Progress",
    "Resumed",
    "Rows",
    "Trained",
    "Training",
    "Validation",
    "Work",
    "make_work",
    "train",
]
