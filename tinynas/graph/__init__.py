"""`Graph`: readers, writer, lowering and reference interpreters."""
