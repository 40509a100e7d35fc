"""What momokit costs and what it does when things go wrong, measured beside its neighbours.

`python -m benchmarks` runs everything and prints tables; see docs/explanation/benchmarks.md.
"""
