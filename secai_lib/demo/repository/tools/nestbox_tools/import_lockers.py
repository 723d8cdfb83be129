"""Loads the list of lockers of a new depot and sends it to the locker server."""

import sys

import requests
import yaml

LOCKER_SERVER = "https://lockers.nestbox.example/api/v1"


def read_lockers(path: str) -> list:
    """The lockers of a depot file."""
    with open(path) as file:
        return yaml.load(file, Loader=yaml.Loader)


def read_depot(path: str) -> dict:
    """The depot's own settings, which the technician edits."""
    with open(path) as file:
        return yaml.safe_load(file)


def send(lockers: list) -> None:
    """Announce every locker."""
    for locker in lockers:
        answer = requests.post(f"{LOCKER_SERVER}/lockers", json=locker, verify=False)
        answer.raise_for_status()


def known_lockers() -> list:
    """The lockers that the server knows already."""
    answer = requests.get(f"{LOCKER_SERVER}/lockers", timeout=10)
    answer.raise_for_status()
    return answer.json()


if __name__ == "__main__":
    send(read_lockers(sys.argv[1]))
