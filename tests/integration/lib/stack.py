"""The whole path for a test or for the demo: both simulators, Prometheus, and a real collectd with
the plugins that were built. Each part can be used alone."""

import json
import os
import re
import shutil
import signal
import ssl
import subprocess
import time
import urllib.parse
import urllib.request

from .process import PATIENCE_S, Process, free_ports, nap, wait_until

TREE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
BUILD = os.environ.get("SL_BUILD", os.path.join(TREE, "build"))
SIM = os.path.join(TREE, "tests", "sim")
COLLECTD = "/usr/sbin/collectd"
COLLECTD_PLUGINS = "/usr/lib/collectd"
PLUGINS = ("spacelift", "workerpool_scaler", "write_prometheus_remote",
           "prometheus_scrape")

POOL = "my-amazing-worker-pool"
NAMESPACE = "spacelift-worker-pool-controller-system"
API_KEY_ID = "01HQZX9K7P2M3N4Q5R6S7T8U9V"
API_KEY_SECRET = "secret-of-the-simulator"
CONTROLLER_TOKEN = "token-of-the-controller"
SCALER_TOKEN = "token-of-the-scaler"


def make_certificate(directory):
    """A certificate of 127.0.0.1 that is its own CA: (file, key file)."""
    certificate, key = os.path.join(directory, "tls.pem"), os.path.join(directory, "tls.key")
    if not os.path.exists(certificate):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out", certificate,
                        "-days", "2", "-subj", "/CN=simulator", "-addext",
                        "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True)
    return certificate, key


# Of the simulators' own certificates; what is tested is our client, not this one.
_UNVERIFIED = ssl._create_unverified_context()  # pylint: disable=protected-access


def http(method, url, value=None, timeout_s=60):
    """One request with a JSON body and a JSON answer."""
    data = None if value is None else json.dumps(value).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"}, method=method)
    with urllib.request.urlopen(request, timeout=timeout_s, context=_UNVERIFIED) as answer:
        return json.load(answer)


class Simulator(Process):
    """A simulator of tests/sim and its control endpoint."""

    def __init__(self, program, directory, *arguments, tls=None):
        """tls: (certificate, key), for https."""
        self.port = free_ports(1)[0]
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        if tls:
            arguments = (*arguments, "--tls-certificate", tls[0], "--tls-key", tls[1])
        super().__init__(program, [os.path.join(SIM, program), "--port", self.port, *arguments],
                         os.path.join(directory, f"{program}.log"))

    def start(self):
        super().start()
        self.wait_ready(self._answers, 20)
        return self

    def _answers(self):
        try:
            return self.state() is not None
        except OSError:
            return False

    def state(self):
        return http("GET", f"{self.url}/control/state")

    def pool(self, name=POOL):
        return self.state()["pools"][name]

    def control(self, path, **value):
        return http("POST", f"{self.url}/control/{path}", value)

    def faults(self, **wanted):
        return self.control("faults", **wanted)

    def no_faults(self):
        http("DELETE", f"{self.url}/control/faults")

    def requests(self, forget=False):
        return http("DELETE" if forget else "GET", f"{self.url}/control/requests", timeout_s=60)


class SpaceliftSimulator(Simulator):
    def __init__(self, directory, pools=(POOL,), registration_s=0.0, kubernetes=None, extra=(),
                 tls=None):
        """kubernetes: a KubernetesSimulator, or (URL, token, CA file)."""
        if isinstance(kubernetes, Simulator):
            kubernetes = (kubernetes.url, CONTROLLER_TOKEN, kubernetes.ca)
        arguments = ["--registration", registration_s, *extra]
        for pool in pools:
            arguments += ["--pool", pool]
        if kubernetes:
            url, token, ca = kubernetes
            arguments += ["--kubernetes", url, "--kubernetes-token", token]
            arguments += ["--kubernetes-ca", ca] if ca else []
        super().__init__("spacelift_sim.py", directory, *arguments, tls=tls)

    def add_runs(self, count, duration_s=None, pool=POOL):
        return self.control("runs", pool=pool, count=count, duration_s=duration_s)

    def finish(self, count, pool=POOL):
        return self.control("finish", pool=pool, count=count)


class KubernetesSimulator(Simulator):
    def __init__(self, directory, pools=(f"{POOL}=1",), tls=None):
        self.kubeconfig = os.path.join(directory, "kubeconfig")
        self.ca = tls[0] if tls else None
        arguments = ["--write-kubeconfig", self.kubeconfig]
        for pool in pools:
            arguments += ["--pool", pool]
        super().__init__("kubernetes_sim.py", directory, *arguments, tls=tls)

    def patches(self):
        """Accepted ones, oldest first."""
        return [r for r in self.requests() if r.get("method") == "PATCH" and r["status"] == 200]


class Prometheus(Process):
    def __init__(self, directory, *arguments, binary="prometheus", settings="global: {}\n"):
        """settings: the text of its configuration file."""
        self.port = free_ports(1)[0]
        self.url = f"http://127.0.0.1:{self.port}"
        self.write_url = f"{self.url}/api/v1/write"
        config = os.path.join(directory, "prometheus.yml")
        with open(config, "w", encoding="utf-8") as file:
            file.write(settings)
        super().__init__("prometheus", [
            binary, f"--config.file={config}",
            f"--storage.tsdb.path={os.path.join(directory, 'prometheus')}",
            f"--web.listen-address=127.0.0.1:{self.port}", "--web.enable-remote-write-receiver",
            "--log.level=warn", *arguments], os.path.join(directory, "prometheus.log"))

    def start(self):
        super().start()
        self.wait_ready(self._is_ready, 30)
        return self

    def _is_ready(self):
        try:
            with urllib.request.urlopen(f"{self.url}/-/ready", timeout=2) as answer:
                return answer.status == 200
        except OSError:
            return False

    def query(self, expression):
        """The result of an instant query."""
        query = urllib.parse.urlencode({"query": expression})
        return http("GET", f"{self.url}/api/v1/query?{query}")["data"]["result"]

    def matrix(self, selector):
        """{labels: [(time in ms, value)]} of all samples of the last two hours."""
        query = urllib.parse.urlencode({"query": f"{selector}[2h]"})
        result = http("GET", f"{self.url}/api/v1/query?{query}", timeout_s=60)["data"]["result"]
        return {tuple(sorted(each["metric"].items())):
                [(round(float(at) * 1000), float(value)) for at, value in each["values"]]
                for each in result}

    def value(self, expression):
        """The one number that an instant query gives; None where it gives nothing."""
        result = self.query(expression)
        return float(result[0]["value"][1]) if len(result) == 1 else None


# ---- collectd ------------------------------------------------------------------------------------

LEFT_ITS_LOOP = "Exiting normally."
SLOW_DISK = "the disk of the spool.* does not answer"
SPOOL_PATIENCE_S = 0.4  # how long the end of a node waits for its disk (queue_keeper.c)

def account_block(url, secret_file, name="acme", **options):
    return block("Account", name, URL=url, APIKeyID=API_KEY_ID, APIKeySecretFile=secret_file,
                 **options)


def block(kind, name, *inner, **options):
    """A configuration block. A list gives an option several times."""
    lines = []
    for key, value in options.items():
        if value is not None:
            lines += [f"  {key} {_text_of(each)}"
                      for each in (value if isinstance(value, list) else [value])]
    for each in inner:
        lines += [f"  {line}" for line in each.splitlines()]
    label = f' "{name}"' if name is not None else ""
    return "\n".join([f"<{kind}{label}>", *lines, f"</{kind}>"])


def _text_of(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return str(value)
    return '"' + str(value).replace("\\", "\\\\").replace('"', '\\"') + '"'


def plugin_block(plugin, *inner, **options):
    """LoadPlugin and the plugin's block."""
    body = block("Plugin", None, *inner, **options).replace("<Plugin>", f"<Plugin {plugin}>")
    return f"LoadPlugin {plugin}\n{body}"


class Collectd(Process):
    """The real daemon in the foreground, with a directory of its own. The daemon takes only regular
    files as plugins, so they are copied."""

    def __init__(self, directory, *parts, interval_s=1, stock_plugins=(), wrapper=(), settings=""):
        self.directory = directory
        self.plugin_dir = os.path.join(directory, "plugins")
        self.config = os.path.join(directory, "collectd.conf")
        self.data = os.path.join(directory, "collectd")
        os.makedirs(self.plugin_dir, exist_ok=True)
        os.makedirs(self.data, exist_ok=True)
        for name in PLUGINS:
            shutil.copy(os.path.join(BUILD, ".libs", f"{name}.so"), self.plugin_dir)
        for name in ("logfile", *stock_plugins):
            shutil.copy(os.path.join(COLLECTD_PLUGINS, f"{name}.so"), self.plugin_dir)
        head = (f'Hostname "host"\nBaseDir "{self.data}"\nPIDFile "{directory}/collectd.pid"\n'
                f'PluginDir "{self.plugin_dir}"\nInterval {interval_s}\n{settings}\n'
                'LoadPlugin logfile\n<Plugin logfile>\n  LogLevel info\n  File STDOUT\n'
                '  PrintSeverity true\n</Plugin>\n')
        with open(self.config, "w", encoding="utf-8") as file:
            file.write(head + "\n".join(parts) + "\n")
        super().__init__("collectd", [*wrapper, COLLECTD, "-f", "-C", self.config],
                         os.path.join(directory, "collectd.log"))

    def start(self, ready_s=20):
        super().start()
        self.wait_ready(lambda: "Initialization complete" in self.output(), ready_s)
        return self

    def stop(self, deadline_s=PATIENCE_S):
        """As every process, but the seconds are those from the end of its loop: it looks whether a
        SIGTERM has come, then sleeps for an Interval, and one that comes in between waits for that.
        Without those, too, for which the scheduler kept this process itself from looking, and for
        which a disk was waited for."""
        if not self.alive():
            return super().stop(deadline_s)
        before, slow_before = self.output().count(LEFT_ITS_LOOP), len(self.find(SLOW_DISK))
        self.signal(signal.SIGTERM)
        end = time.monotonic() + deadline_s
        while self.alive() and self.output().count(LEFT_ITS_LOOP) == before:
            if time.monotonic() > end:
                break
            time.sleep(0.005)
        begin, lost_s = time.monotonic(), 0.0
        while self.alive() and time.monotonic() < end:
            lost_s += nap()
        seconds = time.monotonic() - begin - lost_s
        if len(self.find(SLOW_DISK)) > slow_before:
            seconds -= SPOOL_PATIENCE_S
        return super().stop(1)[0], seconds

    def test(self, deadline_s=PATIENCE_S):
        """collectd -T: (exit status, what it said)."""
        done = subprocess.run([COLLECTD, "-T", "-C", self.config], capture_output=True, text=True,
                              errors="replace", timeout=deadline_s, check=False)
        return done.returncode, done.stdout + done.stderr

    def find(self, pattern):
        """The lines of the log in which the regular expression is found."""
        return [line for line in self.output().splitlines() if re.search(pattern, line)]

    def wait_line(self, pattern, deadline_s, count=1):
        wait_until(lambda: len(self.find(pattern)) >= count, deadline_s,
                   lambda: f"{pattern!r} in the log:\n{self.output()[-3000:]}")
        return self.find(pattern)[-1]


class Stack:
    """Everything together. The directory takes all logs and data."""

    def __init__(self, directory, *, interval_s=1, registration_s=0.5, scale_in_window_s=2,
                 max_workers=5, batch_deadline_s=1, with_prometheus=True, kubernetes=None,
                 pool_options=None, cluster_options=None, wrapper=()):
        """kubernetes: (kubeconfig of the scaler, (URL, token, CA) of the controller), or None for
        the stand-in."""
        self.directory = directory
        self.prometheus = Prometheus(directory) if with_prometheus else None
        self.kubernetes = None
        if kubernetes is None:
            self.kubernetes = KubernetesSimulator(directory)
            self.kubeconfig, controller = self.kubernetes.kubeconfig, self.kubernetes
        else:
            self.kubeconfig, controller = kubernetes
        self.spacelift = SpaceliftSimulator(directory, registration_s=registration_s,
                                            kubernetes=controller)
        self.secret_file = os.path.join(directory, "spacelift.secret")
        with open(self.secret_file, "w", encoding="utf-8",
                  opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
            file.write(API_KEY_SECRET + "\n")
        parts = [
            plugin_block("spacelift", account_block(self.spacelift.url, self.secret_file)),
            plugin_block("workerpool_scaler",
                         block("Cluster", "prod", KubeConfig=self.kubeconfig,
                               **(cluster_options or {})),
                         block("Pool", POOL, Namespace=NAMESPACE, MinWorkers=1,
                               MaxWorkers=max_workers, ScaleInWindow=scale_in_window_s,
                               **(pool_options or {}))),
        ]
        if self.prometheus:
            parts.append(plugin_block(
                "write_prometheus_remote",
                block("Node", "prometheus", URL=self.prometheus.write_url,
                      BatchSendDeadline=batch_deadline_s)))
        self.collectd = Collectd(directory, *parts, interval_s=interval_s, wrapper=wrapper)

    def start(self):
        for part in (self.prometheus, self.kubernetes, self.spacelift, self.collectd):
            if part:
                part.start()
        return self

    def stop(self):
        for part in (self.collectd, self.spacelift, self.kubernetes, self.prometheus):
            if part:
                part.stop()

    def pool_size(self):
        return self.spacelift.pool()["size"]

    def wait_size(self, size, deadline_s):
        wait_until(lambda: self.pool_size() == size, deadline_s,
                   lambda: f"poolSize {size}, it is {self.pool_size()}; the log:\n"
                           f"{self.collectd.output()[-3000:]}")

    def wait_finished(self, count, deadline_s):
        wait_until(lambda: self.spacelift.pool()["finished"] >= count, deadline_s,
                   lambda: f"{count} runs finished: {self.spacelift.pool()}")
