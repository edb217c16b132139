"""collectd's unixsock plugin: what the daemon knows now."""

import socket


class Values:
    """The value cache of a daemon that loads unixsock with this path."""

    def __init__(self, path):
        self.path = str(path)

    def config(self):
        return (f'LoadPlugin unixsock\n<Plugin unixsock>\n  SocketFile "{self.path}"\n'
                '</Plugin>')

    def _ask(self, line):
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
            sock.settimeout(10)
            sock.connect(self.path)
            file = sock.makefile("rwb")
            file.write(line.encode() + b"\n")
            file.flush()
            count, _, words = file.readline().decode("utf-8", "replace").partition(" ")
            if int(count) < 0:
                raise KeyError(words.strip())
            return [file.readline().decode("utf-8", "replace").rstrip("\n")
                    for _ in range(int(count))]

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
