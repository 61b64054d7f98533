"""What is true of an optimizer that is there, however it was built, without rules."""
