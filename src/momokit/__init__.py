"""momokit: MTN Mobile Money for Python."""
