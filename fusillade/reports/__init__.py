"""A run's result as files for people and programs: functions from what was measured to text."""
