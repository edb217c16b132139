"""A program on a terminal, as people have it."""

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time


class Terminal:
    """A program on a terminal of its own."""

    def __init__(self, *argv, size=(24, 80), **environment):
        """size: lines and columns."""
        self.master, inner = pty.openpty()
        fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", *size, 0, 0))
        self.seen = ""
        # pylint: disable=consider-using-with
        self.child = subprocess.Popen(argv, stdin=inner, stdout=inner, stderr=inner,
                                      env={**os.environ, "TERM": "xterm", **environment},
                                      start_new_session=True, preexec_fn=self._take)
        os.close(inner)

    @staticmethod
    def _take():
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    def type(self, keys):
        os.write(self.master, keys.encode())

    def read_until(self, pattern, deadline_s=60):
        end = time.monotonic() + deadline_s
        while not re.search(pattern, self.seen):
            left = end - time.monotonic()
            assert left > 0 and select.select([self.master], [], [], left)[0], repr(self.seen)
            try:
                self.seen += os.read(self.master, 65536).decode()
            except OSError:  # its other end was closed
                assert re.search(pattern, self.seen), repr(self.seen)

    def drain(self, quiet_s=0.0):
        """Takes what comes until nothing has come for so long."""
        while select.select([self.master], [], [], quiet_s)[0]:
            self.seen += os.read(self.master, 65536).decode()

    def close(self):
        self.child.kill()
        self.child.wait(10)
        os.close(self.master)
