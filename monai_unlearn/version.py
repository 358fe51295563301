"""The version of this package, which records and cards name."""

__version__ = "0.1.0"
