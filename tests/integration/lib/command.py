"""spacelift-pool, as people type it."""

import os
import subprocess

from .stack import BUILD

PROGRAM = os.path.join(BUILD, "spacelift-pool")


class Answer:
    """What it left: exit status, standard output, standard error."""

    def __init__(self, done):
        self.status, self.out, self.err = done.returncode, done.stdout, done.stderr

    def __repr__(self):
        return f"status {self.status}\n--- out\n{self.out}\n--- err\n{self.err}"


def spacelift_pool(*arguments, text=None, env=None, cwd=None, deadline_s=60):
    """Runs it to its end. env: added to an environment without anything of spacectl's in it."""
    clean = {k: v for k, v in os.environ.items()
             if not k.startswith(("SPACELIFT_", "KUBE", "CREDENTIALS_"))}
    return Answer(subprocess.run([PROGRAM, *map(str, arguments)], input=text or "",
                                 capture_output=True, text=True, timeout=deadline_s, check=False,
                                 env={**clean, **(env or {})}, cwd=cwd))
