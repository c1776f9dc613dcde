"""C code generator for firmware/engine."""
