"""The command `secai`: every subcommand makes one library call, the same one as its asset."""

import sys

from secai_lib.core.errors import SecAIError, exit_code_of


def main() -> None:
    """Run the command line; errors of ours are one sentence on standard error and an exit code."""
    from secai_assets.cli.app import app

    try:
        app()
    except SecAIError as error:
        sys.stderr.write(f"secai: {error}\n")
        sys.exit(exit_code_of(error))
    except KeyboardInterrupt:
        sys.stderr.write("secai: stopped; what was finished is kept, run the same command again\n")
        sys.exit(130)
