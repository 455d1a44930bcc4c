"""Atlassian's protocols: tokens in, signed requests out. Knows nothing of Flask or of our database."""
