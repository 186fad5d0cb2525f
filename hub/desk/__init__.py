"""What a command does that is more than one call: parts put together for one errand."""
