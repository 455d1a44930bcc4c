"""Waiting and repeating: DBOS workflows, queues and schedules. Thin: each step calls a service."""
