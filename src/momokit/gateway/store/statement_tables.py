"""The tables of statements and discrepancies. Times are seconds since 1970."""
