"""Rules to begin with: from what a model is, from an optimizer's groups, from a shipped file."""
