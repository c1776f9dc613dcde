"""torch modules of the networks that a space describes."""
