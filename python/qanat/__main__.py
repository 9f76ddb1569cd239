"""``python -m qanat`` is the ``qanat`` command."""

from qanat.cli.main import main

main()
