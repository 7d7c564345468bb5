"""Programs as users write them, for the type checkers: checked strictly, and never run."""
