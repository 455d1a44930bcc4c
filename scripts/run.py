"""`make run`: Rollcall and a pretend Atlassian on this machine, until Ctrl-C.

Writes random secrets to instance/ once, migrates an SQLite database there, starts the Procfile's web and
worker and the sandbox beside them, installs the app into the pretend site, and prints one address to open.
"""

import base64
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

from honcho.environ import parse_procfile
from honcho.manager import Manager

TOP = Path(__file__).resolve().parent.parent
INSTANCE = TOP / "instance"
SECRETS = INSTANCE / "secrets.env"
HOST = "127.0.0.1"
APP_PORT = 8000
SANDBOX_PORTS = (8400, 8401, 8402, 8403)  # the hub (Atlassian's own hosts), site acme, site globex, mail
APP = f"http://{HOST}:{APP_PORT}"
HUB, ACME, GLOBEX = (f"http://{HOST}:{port}" for port in SANDBOX_PORTS[:3])
PATIENCE = 60  # seconds until a start counts as failed
BROWSE = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # loopback never goes through a proxy


def main() -> int:
    """Run until Ctrl-C or until one of the processes ends; 0 after Ctrl-C."""
    taken = [port for port in (APP_PORT, *SANDBOX_PORTS) if not is_free(port)]
    if taken:
        ports = ", ".join(map(str, taken))
        return complain(f"Port {ports} on {HOST} is in use: stop what listens there, then `make run` again.")
    INSTANCE.mkdir(mode=0o700, exist_ok=True)
    environment = {**os.environ, **local_world(), **read_or_make_secrets(SECRETS)}
    migrated = subprocess.run([bin_path("flask"), "db", "upgrade"], cwd=TOP, env=environment, check=False)
    if migrated.returncode:
        return complain("The database could not be brought up to date; see above.")
    return run_processes(environment)


def is_free(port: int) -> bool:
    """Whether nobody listens on this port; one in TIME_WAIT after an earlier run counts as free."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


def read_or_make_secrets(path: Path) -> dict[str, str]:
    """The secrets of this machine, made on the first call; only the user who made the file may read it."""
    if not path.exists():
        sealing_key = base64.b64encode(secrets.token_bytes(32)).decode()
        made = f"SECRET_KEY={secrets.token_urlsafe(48)}\nCREDENTIAL_KEYS=k1:{sealing_key}\n"
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(made)
    lines = path.read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))


def local_world() -> dict[str, str]:
    """The settings that put the pretend Atlassian in the real one's place: addresses, and nothing else."""
    return {
        "BASE_URL": APP,
        # Whatever PORT or BIND mean to the shell that started us.
        "BIND": f"{HOST}:{APP_PORT}",
        "DATABASE_URL": f"sqlite:///{INSTANCE / 'rollcall.sqlite'}",
        "JOBS_DATABASE_URL": "",  # beside it, wherever that of another deployment may be
        "INSTALL_KEYS_URL": HUB,
        "ATLASSIAN_API_URL": HUB,
        "AP_SCRIPT_URL": f"{HUB}/all.js",
        "SITE_ORIGINS": f"{ACME},{GLOBEX}",
        "PRIVATE_TARGETS": f"{HOST}:{SANDBOX_PORTS[0]}",
        "TRUSTED_PROXIES": "0",
        "SMTP_URL": f"smtp://{HOST}:{SANDBOX_PORTS[3]}",
        "MAIL_FROM": "rollcall@localhost.example",
        "SANDBOX_PORTS": ",".join(map(str, SANDBOX_PORTS)),
        "SANDBOX_STATE": str(INSTANCE / "sandbox.sqlite"),
        "APP_BASE_URL": APP,
        "FLASK_APP": "app.py",
        "PYTHONUNBUFFERED": "1",
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }


def run_processes(environment: dict[str, str]) -> int:
    """Start everything and wait for the end; whatever ends first takes the others with it."""
    procfile = parse_procfile((TOP / "Procfile").read_text())
    manager = Manager()
    for name in ("web", "worker"):
        manager.add_process(name, procfile.processes[name], env=environment, cwd=str(TOP))
    manager.add_process("atlassian", "python -m sandbox", env=environment, cwd=str(TOP))
    # A closed terminal is a Ctrl-C, too: nothing is left running behind it.
    signal.signal(signal.SIGHUP, lambda *_: os.kill(os.getpid(), signal.SIGTERM))
    threading.Thread(target=introduce, args=(manager,), daemon=True).start()
    manager.loop()
    return 0 if manager.returncode in {130, 143} else manager.returncode or 0


def introduce(manager: Manager) -> None:
    """Wait until all is healthy, install the app as an administrator would, and say where to look."""
    try:
        wait_for(f"{HUB}/control/tenants")
        wait_for(f"{APP}/healthz")
        installed = {(tenant["site"], tenant["product"]) for tenant in call("GET", f"{HUB}/control/tenants")}
        for product in ("jira", "confluence"):
            if ("acme", product) not in installed:
                call("POST", f"{HUB}/control/install", {"site": "acme", "product": product})
    except (OSError, ValueError) as problem:
        manager.returncode = complain(f"Rollcall did not start: {problem}")
        manager.terminate()
        return
    line = "─" * 64
    lines = (
        f"Rollcall is running. Open  {ACME}/",
        f"Its mails arrive at  {HUB}/mail",
        f"Calls of hooks arrive at  {HUB}/hooks",
        "Ctrl-C stops it.",
    )
    words = "\n  ".join(lines)
    print(f"\n{line}\n  {words}\n{line}\n", flush=True)


def wait_for(address: str) -> None:
    """Return when the address answers 200; TimeoutError when it does not in time."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        try:
            with BROWSE.open(address, timeout=5) as answer:
                if answer.status == 200:
                    return
        except OSError:
            pass
        time.sleep(0.2)
    raise TimeoutError(f"nothing healthy at {address} after {PATIENCE} seconds")


def call(method: str, address: str, body: dict[str, str] | None = None) -> list[dict[str, str]]:
    """One call of the sandbox's control API; an error's own words are kept."""
    data = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(address, data, {"Content-Type": "application/json"}, method=method)
    try:
        with BROWSE.open(request, timeout=30) as answer:
            text = answer.read()
    except urllib.error.HTTPError as refused:
        raise OSError(f"{method} {address} answered {refused.code}: {refused.read(500).decode()}") from None
    return json.loads(text) if text.strip() else []


def bin_path(name: str) -> str:
    """A program of this environment."""
    return str(Path(sys.executable).parent / name)


def complain(sentence: str) -> int:
    """Say what is wrong, plainly; the exit code to end with."""
    print(f"\n{sentence}\n", file=sys.stderr, flush=True)
    return 1


if __name__ == "__main__":
    sys.exit(main())
