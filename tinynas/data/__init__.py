"""Loaders and generators of labelled images, in three disjoint splits."""
