"""The gateway's durable memory: the only SQL, and the one writer of a payment's state."""
