"""`python -m hyperlambda`: the same as the `hyperlambda` command."""

from .commands import main

if __name__ == "__main__":
    main()
