"""Completion for shells: what there is to complete, read off the parser, and a script for each."""
