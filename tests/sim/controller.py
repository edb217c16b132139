"""The worker pool controller: makes an account's workers follow spec.poolSize, and tells Kubernetes
how many there are. It reads the pools a few times a second; the real one watches."""

import http.client
import json
import ssl
import time
import urllib.parse

GROUP = "/apis/workers.spacelift.io/v1beta1"
PERIOD_S = 0.05


class Controller:
    def __init__(self, url, token, ca, namespace):
        self._url = urllib.parse.urlsplit(url)
        self._context = ssl.create_default_context(cafile=ca) if ca else None
        self._headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
        self._path = f"{GROUP}/namespaces/{namespace}/workerpools"
        self._connection = None

    def _call(self, method, path, body=None):
        if self._connection is None:
            address = (self._url.hostname, self._url.port)
            if self._url.scheme == "https":
                self._connection = http.client.HTTPSConnection(*address, timeout=5,
                                                               context=self._context)
            else:
                self._connection = http.client.HTTPConnection(*address, timeout=5)
        headers = dict(self._headers)
        if body is not None:
            headers["Content-Type"] = "application/merge-patch+json"
        try:
            self._connection.request(method, path, json.dumps(body) if body else None, headers)
            answer = self._connection.getresponse()
            text = answer.read()
        except (OSError, http.client.HTTPException):
            self._connection.close()
            self._connection = None
            raise
        if answer.status != 200:
            raise OSError(f"{method} {path}: {answer.status}: {text[:200]!r}")
        return json.loads(text)

    def _reconcile(self, simulator, item):
        name = item["metadata"]["name"]
        wanted = item["spec"].get("poolSize", 1)
        with simulator.lock:
            now = time.monotonic()
            if name not in simulator.account.pools:
                return
            if simulator.account.pools[name].size != wanted:
                simulator.account.set_size(name, wanted, now, time.time())
            actual = simulator.account.actual_size(name, now)
        if item.get("status", {}).get("actualPoolSize") != actual:
            self._call("PATCH", f"{self._path}/{name}/status",
                       {"status": {"actualPoolSize": actual, "desiredPoolSize": wanted,
                                   "selector": f"workers.spacelift.io/workerpool={name}"}})

    def run(self, simulator):
        while True:
            try:
                for item in self._call("GET", self._path)["items"]:
                    self._reconcile(simulator, item)
            except (OSError, http.client.HTTPException, ValueError):
                pass  # the API is away: the workers stay as they are
            time.sleep(PERIOD_S)
