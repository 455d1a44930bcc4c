"""gunicorn: reads this file by itself. Addresses are logged without their query, which carries tokens (S41)."""

import os
import sys

# A platform that hands out a port expects us on every address; by hand nobody else is let in.
bind = os.environ.get("BIND") or (
    f"0.0.0.0:{os.environ['PORT']}" if "PORT" in os.environ else "127.0.0.1:8000"
)
workers = int(os.environ.get("WEB_CONCURRENCY", "1"))
worker_class = "gthread"
threads = int(os.environ.get("WEB_THREADS", "8"))
timeout = 90
# Its default socket is one path for every gunicorn of this account; nobody here asks it anything.
control_socket_disable = True
keepalive = 5
# A page's address carries its token; gunicorn's own limit is 4094.
limit_request_line = 8190
accesslog = "-"
access_log_format = '%(h)s "%(m)s %(U)s %(H)s" %(s)s %(B)s %(M)sms'


def on_starting(_server: object) -> None:
    """A setting that is missing or wrong ends the start here, with what is wrong alone: a process would say it in the

    middle of a traceback.
    """
    from config import ConfigurationError, Settings

    try:
        Settings.from_environment(os.environ)
    except ConfigurationError as problems:
        sys.exit(str(problems))
