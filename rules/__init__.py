"""The domain: pure thinking. Standard library only; no I/O, no clock, no randomness; time is an argument."""
