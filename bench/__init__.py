"""Figures against peers: `python -m bench`, see README.md."""
