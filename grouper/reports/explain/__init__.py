"""Explanations of where the options of parameters come from: the value, its text and its JSON."""
