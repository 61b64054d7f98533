"""Shell completion: what can be completed, read from the parser, and a script for each shell."""
