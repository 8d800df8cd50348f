"""Measures speed side by side with other tools in one run: `python -m benchmarks`."""
