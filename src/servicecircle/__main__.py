"""`python -m servicecircle`: the command line."""

from ._started import loaded
from .cli import main

if __name__ == "__main__":
    loaded()
    main()
