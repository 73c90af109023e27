"""`python -m scraper`."""

from scraper.cli.main import run

if __name__ == "__main__":
    run()
