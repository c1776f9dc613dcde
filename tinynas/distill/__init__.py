"""DONNA's block library: blockwise knowledge distillation."""
