"""Reports for those who watch over a repository: annotations, code scanning, test results."""
