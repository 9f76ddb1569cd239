#!/usr/bin/env bash
# Prints the Python that the build uses: $PYTHON, else the first of these that is 3.11 or newer. Fails if none is.
for python in ${PYTHON:-python3 python3.11 python3.12 python3.13 /usr/bin/python3}; do
  if "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    "$python" -c 'import sys; print(sys.executable)'
    exit 0
  fi
done
echo "No Python of version 3.11 or newer was found. Set PYTHON=/path/to/python3." >&2
exit 1
