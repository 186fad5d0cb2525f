"""The conformance kit: what every connector must withstand, and a new connector to begin with.

A leaf: the command line and ``hub.sdk.testing`` import it, nothing that runs in a hub does.
"""
