"""Outgoing calls to Atlassian, one file per API; all of them leave through `http.py`."""
