"""The read side: the only callers of ``store.read()``. It shows, explains and exports; it changes nothing."""
