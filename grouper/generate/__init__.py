"""Writes rules: from another tool's configuration, and as a first file for a model."""
