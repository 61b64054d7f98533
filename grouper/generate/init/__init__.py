"""First rules: from what a model is, from an optimizer's groups, or from a shipped file."""
