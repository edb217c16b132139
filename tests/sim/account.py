"""A Spacelift account: pools, their workers, and runs that arrive, wait, take a worker and end.

Time is an argument (seconds of one monotonic clock); the simulator's threads call advance().
"""

import itertools
import random
from collections import deque

ULID_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def ulid(rng):
    return "01" + "".join(rng.choice(ULID_LETTERS) for _ in range(24))


class Worker:
    def __init__(self, worker_id, registers_at, created_at):
        self.id = worker_id
        self.registers_at = registers_at  # monotonic; before it the API does not know the worker
        self.created_at = created_at
        self.run = None
        self.is_leaving = False  # ends with its run, or at once
        self.is_drained = False


class Run:
    def __init__(self, run_id, queued_at, duration_s, created_wall=0, run_type="TRACKED",
                 drift_detection=False, prioritized=False, needs_approval=False, stack="a-stack"):
        self.id = run_id
        self.queued_at = queued_at
        self.duration_s = duration_s  # None: until finish()
        self.started_at = None
        self.created_wall = int(created_wall)
        self.ready_wall = int(created_wall)
        self.type = run_type
        self.drift_detection = drift_detection
        self.prioritized = prioritized
        self.needs_approval = needs_approval
        self.stack = stack

    def ends_at(self):
        return None if self.duration_s is None else self.started_at + self.duration_s


class Pool:
    def __init__(self, name, pool_id, created_at):
        self.name = name
        self.id = pool_id
        self.created_at = created_at
        self.size = 0  # how many workers there should be
        self.workers = []
        self.labels = []
        self.space = "root"
        self.waiting = deque()
        self.blocked = []  # queued, but not ready: a lock, an approval or a dependency
        self.finished = []  # (queued, started, ended)
        self.shortfalls = 0  # how often the size was set below the busy workers

    def registered(self, now):
        return [w for w in self.workers if w.registers_at <= now]

    def busy(self):
        return [w for w in self.workers if w.run is not None]


class Account:
    def __init__(self, registration_s=0.0, public_parallelism=2, seed=1):
        self.registration_s = registration_s
        self.public_parallelism = public_parallelism
        self.pools = {}
        self.stacks = {}  # id: {"locked_by": name, "blocker": id of a run}
        self._rng = random.Random(seed)
        self._numbers = itertools.count(1)

    def add_pool(self, name, now, wall, size=0):
        """Names need not be unique in a real account; here the key is name or, if taken, the id."""
        pool = Pool(name, ulid(self._rng), int(wall))
        key = name if name not in self.pools else pool.id
        self.pools[key] = pool
        self.set_size(key, size, now, wall)
        return pool

    def remove_pool(self, key):
        del self.pools[key]

    def add_runs(self, key, count, duration_s, now, wall, blocked=False, age_s=0, **kind):
        """Runs wait from now on, or are held back, since age_s seconds; kind: as Run() takes it.
        Returns their ids."""
        pool = self.pools[key]
        runs = [Run(ulid(self._rng), now, duration_s, wall - age_s, **kind) for _ in range(count)]
        (pool.blocked if blocked else pool.waiting).extend(runs)
        self.advance(now, wall)
        return [run.id for run in runs]

    def finish(self, key, count, now, wall):
        """Ends the runs that have been running longest."""
        pool = self.pools[key]
        running = sorted(pool.busy(), key=lambda w: w.run.started_at)
        for worker in running[:count]:
            self._end(pool, worker, now)
        self.advance(now, wall)
        return len(running[:count])

    def set_size(self, key, size, now, wall):
        """What the worker pool controller does: starts workers, or lets idle ones go at once and
        busy ones when their run has ended."""
        pool = self.pools[key]
        if size < pool.size and size < len(pool.busy()):
            pool.shortfalls += 1
        pool.size = size
        staying = [w for w in pool.workers if not w.is_leaving]
        for worker in [w for w in pool.workers if w.is_leaving][:max(0, size - len(staying))]:
            worker.is_leaving = False
            staying.append(worker)
        for _ in range(size - len(staying)):
            pool.workers.append(Worker(f"{pool.id}-{next(self._numbers)}",
                                       now + self.registration_s, int(wall)))
        # Newest idle ones first, then busy ones.
        surplus = sorted(staying, key=lambda w: (w.run is not None, -w.registers_at))
        for worker in surplus[:max(0, len(staying) - size)]:
            worker.is_leaving = True
        self.advance(now, wall)

    def advance(self, now, wall):
        """Everything that has happened until now."""
        del wall
        for pool in self.pools.values():
            for worker in pool.busy():
                ends = worker.run.ends_at()
                if ends is not None and ends <= now:
                    self._end(pool, worker, ends)
            pool.workers = [w for w in pool.workers if not (w.is_leaving and w.run is None)]
            for worker in pool.registered(now):
                if not pool.waiting:
                    break
                if worker.run is None and not worker.is_drained:
                    worker.run = pool.waiting.popleft()
                    worker.run.started_at = max(now, worker.registers_at)

    @staticmethod
    def _end(pool, worker, at):
        run = worker.run
        pool.finished.append((run.queued_at, run.started_at, at))
        worker.run = None

    def actual_size(self, key, now):
        return len(self.pools[key].registered(now))

    def state(self, now):
        return {key: {"id": pool.id, "name": pool.name, "size": pool.size,
                      "pending": len(pool.waiting), "busy": len(pool.busy()),
                      "workers": len(pool.registered(now)), "finished": len(pool.finished),
                      "shortfalls": pool.shortfalls}
                for key, pool in self.pools.items()}
