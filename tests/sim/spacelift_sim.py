#!/usr/bin/python3
"""A simulated Spacelift account: a real GraphQL engine over spacelift.graphql, runs and workers that
behave like real ones, and, given a Kubernetes API, the worker pool controller.

    tests/sim/spacelift_sim.py --port 8080 --pool my-amazing-worker-pool=1

See README.md beside this file for the control endpoint and the faults.
"""

import argparse
import base64
import gzip
import hmac
import json
import os
import random
import sys
import threading
import time

import graphql
from graphql.error import GraphQLError

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import views  # noqa: E402
from account import Account  # noqa: E402
from controller import Controller  # noqa: E402
from simlib import Answer, Dropped, Simulator, json_answer  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
HTML = "<html><head><title>503</title></head><body><h1>Service Unavailable</h1></body></html>"
HUGE_BYTES = 50 * 1000 * 1000


def json_web_token(claims):
    """Looks like one; the signature is random."""
    def part(raw):
        return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
    return ".".join([part(b'{"alg":"HS256","typ":"JWT"}'), part(json.dumps(claims).encode()),
                     part(random.randbytes(32))])


class Unauthorized(Exception):
    def __init__(self):
        super().__init__("unauthorized")


class Refused(Exception):
    """A root field that the key may not read: POST /control/refuse."""


class Request:
    """What a resolver has to know."""

    def __init__(self, token, now, wall):
        self.token = token
        self.now = now
        self.wall = wall


class SpaceliftSimulator(Simulator):
    known_faults = frozenset({
        "outage", "hang", "html", "html_503", "truncated_json", "null_field", "null_data", "huge",
        "unauthorized", "rate_limit", "rate_limit_retry_after", "slow", "reset", "cut_off",
        "chunked", "gzip", "text_plain", "redirect", "http_401"})

    def __init__(self, account, api_key_id, api_key_secret, token_life_s, is_old=False):
        super().__init__()
        self.account = account
        self.api_key_id = api_key_id
        self.api_key_secret = api_key_secret
        self.token_life_s = token_life_s
        self.lock = threading.RLock()
        self.exchanges = 0
        self._tokens = {}  # token: end of its life, wall clock
        self._documents = {}
        self._refused = {}  # root field: message
        self._aggregates = {}  # field of metrics: points, in place of those of views.py
        with open(os.path.join(HERE, "spacelift.graphql"), encoding="utf-8") as file:
            lines = [line for line in file if not (is_old and line.rstrip().endswith("# newer"))]
        self._schema = graphql.build_ast_schema(graphql.parse("".join(lines)))
        self._set_resolvers()

    # ---- HTTP ----------------------------------------------------------------------------------

    def answer(self, method, path, query, headers, body):
        del query
        if path.rstrip("/") != "/graphql":
            return Answer("<html><body>Not Found</body></html>", 404, "text/html")
        if method != "POST":
            return Answer("Method Not Allowed\n", 405, "text/plain; charset=utf-8")
        arrived_ns = time.monotonic_ns()
        fault = self._faulty_answer()
        if fault:
            self.note(at_ns=arrived_ns, operation=None, status=fault.status)
            return fault
        try:
            request = json.loads(body)
            text = request["query"]
        except (ValueError, KeyError, TypeError):
            return Answer("invalid character in request body\n", 400, "text/plain; charset=utf-8")
        token = (headers.get("Authorization") or "").removeprefix("Bearer ")
        result = self._execute(text, request.get("variables"), request.get("operationName"), token)
        answer = json_answer(result)
        self.note(at_ns=arrived_ns, operation=request.get("operationName"), status=200,
                  answered_ns=time.monotonic_ns(), bytes=len(answer.body),
                  client=headers.get("Spacelift-Client-Type"))
        return self._disguised(answer)

    def _disguised(self, answer):
        """The same answer in another dress, or not all of it."""
        strikes = self.faults.strikes
        if strikes("gzip"):
            answer.body = gzip.compress(answer.body)
            answer.headers = (("Content-Encoding", "gzip"),)
        if strikes("text_plain"):
            answer.content_type = "text/plain; charset=utf-8"
        answer.is_chunked = strikes("chunked")
        if strikes("cut_off"):
            answer.cut_at = len(answer.body) // 2
        if strikes("reset"):
            answer.cut_at = len(answer.body) // 2
            answer.is_reset = True
        return answer

    def _faulty_answer(self):
        strikes = self.faults.strikes
        if strikes("outage"):
            raise Dropped()
        if strikes("hang"):
            self.faults.wait_while("hang")
            raise Dropped()
        if strikes("slow"):
            time.sleep(2)
        if strikes("html"):
            return Answer(HTML, 200, "text/html")
        if strikes("html_503"):
            return Answer(HTML, 503, "text/html")
        if strikes("rate_limit"):
            return Answer('{"errors":[{"message":"rate limit exceeded"}],"-":429}', 429,
                          "text/plain; charset=utf-8")
        if strikes("rate_limit_retry_after"):
            return Answer('{"errors":[{"message":"rate limit exceeded"}],"-":429}', 429,
                          "text/plain; charset=utf-8", headers=(("Retry-After", "3"),))
        if strikes("redirect"):
            return Answer("", 302, "text/html",
                          headers=(("Location", "https://elsewhere.example/graphql"),))
        if strikes("http_401"):
            return Answer("<html><body>Unauthorized</body></html>", 401, "text/html")
        if strikes("null_field"):
            return Answer('{"data":{"workerPools":[{"id":"01","name":"x","pendingRuns":null,'
                          '"busyWorkers":1,"workers":[]}],"publicWorkerPool":{"parallelism":null,'
                          '"busyWorkers":null,"pendingRuns":null}}}')
        if strikes("null_data"):
            return Answer('{"data":null}')
        if strikes("truncated_json"):
            return Answer('{"data":{"workerPools":[{"id":"01","name":"x","pendingRuns":0,"busyWo')
        if strikes("huge"):
            return Answer('{"data":{"workerPools":[' + " " * HUGE_BYTES + "]}}")
        return None

    # ---- GraphQL -------------------------------------------------------------------------------

    def _document(self, text):
        """(parsed document, errors), kept: clients send the same few texts again and again."""
        if text not in self._documents:
            try:
                document = graphql.parse(text)
                self._documents[text] = (document, graphql.validate(self._schema, document))
            except GraphQLError as problem:
                self._documents[text] = (None, [problem])
        return self._documents[text]

    def _execute(self, text, variables, operation, token):
        document, problems = self._document(text)
        if problems:
            return {"errors": [{"message": problem.message,
                                "locations": [{"line": place.line, "column": place.column}
                                              for place in problem.locations or []]}
                               for problem in problems]}
        with self.lock:
            now, wall = time.monotonic(), time.time()
            self.account.advance(now, wall)
            result = graphql.execute(self._schema, document,
                                     context_value=Request(token, now, wall),
                                     variable_values=variables, operation_name=operation)
        answer = {}
        if result.errors:
            answer["errors"] = [{"message": problem.message, "path": problem.path}
                                for problem in result.errors]
        answer["data"] = result.data
        return answer

    def _set_resolvers(self):
        """For the root fields; everything below them is plain data."""
        query = self._schema.get_query_type().fields
        mutation = self._schema.get_mutation_type().fields

        def guarded(make):
            def resolve(_root, info, **arguments):
                request = info.context
                if request.wall >= self._tokens.get(request.token, 0) or \
                        self.faults.strikes("unauthorized"):
                    raise Unauthorized()
                if info.field_name in self._refused:
                    raise Refused(self._refused[info.field_name])
                return make(request.now, **arguments)
            return resolve

        query["viewer"].resolver = guarded(
            lambda now: {"id": self.api_key_id, "name": "key", "admin": False})
        query["workerPools"].resolver = guarded(self._pools)
        query["workerPool"].resolver = guarded(
            lambda now, id: next((p for p in self._pools(now) if p["id"] == id), None))
        query["publicWorkerPool"].resolver = guarded(
            lambda now: {"parallelism": self.account.public_parallelism, "busyWorkers": 0,
                         "pendingRuns": 0})
        query["usage"].resolver = guarded(lambda now: views.USAGE)
        query["metrics"].resolver = guarded(lambda now: {**views.METRICS, **self._aggregates})
        query["stack"].resolver = guarded(self._stack)
        if "seats" in query:
            query["seats"].resolver = guarded(lambda now: views.SEATS)
        pool = self._schema.get_type("WorkerPool").fields
        if "searchSchedulableRuns" in pool:
            pool["searchSchedulableRuns"].resolver = (
                lambda shown, _info, input: views.page(shown["_pool"], input.get("first") or 50,
                                                       input.get("after"),
                                                       input.get("predicates")))
        mutation["apiKeyUser"].resolver = (
            lambda _root, info, id, secret: self._login(id, secret, info.context.wall))

    def _login(self, key_id, secret, wall):
        if key_id != self.api_key_id:
            return None
        if not hmac.compare_digest(secret, self.api_key_secret) or \
                self.faults.strikes("unauthorized"):
            raise Unauthorized()
        self.exchanges += 1
        end = int(wall + self.token_life_s)
        token = json_web_token({"aud": ["simulator"], "sub": key_id, "exp": end})
        self._tokens[token] = end
        return {"id": key_id, "name": "key", "admin": False, "jwt": token, "validUntil": end}

    def _pools(self, now):
        return [views.pool_view(pool, now) for pool in self.account.pools.values()]

    def _stack(self, _now, id):
        facts = self.account.stacks.get(id, {})
        if facts.get("refuse"):
            raise Refused(facts["refuse"])
        return views.stack(id, facts)

    # ---- control -------------------------------------------------------------------------------

    def control(self, method, path, body):
        with self.lock:
            now, wall = time.monotonic(), time.time()
            self.account.advance(now, wall)
            if path == "/control/state":
                return {"pools": self.account.state(now), "exchanges": self.exchanges,
                        "faults": self.faults.active()}
            if path == "/control/runs" and method == "POST":
                kind = {key: value for key, value in body.items()
                        if key not in ("pool", "count", "duration_s")}
                ids = self.account.add_runs(body["pool"], int(body.get("count", 1)),
                                            body.get("duration_s"), now, wall, **kind)
                return {"ids": ids, "at_ns": time.monotonic_ns()}
            if path == "/control/finish" and method == "POST":
                return {"finished": self.account.finish(body["pool"], int(body.get("count", 1)),
                                                        now, wall)}
            if path == "/control/pools" and method == "POST":
                pool = self.account.add_pool(body["name"], now, wall, int(body.get("size", 0)))
                pool.labels = body.get("labels", pool.labels)
                pool.space = body.get("space", pool.space)
                return {"id": pool.id}
            if path == "/control/pools" and method == "DELETE":
                self.account.remove_pool(body["name"])
                return {}
            if path == "/control/rename" and method == "POST":
                self.account.pools[body["pool"]].name = body["name"]
                return {}
            if path == "/control/drain" and method == "POST":
                for worker in self.account.pools[body["pool"]].workers[:int(body["count"])]:
                    worker.is_drained = True
                return {}
            if path == "/control/refuse" and method == "POST":
                self._refused = body
                return {}
            if path == "/control/stacks" and method == "POST":
                self.account.stacks[body["id"]] = body
                return {}
            if path == "/control/aggregates" and method == "POST":
                self._aggregates = body
                return {}
            if path == "/control/size" and method == "POST":
                self.account.set_size(body["pool"], int(body["size"]), now, wall)
                return {}
            if path == "/control/tokens" and method == "DELETE":
                self._tokens.clear()
                return {}
        raise KeyError(f"there is no {method} {path}")


def keep_time(simulator):
    """Runs end and workers register while nobody asks, too."""
    while True:
        time.sleep(0.02)
        with simulator.lock:
            simulator.account.advance(time.monotonic(), time.time())


def pool_argument(text):
    name, _, size = text.rpartition("=")
    if not name:
        name, size = text, "0"
    return name, int(size)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8080)
    parser.add_argument("--pool", action="append", default=[], type=pool_argument,
                        metavar="NAME[=SIZE]", help="a worker pool; may be repeated")
    parser.add_argument("--api-key-id", default="01HQZX9K7P2M3N4Q5R6S7T8U9V")
    parser.add_argument("--api-key-secret", default="secret-of-the-simulator")
    parser.add_argument("--token-life", type=float, default=3600, metavar="SECONDS")
    parser.add_argument("--registration", type=float, default=0, metavar="SECONDS",
                        help="from a worker's start to its first run (0)")
    parser.add_argument("--old-release", action="store_true",
                        help="a self-hosted release without the newer fields")
    parser.add_argument("--tls-certificate", metavar="FILE")
    parser.add_argument("--tls-key", metavar="FILE")
    parser.add_argument("--kubernetes", metavar="URL",
                        help="play the worker pool controller for this Kubernetes API")
    parser.add_argument("--kubernetes-token", default="", metavar="TOKEN")
    parser.add_argument("--kubernetes-ca", metavar="FILE")
    parser.add_argument("--namespace", default="spacelift-worker-pool-controller-system")
    arguments = parser.parse_args()

    account = Account(arguments.registration)
    for name, size in arguments.pool:
        account.add_pool(name, time.monotonic(), time.time(), size)
    simulator = SpaceliftSimulator(account, arguments.api_key_id, arguments.api_key_secret,
                                   arguments.token_life, arguments.old_release)
    threading.Thread(target=keep_time, args=(simulator,), daemon=True).start()
    if arguments.kubernetes:
        controller = Controller(arguments.kubernetes, arguments.kubernetes_token,
                                arguments.kubernetes_ca, arguments.namespace)
        threading.Thread(target=controller.run, args=(simulator,), daemon=True).start()
    simulator.serve(arguments.host, arguments.port, arguments.tls_certificate, arguments.tls_key)


if __name__ == "__main__":
    main()
