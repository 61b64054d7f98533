"""Reports for CI systems: annotations, code scanning, test results."""
