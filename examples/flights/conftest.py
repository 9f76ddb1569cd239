"""The example is a folder of scripts, as a user's is: it is put on the path."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
