"""collectd's unixsock plugin: what the daemon knows now, and values into it."""

import socket
import time

from .process import PATIENCE_S, wait_until


class Values:
    """The value cache of a daemon that loads unixsock with this path."""

    def __init__(self, path):
        self.path = str(path)

    def config(self):
        return (f'LoadPlugin unixsock\n<Plugin unixsock>\n  SocketFile "{self.path}"\n'
                '  DeleteSocket true\n</Plugin>')

    def _connect(self):
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            sock.settimeout(PATIENCE_S)
            sock.connect(self.path)
            return sock
        except OSError:
            sock.close()
            raise

    def _ask_all(self, lines):
        with self._connect() as sock:
            file = sock.makefile("rwb")
            for line in lines:
                file.write(line.encode() + b"\n")
                file.flush()
                count, _, words = file.readline().decode("utf-8", "replace").partition(" ")
                if int(count) < 0:
                    raise KeyError(words.strip())
                yield [file.readline().decode("utf-8", "replace").rstrip("\n")
                       for _ in range(int(count))]

    def _ask(self, line):
        return list(self._ask_all([line]))[0]

    def identifiers(self):
        """All of them, without the host."""
        try:
            return [line.split(" ", 1)[1].partition("/")[2] for line in self._ask("LISTVAL")]
        except OSError:
            return []

    def get(self, identifier):
        """{data source: number}; None where the daemon does not know it."""
        try:
            rows = self._ask(f'GETVAL "host/{identifier}"')
        except (KeyError, OSError):
            return None
        return {name: float(value) for name, _, value in (row.partition("=") for row in rows)}

    def is_there(self):
        try:
            self._connect().close()
            return True
        except OSError:
            return False

    def put(self, *rows, interval_s=60):
        """Rows: "PLUGIN/TYPE TIME:VALUE[:VALUE...]", of this host. Each has been dispatched when it
        returns, but is written by a thread of collectd's; with "WriteThreads 1" in this order.
        Collectd takes a series for ended when nothing has come for two intervals: the default is so
        long that no pause of a test ends one."""
        wait_until(self.is_there, 10, "the socket of unixsock")
        for _ in self._ask_all('PUTVAL "host/{0}" interval={2} {1}'.format(
                *row.rsplit(" ", 1), interval_s) for row in rows):
            pass

    def notify(self, severity, **fields):
        """A notification of this severity (failure, warning, okay)."""
        words = " ".join(f'{name}="{value}"' for name, value in fields.items())
        self._ask(f'PUTNOTIF severity={severity} time={int(time.time())} message="m" {words}')

    def settle(self):
        """All that has been put has been through every write callback, with one write thread: a
        value is in the cache before it is written, so when the second of two is there the first
        one has been written."""
        name = f"sentinel/gauge-{time.monotonic_ns()}"
        self.put(f"{name}-1 {time.time():.3f}:1", f"{name}-2 {time.time():.3f}:1")
        wait_until(lambda: self.get(f"{name}-2"), 10, "the last value in collectd's cache")
