"""Supervised training, knowledge distillation and finetuning."""
