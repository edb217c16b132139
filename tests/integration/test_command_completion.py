"""What shells and the manual page are told is what the parser takes."""

import os
import re
import subprocess

import pytest
from lib.command import PROGRAM, spacelift_pool
from lib.process import wait_until
from lib.stack import BUILD
from lib.terminal import Terminal

OVERVIEW = spacelift_pool("--help").out
COMMANDS = re.findall(r"^  ([a-z]+) +\S", OVERVIEW.split("\n\n")[2], re.MULTILINE)


def flags(command):
    return set(re.findall(r"^  (--[a-z0-9-]+)", spacelift_pool(command, "--help").out, re.MULTILINE))


def bash(*words, cwd=None):
    """What bash offers for the last word."""
    script = ('source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _spacelift_pool; '
              'printf "%s\\n" "${COMPREPLY[@]}"')
    done = subprocess.run(["bash", "-c", script, "bash",
                           os.path.join(BUILD, "completions/bash/spacelift-pool"),
                           "spacelift-pool", *words], capture_output=True, text=True, check=True,
                          cwd=cwd)
    assert done.stderr == ""
    return set(done.stdout.split())


def fish(line, cwd=None):
    done = subprocess.run(["fish", "--no-config", "-c", 'source "$argv[1]"; complete -C "$argv[2]"',
                           os.path.join(BUILD, "completions/fish/spacelift-pool.fish"), line],
                          capture_output=True, text=True, check=True, cwd=cwd,
                          env={**os.environ, "HOME": str(cwd) if cwd else "/nonexistent"})
    return {each.split("\t")[0] for each in done.stdout.splitlines()}


def test_there_is_something_to_complete():
    assert {"read", "scale", "check", "status", "why", "watch", "csr", "manifests", "migrate",
            "replay", "completion"} <= set(COMMANDS)


def test_bash(tmp_path):
    (tmp_path / "scaled.yaml").touch()
    assert set(COMMANDS) <= bash("")
    assert bash("mig") == {"migrate"}
    assert bash("migrate", "--output", "") == {"text", "json"}
    assert bash("check", "--config", "sca", cwd=tmp_path) == {"scaled.yaml"}
    assert bash("migrate", "sca", cwd=tmp_path) == {"scaled.yaml"}
    assert bash("check", "--max-workers", "") == set()
    assert bash("completion", "") == {"bash", "zsh", "fish", "--help"}


@pytest.mark.parametrize("command", COMMANDS)
def test_bash_knows_every_option(command):
    assert bash(command, "--") == flags(command) | {"--help"}


def test_fish(tmp_path):
    (tmp_path / "scaled.yaml").touch()
    assert set(COMMANDS) <= fish("spacelift-pool ", tmp_path)
    assert fish("spacelift-pool migrate --behavior ", tmp_path) == {"same", "better"}
    assert flags("replay") <= fish("spacelift-pool replay --", tmp_path)
    assert "scaled.yaml" in fish("spacelift-pool migrate sca", tmp_path)


def test_zsh():
    path = os.path.join(BUILD, "completions/zsh/_spacelift-pool")
    # As compinit does: the function is there, and compdef was told of it.
    script = 'compdef() { print told $* }; source "$1"; whence -w _spacelift_pool'
    done = subprocess.run(["zsh", "-f", "-c", script, "zsh", path], capture_output=True, text=True,
                          check=True)
    assert done.stdout == "told _spacelift_pool spacelift-pool\n_spacelift_pool: function\n"
    assert done.stderr == ""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    assert text.startswith("#compdef spacelift-pool\n")
    for command in COMMANDS:
        body = text.split(f"\n    {command})\n")[1].split(";;")[0]
        assert set(re.findall(r"'\*?(--[a-z0-9-]+)=?\[", body)) == flags(command) | {"--help"}


# A line as somebody types it, and what stands there after the tabulator.
TYPED = [
    ("spacelift-pool mig\t", "spacelift-pool migrate"),
    ("spacelift-pool completion z\t", "spacelift-pool completion zsh"),
    ("spacelift-pool migrate sca\t", "spacelift-pool migrate scaled.yaml"),
    ("spacelift-pool migrate --behav\t", "spacelift-pool migrate --behavior"),
    ("spacelift-pool migrate --behavior bet\t", "spacelift-pool migrate --behavior better"),
    ("spacelift-pool check --config sca\t", "spacelift-pool check --config scaled.yaml"),
]


def interactive(shell, directory):
    """The shell on a terminal, with the completion that is installed for it, and with a key (control
    X, p) that writes the line as it stands into a file."""
    installed, line = os.path.join(BUILD, "completions", shell), directory / "line"
    zshrc = (f"fpath=({installed} $fpath); autoload -Uz compinit && compinit -D -u\n"
             "bindkey -e; bindkey '^I' complete-word\n"
             f"tell() {{ print -rn -- \"$BUFFER\" >| {line} }}; zle -N tell; bindkey '^Xp' tell\n"
             "PS1='ready> '\n")
    bashrc = (f"source {installed}/spacelift-pool; bind 'set bell-style none'\n"
              f"tell() {{ printf %s \"$READLINE_LINE\" >{line}; }}; bind -x '\"\\C-xp\": tell'\n"
              "PS1='ready> '\n")
    (directory / ".zshrc").write_text(zshrc)
    (directory / "bashrc").write_text(bashrc)
    fish_rc = (f"source {installed}/spacelift-pool.fish; function fish_prompt; printf 'ready> '; "
               f"end; bind \\cxp 'commandline >{line}'")
    argv = {"fish": ["fish", "--no-config", "-i", "-C", fish_rc], "zsh": ["zsh", "-d", "-i"],
            "bash": ["bash", "--noprofile", "--rcfile", str(directory / "bashrc"), "-i"]}[shell]
    return Terminal("env", "-C", str(directory), *argv, ZDOTDIR=str(directory),
                    HOME=str(directory), PATH=f"{BUILD}:{os.environ['PATH']}")


@pytest.mark.parametrize("shell", ["zsh", "bash", "fish"])
def test_typed(shell, tmp_path):
    (tmp_path / "scaled.yaml").touch()
    line = tmp_path / "line"
    terminal = interactive(shell, tmp_path)
    try:
        terminal.read_until("ready> ", 60)  # compinit reads a thousand files
        for typed, expected in TYPED:
            def stands(typed=typed, expected=expected):
                line.unlink(missing_ok=True)
                # zsh completes nothing while more has been typed: on a machine that is busy the
                # next key may come too soon, and then it is tried again.
                terminal.type(f"\x15{typed}")
                terminal.drain(quiet_s=0.3)
                terminal.type("\x18p")
                terminal.drain(quiet_s=0.1)
                return line.exists() and line.read_text().rstrip(" =\n") == expected
            wait_until(stands, 60, lambda: f"{typed!r}: {terminal.seen!r}")
    finally:
        terminal.close()


def test_manual_page():
    path = os.path.join(BUILD, "docs", "spacelift-pool.1")
    done = subprocess.run(["man", "--warnings", "-l", path], capture_output=True, text=True,
                          check=True, env={**os.environ, "MANWIDTH": "100", "LC_ALL": "C.UTF-8"})
    assert done.stderr == ""
    with open(path, encoding="utf-8") as file:
        source = file.read()
    assert not re.search(r"@[A-Z]+@", source)
    for command in COMMANDS:
        assert re.search(rf'^\.SS "{command}[" ]', source, re.MULTILINE)
    # Every option of every subcommand stands in it once at least.
    told = set(re.findall(r"^\\fB(\\-\\-\S+?)\\fR", source, re.MULTILINE))
    told = {each.replace("\\-", "-") for each in told}
    assert set().union(*(flags(command) for command in COMMANDS)) <= told


def test_unknown_shell():
    answer = spacelift_pool("completion", "tcsh")
    assert answer.status == 2 and "none of: bash, zsh, fish" in answer.err, answer
    assert os.access(PROGRAM, os.X_OK)
