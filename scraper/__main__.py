"""The way in, of `python -m scraper` and of the script `scraper`."""

import signal
from typing import NoReturn


def run() -> NoReturn:
    """Run the command line, and end the process."""
    # Ctrl-C while modules are loaded ends the process as it ends any program, with no traceback.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from scraper.cli.main import run as run_command

    run_command()


if __name__ == "__main__":
    run()
