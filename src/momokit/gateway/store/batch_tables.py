"""The tables of batches. Times are seconds since 1970."""
