"""The hub's figures, each beside a plain peer measured in the same run: `python -m bench`."""
