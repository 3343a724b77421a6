"""`openperp` and `python -m openperp`."""

from openperp.cli.main import main

if __name__ == "__main__":
    main()
