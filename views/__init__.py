"""Flask, and only Flask. A view reads the request, calls a service, shows the result; access.py says who comes in."""
