"""Reports, groups and plans as fragments of HTML, for notebooks and for GitHub's job pages."""
