"""Where the options of a parameter come from: their arithmetic, and the places of its numbers."""
