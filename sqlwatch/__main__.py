"""`python -m sqlwatch` is `sqlwatch`."""

from sqlwatch.cli.main import main

if __name__ == "__main__":
    main()
