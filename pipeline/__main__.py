"""The command ``fashion-mnist``, also ``python -m pipeline``."""

from pipeline.cli.app import app


def main() -> None:
    """Runs the command line and exits."""
    app()


if __name__ == "__main__":
    main()
