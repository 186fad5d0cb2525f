"""The HTTP face: departments push, units read what is addressed to them, machines ask how the process is."""
