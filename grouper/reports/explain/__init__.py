"""Why parameters have their options: the value, its text and its JSON."""
