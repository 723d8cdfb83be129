"""SecAI's rooms: everything the platform knows, without Dagster (see README, "The house")."""
