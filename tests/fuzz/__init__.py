"""Coverage-guided fuzzing of every parser and of the archive reader (`make fuzz`)."""
