"""Watching a run group by group: measuring (torch), records, and what they say in words."""
