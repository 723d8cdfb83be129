"""Every error of the platform, in one tree.

    SecAIError
    |-- Transient               try again later: the world was busy or away
    |   |-- RateLimited             a service asked us to wait (`retry_after` seconds)
    |   `-- Unreachable             a service did not answer
    `-- Terminal                trying again changes nothing: somebody has to act
        |-- UsageError              the command line or a setting is wrong
        |   `-- SettingsError           config/ is wrong; holds every problem at once
        |-- MalformedScan           a report is broken (file, place, reason)
        |-- UnknownFormat           a file is no scan report we know
        |-- UnsafeArchive           an archive broke a limit or tried to escape
        |-- SourceError             a repository cannot be read (no commits, unknown commit)
        |-- MissingTool             a program that is needed is not installed
        |-- StorageError            a folder of ours cannot be written (disk full, no permission)
        |-- ModelError              a model is not what it should be, or not of a kind we can use
        |   `-- ModelTooLarge           it does not fit into this machine's memory
        |-- TrainingError           training cannot begin or go on, or its adapter does not fit
        |-- AccessRefused           a service refuses the token, or wants one
        |-- NotFound                a service shows no such thing, or not to us
        |-- Expired                 the artifact is gone for good
        `-- GateRefused             a check forbids what was asked

The message is a sentence for the user, the attributes are the facts. Doors translate foreign
errors into these with `from`. `exit_code_of` is the contract of the command line.
"""


class SecAIError(Exception):
    """Any error the platform explains; its text is one sentence that says what to do."""

    exit_code = 70


class Transient(SecAIError):
    """Trying again later may help; retried by the asset's retry policy."""

    exit_code = 75


class RateLimited(Transient):
    """A service asked us to wait."""

    def __init__(self, message: str, *, retry_after: float) -> None:
        """Keep `retry_after`, in seconds from now."""
        super().__init__(message)
        self.retry_after = retry_after


class Unreachable(Transient):
    """A service did not answer in time, or there is no network."""


class Terminal(SecAIError):
    """Trying again changes nothing; never retried."""


class UsageError(Terminal):
    """The request itself is wrong."""

    exit_code = 2


class SettingsError(UsageError):
    """One or more settings are wrong; all of them are named at once."""

    def __init__(self, problems: list[str]) -> None:
        """Keep the list of `problems`, each a sentence with file and key."""
        super().__init__("The settings cannot be used:\n" + "\n".join(f"  - {p}" for p in problems))
        self.problems = problems


class AccessRefused(Terminal):
    """A service refuses the token, or wants one."""

    exit_code = 2


class NotFound(Terminal):
    """A service shows no such thing, or not to us."""

    exit_code = 2


class MalformedScan(Terminal):
    """A report is broken."""

    exit_code = 1

    def __init__(self, file: str, reason: str, *, place: str = "") -> None:
        """Name the `file` (relative), the `place` in it (pointer or line) and the `reason`."""
        super().__init__(f"{file}{f' at {place}' if place else ''}: {reason}")
        self.file, self.place, self.reason = file, place, reason


class UnknownFormat(Terminal):
    """A file is not a scan report we know."""

    exit_code = 1

    def __init__(self, file: str, reason: str) -> None:
        """Name the `file` (relative) and the `reason` it was not recognised."""
        super().__init__(f"{file}: {reason}")
        self.file, self.reason = file, reason


class UnsafeArchive(Terminal):
    """An archive broke a limit or tried to escape its folder; nothing was extracted."""

    exit_code = 1

    def __init__(self, archive: str, reason: str, *, limit: str = "") -> None:
        """Name the `archive`, the `reason`, and the setting that holds the broken `limit`."""
        super().__init__(f"{archive}: {reason}{f' (limit: {limit})' if limit else ''}")
        self.archive, self.reason, self.limit = archive, reason, limit


class SourceError(Terminal):
    """A repository, commit or file cannot be read."""

    exit_code = 3


class MissingTool(Terminal):
    """A program that is needed is not installed."""

    exit_code = 4


class StorageError(Terminal):
    """The data root cannot be written; what was there before is untouched."""

    exit_code = 5


class ModelError(Terminal):
    """A model is not what it should be, is not to be had, or is of a kind we cannot use."""

    exit_code = 1


class ModelTooLarge(ModelError):
    """A model does not fit into this machine's memory."""

    exit_code = 5

    def __init__(self, model: str, *, needed: int, available: int) -> None:
        """Name the `model` and the bytes `needed` and `available`."""
        super().__init__(
            f"{model} needs about {needed / 1e9:.1f} GB of memory and {available / 1e9:.1f} GB are "
            "free: close other programs, or name a smaller model in config/models.yaml"
        )
        self.model, self.needed, self.available = model, needed, available


class TrainingError(Terminal):
    """Training cannot begin or go on, or an adapter is not what it should be."""

    exit_code = 1


class Expired(Terminal):
    """The artifact is gone for good."""

    exit_code = 6


class GateRefused(Terminal):
    """A check forbids what was asked."""

    exit_code = 7


def exit_code_of(error: BaseException) -> int:
    """The documented exit code of the command line for `error` (1 for a foreign error)."""
    return error.exit_code if isinstance(error, SecAIError) else 1
