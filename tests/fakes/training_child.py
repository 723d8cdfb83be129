"""A process that trains one stage in the house of its environment and says where it is."""

import sys
from typing import Literal

from secai_assets.resources.house import House
from secai_assets.resources.training import train_stage


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    stage: Literal[1, 2] = 1 if sys.argv[1] == "1" else 2
    train_stage(House(), stage, say)
