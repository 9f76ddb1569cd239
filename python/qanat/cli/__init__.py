"""The command line. Thin: each command asks the layers below and shows what they answer."""
