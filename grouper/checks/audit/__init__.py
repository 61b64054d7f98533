"""What is true of an optimizer that is there, whoever built it, without rules."""
