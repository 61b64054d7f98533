"""Reports, groups and plans as HTML fragments, for notebooks and GitHub job summaries."""
