"""Audits an existing optimizer without rules."""
