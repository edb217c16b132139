"""The account as the API shows it: plain data for the resolvers of spacelift_sim.py."""

import json

from account import Run

BILLING_START, BILLING_END = 1752000000, 1754678400

# Spacelift's own fixture (spacelift-io/prometheus-exporter testdata/fixtures/saas.json).
METRICS = {
    "stacksCountByState": [{"value": 128, "labels": ["FINISHED"]}, {"value": 7, "labels": ["FAILED"]},
                           {"value": 3, "labels": ["UNCONFIRMED"]}],
    "resourcesCountByDrift": [{"value": 1902, "labels": ["IN_SYNC"]},
                              {"value": 14, "labels": ["DRIFTED"]}],
    "avgStackSizeByResourceCount": [{"value": 23, "labels": []}],
    "averageRunDuration": [{"value": 187000000000, "labels": []}],
    "medianRunDuration": [{"value": 142000000000, "labels": []}],
    "hasStacks": True, "hasRuns": True,
}
USAGE = {
    "billingPeriodStart": BILLING_START, "billingPeriodEnd": BILLING_END, "usedMinutes": 13023,
    "usedPrivateMinutes": 12345, "usedPublicMinutes": 678, "usedSeats": 42, "usedWorkers": 9,
    "allowedMinutes": None, "allowedSeats": 50, "pricePerSeat": None, "pricePerWorker": 12500,
    "pricePerRunMinute": None, "subscriptionPrice": 250000, "upcomingInvoiceTotalAmount": 362500,
}
SEATS = {"user": {"limit": -1, "inUse": 42}, "apiKey": {"limit": 10, "inUse": 3}}


def worker(one, pool):
    status = "BUSY" if one.run else "DRAINED" if one.is_drained else "IDLE"
    return {"id": one.id, "busy": one.run is not None, "drained": one.is_drained,
            "createdAt": one.created_at, "availableAt": None, "status": status,
            "metadata": json.dumps({"asg_id": f"asg-{pool.name}", "instance_id": one.id})}


def run(one, state):
    history = [{"state": "QUEUED", "timestamp": one.created_wall}]
    if state != "QUEUED":
        history.insert(0, {"state": "READY", "timestamp": one.ready_wall})
    if state not in ("QUEUED", "READY"):
        history.insert(0, {"state": state, "timestamp": one.ready_wall})
    return {"id": one.id, "state": state, "type": one.type, "title": "a run",
            "createdAt": one.created_wall, "updatedAt": history[0]["timestamp"],
            "driftDetection": one.drift_detection, "isPrioritized": one.prioritized,
            "needsApproval": one.needs_approval, "history": history}


def queue(pool):
    """Those in progress first, as the documentation says."""
    return ([(worker.run, "PLANNING") for worker in pool.busy()] +
            [(one, "READY") for one in pool.waiting] + [(one, "QUEUED") for one in pool.blocked])


def stack(one_id, facts):
    blocker = facts.get("blocker")
    return {"id": one_id, "name": one_id, "space": "root", "lockedBy": facts.get("locked_by"),
            "lockedAt": None, "lockNote": None,
            "blocker": blocker and run(Run(blocker, 0, None), "PLANNING")}


def page(pool, first, after, predicates=()):
    runs = queue(pool)
    for predicate in predicates or ():
        if predicate["field"] == "state":
            runs = [one for one in runs if one[1] in predicate["constraint"]["enumEquals"]]
    begin = int(after) if after else 0
    part = runs[begin:begin + first]
    end = begin + len(part)
    edges = [{"cursor": str(begin + number + 1),
              "node": {"position": begin + number, "stackId": one.stack, "stackName": one.stack,
                       "run": run(one, state)}}
             for number, (one, state) in enumerate(part)]
    return {"edges": edges, "pageInfo": {"endCursor": str(end) if part else "",
                                         "hasNextPage": end < len(runs),
                                         "hasPreviousPage": begin > 0}}


def pool_view(pool, now):
    return {
        "id": pool.id, "name": pool.name, "description": None, "labels": pool.labels,
        "space": pool.space, "createdAt": pool.created_at, "updatedAt": pool.created_at,
        "deleted": False, "pendingRuns": len(pool.waiting), "busyWorkers": len(pool.busy()),
        "workersCount": len(pool.registered(now)), "schedulableRunsCount": len(queue(pool)),
        "usersCount": 0, "driftDetectionRunLimit": None, "managedByK8sController": True,
        "workers": [worker(one, pool) for one in pool.registered(now)], "_pool": pool,
    }
