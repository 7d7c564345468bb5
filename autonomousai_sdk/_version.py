"""The version of this package: the only place that holds it; the build reads it from here."""

__version__ = "1.0.0rc1"
