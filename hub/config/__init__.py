"""The configuration folder: TOML read with every mistake at once, and changed without losing its comments."""
