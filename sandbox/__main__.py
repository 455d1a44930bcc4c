"""`python -m sandbox`: settings are environment variables SANDBOX_PORTS, _STATE, _PEOPLE, _SEED and APP_BASE_URL."""

from __future__ import annotations

import os

from sandbox import server


def main() -> None:
    ports = tuple(int(port) for port in os.environ.get("SANDBOX_PORTS", "8400,8401,8402,8403").split(","))
    if len(ports) != 4:
        raise SystemExit("SANDBOX_PORTS names four ports: hub, acme, globex, mail")
    sandbox = server.start(
        ports=(ports[0], ports[1], ports[2], ports[3]),
        state=os.environ.get("SANDBOX_STATE", ":memory:"),
        people=int(os.environ.get("SANDBOX_PEOPLE", "2000")),
        seed=os.environ.get("SANDBOX_SEED", "rollcall"),
        app_base_url=os.environ.get("APP_BASE_URL", "http://127.0.0.1:8000"),
        announces=True,
    )
    print(
        f"Pretend Atlassian: control page {sandbox.hub} · acme {sandbox.acme} · globex {sandbox.globex}",
        flush=True,
    )
    try:
        sandbox.wait()
    except KeyboardInterrupt:
        pass
    finally:
        sandbox.stop()


if __name__ == "__main__":
    main()
