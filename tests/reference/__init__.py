"""The policy read slowly: a second, independent answer to what the hub decides, to hold the hub's answers against.

Written from the policy's words alone (sections 1–8, S1–S33), never from ``hub.core``, of which it imports nothing. It
recomputes everything from the first record at each asking, in plain loops over plain dicts. Where a sentence of the
policy can be read in two ways, the reading taken is said beside the line.

A **row** is one current record: ``{"unit", "stream", "no", "at", "updated", "received", "live", "related", "people",
"facts", "path"}``; ``facts`` as the district's record catalogue words them; ``people`` a list of ``{"role", "person",
"born", "capacity"}``; ``path`` the facts of the older versions with their ``updated``, oldest first.
"""
