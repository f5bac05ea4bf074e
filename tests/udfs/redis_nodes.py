"""A real Redis Cluster on loopback: three nodes with the slots, and optionally their replicas."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import redis

from flink_app.local.ports import free_port, in_use
from flink_app.local.redis_server import answers, redis_command
from tests.waiting import wait_for

_SLOTS, _BUS, _OUTGOING = 16384, 10_000, 32_768


class RedisNodes:
    """Context manager; `url` is of the first node, `clients` and `servers` of all, primaries
    first, replica n + 3 of primary n."""

    def __init__(self, folder: Path, replicas: bool = False) -> None:
        self.folder = folder
        self.ports = _free_ports(6 if replicas else 3)
        self.clients: list[Any] = [redis.Redis(port=port) for port in self.ports]
        self.servers: list[subprocess.Popen[bytes]] = []

    def keys(self) -> set[str]:
        """All keys of all primaries."""
        return {key.decode() for client in self.clients[:3] for key in client.scan_iter()}

    @property
    def url(self) -> str:
        return f"redis+cluster://127.0.0.1:{self.ports[0]},127.0.0.1:{self.ports[1]}"

    def start(self, n: int) -> subprocess.Popen[bytes]:
        """Start node n; what it knows of the cluster is in its folder."""
        home = self.folder / str(n)
        home.mkdir(exist_ok=True)
        # Without replicas, a busy machine must not look like a failure.
        timeout_ms = "1000" if len(self.ports) > 3 else "15000"
        options = ["--cluster-enabled", "yes", "--cluster-node-timeout", timeout_ms]
        server = subprocess.Popen([*redis_command(self.ports[n], home), *options])
        wait_for(lambda: answers(f"redis://127.0.0.1:{self.ports[n]}/0"))
        return server

    def __enter__(self) -> RedisNodes:
        try:
            self._build()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def _build(self) -> None:
        for n in range(len(self.ports)):
            self.servers.append(self.start(n))
        cuts = [0, 5_461, 10_923, _SLOTS]
        for n, client in enumerate(self.clients[:3]):
            client.execute_command("CLUSTER ADDSLOTS", *range(cuts[n], cuts[n + 1]))
            client.execute_command("CLUSTER SET-CONFIG-EPOCH", n + 1)
        for client in self.clients[1:]:
            client.execute_command("CLUSTER MEET", "127.0.0.1", self.ports[0])
        wait_for(lambda: all(self.state(client) for client in self.clients))
        for primary, replica in zip(self.clients[:3], self.clients[3:], strict=False):
            known = primary.execute_command("CLUSTER MYID").decode()
            wait_for(lambda client=replica, name=known: _knows(client, name))
            replica.execute_command("CLUSTER REPLICATE", known)
        for replica in self.clients[3:]:
            wait_for(
                lambda client=replica: client.info("replication").get("master_link_status") == "up"
            )

    @staticmethod
    def state(client: Any) -> bool:
        """Whether a node finds that all slots are served."""
        info = client.execute_command("CLUSTER INFO")
        return bool(info["cluster_state"] == "ok")

    def get(self, key: str) -> bytes | None:
        """The value of a key, on whichever node it is."""
        with redis.RedisCluster(port=self.ports[0], host="127.0.0.1") as client:
            value: Any = client.get(key)
        return value if value is None else bytes(value)

    def __exit__(self, *_: object) -> None:
        for server in self.servers:
            server.kill()
            server.wait()


def _knows(client: Any, name: str) -> bool:
    return name in str(client.execute_command("CLUSTER NODES"))


def _free_ports(count: int) -> list[int]:
    """Free ports, each with a free one for the cluster bus, 10,000 above, where no system gives
    ports to outgoing connections."""
    ports: list[int] = []
    while len(ports) < count:
        port = free_port()
        if port + _BUS < _OUTGOING and not in_use(port + _BUS):
            ports.append(port)
    return ports
