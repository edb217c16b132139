"""What Telegraf does to a child of inputs.execd, inputs.exec and outputs.execd, without Telegraf:
pipes on all three descriptors, the end of input as the request to leave, lines as they come."""

import os
import select
import signal
import subprocess
import time

from .process import PATIENCE_S, Timeout, _die_with_parent, nap, wait_until
from .stack import API_KEY_ID, API_KEY_SECRET, BUILD

PROGRAM = os.path.join(BUILD, "spacelift-pool")


def write_secret(directory, text=API_KEY_SECRET):
    path = os.path.join(directory, "secret")
    with open(path, "w", encoding="utf-8", opener=lambda p, f: os.open(p, f, 0o600)) as file:
        file.write(text + "\n")
    return path


def account_options(url, secret):
    return ["--url", url, "--api-key-id", API_KEY_ID, "--api-key-secret-file", secret]


def run_once(*arguments, stdin="", env=None, deadline_s=PATIENCE_S):
    """As inputs.exec and outputs.exec do: (exit status, standard output, standard error)."""
    done = subprocess.run([PROGRAM, *arguments], input=stdin, capture_output=True, text=True,
                          env=env, timeout=deadline_s, check=False)
    return done.returncode, done.stdout, done.stderr


class Execd:
    """A child that stays. Read with pump(): a test that does not read is a reader that stopped."""

    def __init__(self, *arguments, env=None):
        self.child = subprocess.Popen([PROGRAM, *arguments], stdin=subprocess.PIPE,
                                      stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env,
                                      preexec_fn=_die_with_parent)
        self._text = {self.child.stdout: b"", self.child.stderr: b""}
        self.writes = []  # what each read(2) of standard output brought

    def pump(self, streams=None):
        """Takes what has come so far."""
        streams = streams or [s for s in self._text if not s.closed]
        for stream in select.select(streams, [], [], 0)[0]:
            part = os.read(stream.fileno(), 1 << 20)
            self._text[stream] += part
            if stream is self.child.stdout and part:
                self.writes.append(part)
            if not part:
                stream.close()

    @property
    def out(self):
        return self._text[self.child.stdout].decode()

    @property
    def log(self):
        return self._text[self.child.stderr].decode()

    def lines(self, measurement="spacelift_worker_pool,"):
        return [line for line in self.out.splitlines() if line.startswith(measurement)]

    def wait(self, condition, deadline_s, what):
        def look():
            self.pump()
            return condition()
        wait_until(look, deadline_s, lambda: f"{what}\nout:\n{self.out[-2000:]}\n"
                                             f"log:\n{self.log[-2000:]}")

    def wait_lines(self, count, deadline_s=10):
        self.wait(lambda: len(self.lines()) >= count, deadline_s, f"{count} lines")

    def newline(self, count=1):
        self.child.stdin.write(b"\n" * count)
        self.child.stdin.flush()

    def send(self, text):
        self.child.stdin.write(text.encode())
        self.child.stdin.flush()

    def end_input(self):
        self.child.stdin.close()

    def leave(self, deadline_s=PATIENCE_S, reads=True):
        """The end of input, and everything until the child is gone: (exit status, seconds), without
        those for which the scheduler kept this process itself from looking."""
        begin, lost_s = time.monotonic(), 0.0
        if not self.child.stdin.closed:
            self.end_input()
        while self.child.poll() is None:
            if reads:
                self.pump()
            if time.monotonic() - begin > deadline_s:
                raise Timeout(f"still there {deadline_s} s after the end of input\n{self.log}")
            lost_s += nap()
        seconds = time.monotonic() - begin - lost_s
        for stream in self._text:
            while not stream.closed:
                self.pump([stream])
        return self.child.returncode, seconds

    def outlives_its_output(self):
        """The end of input, then everything; True if the child lives on for a while after that, as it
        must: Telegraf gives up what it has not read by the time that the child is gone."""
        self.end_input()

        def has_ended():
            self.pump()
            return all(stream.closed for stream in self._text)
        wait_until(has_ended, 10, "the end of its output", poll_s=0.005)
        time.sleep(0.02)  # of the tenth of a second that it lives on
        return self.child.poll() is None

    @classmethod
    def check_last_words(cls, *arguments):
        """What it says last is read before it is gone. Several tries: this process may be made to pause
        itself."""
        def try_once():
            child = cls(*arguments)
            try:
                return child.outlives_its_output() and child.log + child.out
            finally:
                child.stop()
        return wait_until(try_once, 5, f"{arguments}: a process that outlives its output")

    def stop(self):
        if self.child.poll() is None:
            self.child.send_signal(signal.SIGKILL)
        self.child.wait()
        for stream in (self.child.stdin, *self._text):
            if not stream.closed:
                stream.close()
