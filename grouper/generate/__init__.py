"""Rules that grouper writes: from another tool's configuration."""
