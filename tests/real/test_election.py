"""Two hosts with one pool, the leader killed with -9 again and again under a bursty queue. The
server's audit log says who held the Lease and who wrote: never two in one term, never a size that
nobody decided, and taken over in time.

./check --real kills some leaders with a short lease and one with the default one; the
environment variables SL_LEADER_KILLS and SL_LEADER_KILLS_DEFAULT say how many more.
"""

import os
import random
import re
import signal
import threading
import time

from cluster import ADMIN_TOKEN, NAMESPACE, moment
from lib.process import wait_until
from lib.stack import (API_KEY_SECRET, Collectd, SpaceliftSimulator, account_block, block,
                       plugin_block)

MIN, MAX = 1, 9
SHORT = {"LeaseDuration": 1, "RenewDeadline": 0.8, "RetryPeriod": 0.2}


class Hosts:
    """Starts hosts, each a user of its own, and remembers when they were killed."""

    def __init__(self, directory, cluster, pool, lease, options):
        self.directory, self.cluster, self.pool = directory, cluster, pool
        self.lease, self.options = lease, options
        self.spacelift = SpaceliftSimulator(directory, pools=(pool,), registration_s=0.1,
                                            kubernetes=(cluster.url, ADMIN_TOKEN, cluster.ca))
        self.secret = os.path.join(directory, "secret")
        with open(self.secret, "w", encoding="utf-8") as file:
            file.write(API_KEY_SECRET)
        os.chmod(self.secret, 0o600)
        self.running = {}
        self.logs = {}
        self.killed_at = {}
        self.count = 0

    def start(self):
        user = f"{self.lease}-{self.count}"
        self.count += 1
        folder = os.path.join(self.directory, user)
        os.makedirs(folder)
        kubeconfig = self.cluster.member_kubeconfig(os.path.join(folder, "kubeconfig"), user,
                                                    "scalers")
        host = Collectd(folder, plugin_block("spacelift",
                                             account_block(self.spacelift.url, self.secret)),
                        plugin_block("workerpool_scaler",
                                     block("Cluster", "c", KubeConfig=kubeconfig,
                                           LeaderElection=True, LeaseName=self.lease,
                                           **self.options),
                                     block("Pool", self.pool, Namespace=NAMESPACE, MinWorkers=MIN,
                                           MaxWorkers=MAX, ScaleInWindow=0)))
        host.start()
        self.running[user] = host
        self.logs[user] = host.output
        return user

    def holder(self):
        """The user who leads, by the Lease; None if nobody that runs does."""
        for entry in reversed(self.terms()):
            return entry["user"] if entry["user"] in self.running else None
        return None

    def lease_writes(self):
        return [entry for entry in self.cluster.audit(None)
                if entry["objectRef"].get("name") == self.lease
                and entry["objectRef"]["resource"] == "leases"
                and entry["verb"] in ("create", "update")
                and entry["responseStatus"]["code"] in (200, 201)]

    def terms(self):
        """Every change of the holder, oldest first."""
        found, holder = [], None
        writes = sorted(self.lease_writes(), key=lambda entry: entry["stageTimestamp"])
        for entry in writes:
            now = entry["requestObject"]["spec"]["holderIdentity"]
            if now != holder:
                holder = now
                found.append({"at": moment(entry["stageTimestamp"]), "identity": now,
                              "user": entry["user"]["username"] if now else None})
        return found

    def writes(self):
        return [{"at": moment(entry["stageTimestamp"]),
                 "sent": moment(entry["requestReceivedTimestamp"]),
                 "user": entry["user"]["username"],
                 "size": entry["requestObject"]["spec"]["replicas"]}
                for entry in self.cluster.audit(None)
                if entry["verb"] == "patch" and entry["objectRef"].get("subresource") == "scale"
                and entry["objectRef"]["name"] == self.pool
                and entry["responseStatus"]["code"] == 200]

    def kill(self, user):
        host = self.running.pop(user)
        self.killed_at[user] = time.time()
        host.signal(signal.SIGKILL)
        host.wait(10)

    def stop(self):
        for host in self.running.values():
            host.stop()
        self.spacelift.stop()


def burst(spacelift, pool, over, seed):
    """Runs come and go until it is over."""
    dice = random.Random(seed)
    while not over.wait(dice.uniform(0.1, 0.6)):
        waiting = spacelift.pool(pool)
        if waiting["busy"] and dice.random() < 0.5:
            spacelift.finish(waiting["busy"], pool=pool)
        else:
            spacelift.add_runs(dice.randint(1, 4), pool=pool)


def check_writers(hosts):
    """Whoever wrote held the Lease when he wrote; what was written he had decided."""
    terms = hosts.terms()
    writes = hosts.writes()
    for write in writes:
        term = [each for each in terms if each["at"] <= write["at"]][-1]
        assert term["user"] == write["user"], (term, write)
        assert MIN <= write["size"] <= MAX
        said = re.search(rf"-> {write['size']} workers", hosts.logs[write["user"]]())
        killed = hosts.killed_at.get(write["user"])
        assert said or (killed and killed - write["sent"] < 2), write
    return len(writes), len(terms)


def kill_leaders(tmp_path, cluster, parts, pool, kills, stops, options, limit_s, stop_limit_s):
    cluster.create_pool(pool)
    hosts = Hosts(str(tmp_path), cluster, pool, pool, options)
    hosts.cluster.call("PATCH", f"/apis/rbac.authorization.k8s.io/v1/namespaces/{NAMESPACE}/roles/"
                       "collectd-spacelift", role_for(pool), "application/merge-patch+json")
    parts.append(hosts)
    hosts.spacelift.start()
    over = threading.Event()
    noise = threading.Thread(target=burst, args=(hosts.spacelift, pool, over, pool))
    noise.start()
    dice = random.Random(1)
    took = {"kill": [], "stop": []}
    try:
        hosts.start()
        wait_until(hosts.holder, 40, "the first leader")
        hosts.start()
        for number in range(kills + stops):
            kind = "kill" if number < kills else "stop"
            time.sleep(dice.uniform(0, 0.4))  # a random moment is what is tested
            leader = wait_until(hosts.holder, 40, "a leader")
            before = time.time()
            if kind == "kill":
                hosts.kill(leader)
            else:
                hosts.running.pop(leader).stop()
                before = time.time()
            wait_until(hosts.holder, limit_s + 10, lambda: f"take-over: {hosts.terms()[-3:]}")
            took[kind].append(max(hosts.terms()[-1]["at"] - before, 0))
            hosts.start()
    finally:
        over.set()
        noise.join()
    writes, terms = check_writers(hosts)
    for kind, limit in (("kill", limit_s), ("stop", stop_limit_s)):
        seconds = sorted(took[kind])
        print(f"{kind}: {len(seconds)} times, take-over p50 {seconds[len(seconds) // 2]:.2f} s, "
              f"max {seconds[-1]:.2f} s (limit {limit} s); {terms} terms, {writes} writes, "
              f"options {options or 'as by default'}")
        assert seconds[-1] <= limit
    assert writes > kills / 4
    cluster.delete_pool(pool)


def role_for(pool):
    """The example's role with another pool and another lease."""
    return {"rules": [
        {"apiGroups": ["workers.spacelift.io"], "resources": ["workerpools"],
         "resourceNames": [pool], "verbs": ["get", "watch"]},
        {"apiGroups": ["workers.spacelift.io"], "resources": ["workerpools/scale"],
         "resourceNames": [pool], "verbs": ["patch"]},
        {"apiGroups": ["events.k8s.io"], "resources": ["events"], "verbs": ["create", "patch"]},
        {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": ["create"]},
        {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"],
         "resourceNames": [pool], "verbs": ["get", "update"]}]}


def test_short_lease(tmp_path, parts, own_cluster):
    kills = int(os.environ.get("SL_LEADER_KILLS", "15"))
    kill_leaders(tmp_path, own_cluster, parts, "short", kills, 2, SHORT, limit_s=3,
                 stop_limit_s=5)


def test_default_lease(tmp_path, parts, own_cluster):
    kills = int(os.environ.get("SL_LEADER_KILLS_DEFAULT", "1"))
    kill_leaders(tmp_path, own_cluster, parts, "default", kills, 1, {}, limit_s=20,
                 stop_limit_s=5)
