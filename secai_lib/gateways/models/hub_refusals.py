"""What the Hub's refusals mean, and what a person can do about each."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from secai_lib.core.errors import ModelError, RateLimited, SecAIError, Unreachable

RETRY_AFTER_SECONDS = 60.0
"""When a busy Hub does not say how long to wait."""


@contextmanager
def explained(uri: str, revision: str) -> Iterator[None]:
    """Turn what the client raises about `uri` into errors of ours."""
    import httpx2  # what huggingface_hub speaks HTTP with
    from huggingface_hub import errors

    try:
        yield
    except SecAIError:
        raise
    except errors.HFValidationError as error:
        raise ModelError(
            f"{uri} is no name of a repository: copy OWNER/NAME from the model's page on the Hub"
        ) from error
    except errors.GatedRepoError as error:
        raise ModelError(
            f"{uri} is gated: accept its terms on the model's page, then set HF_TOKEN to a token "
            "of that account"
        ) from error
    except errors.RevisionNotFoundError as error:
        raise ModelError(
            f"{uri} has no revision {revision!r}: check its revision in config/models.yaml"
        ) from error
    except errors.RepositoryNotFoundError as error:
        raise ModelError(
            f"{uri} does not exist or is private: check its name, or set HF_TOKEN to a token that "
            "may read it"
        ) from error
    except errors.HfHubHTTPError as error:
        raise refusal(uri, error.response) from error
    except errors.OfflineModeIsEnabled as error:
        raise ModelError(
            f"{uri} is not here yet and HF_HUB_OFFLINE forbids to fetch it: unset that, or name a "
            "local folder in config/models.yaml"
        ) from error
    except (httpx2.HTTPError, errors.LocalEntryNotFoundError) as error:
        raise Unreachable(
            f"the Hub did not answer, so {uri} is not here yet: check the network and run the "
            "command again (what has come is kept), or name a local folder in config/models.yaml"
        ) from error
    except OSError as error:
        if error.errno is not None:
            raise  # of the disk; without a number it is the client's check of the size
        raise Unreachable(f"{uri} was cut off: run the command again, it goes on there") from error


def refusal(uri: str, response: Any) -> SecAIError:
    """The error for a `response` of the Hub, about `uri`, that means no particular thing."""
    status = response.status_code
    if status == 429:
        wait = str(response.headers.get("Retry-After", ""))
        seconds = float(wait) if wait.isdigit() else RETRY_AFTER_SECONDS
        return RateLimited(f"the Hub asks to wait {seconds:.0f} s", retry_after=seconds)
    if status >= 500:
        return Unreachable(f"the Hub has a fault of its own (HTTP {status}): run again later")
    if status in (401, 403):
        return ModelError(f"the Hub refuses {uri} (HTTP {status}): HF_TOKEN is wrong or too weak")
    return ModelError(f"the Hub refuses {uri} (HTTP {status})")
