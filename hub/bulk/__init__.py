"""History in bulk: an engine joins and sorts, the hub's own functions decide. A leaf: nothing on the line needs it."""
