"""A pretend Atlassian Cloud on this machine: key host, two sites, admin APIs, host pages, faults on demand.

It imports nothing of the app, so that it cannot share a mistake with what it checks.
"""
