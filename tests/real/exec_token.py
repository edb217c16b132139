#!/usr/bin/python3
"""An exec program for kubeconfigs, as cloud providers ship them: asks a real API server for a token
of a service account and prints it as an ExecCredential.

    exec_token.py FOLDER

FOLDER/exec.json says where and for whom: url, ca, token (of an administrator), namespace, account,
and expires_s, certificate and key where wanted. FOLDER/runs gets a line of JSON for each run, with
the arguments and the environment.
"""

import datetime
import json
import os
import ssl
import sys
import urllib.request


def main():
    folder = sys.argv[1]
    with open(os.path.join(folder, "exec.json"), encoding="utf-8") as file:
        config = json.load(file)
    info = json.loads(os.environ["KUBERNETES_EXEC_INFO"])
    with open(os.path.join(folder, "runs"), "a", encoding="utf-8") as file:
        file.write(json.dumps({"argv": sys.argv, "environment": dict(os.environ)}) + "\n")
    if config.get("fail"):
        sys.exit("nobody is logged in")
    status = {}
    if "certificate" in config:
        status = {"clientCertificateData": config["certificate"], "clientKeyData": config["key"]}
    else:
        path = f"/api/v1/namespaces/{config['namespace']}/serviceaccounts/{config['account']}/token"
        request = urllib.request.Request(
            config["url"] + path, json.dumps({"spec": {}}).encode(),
            {"Authorization": f"Bearer {config['token']}", "Content-Type": "application/json"})
        context = ssl.create_default_context(cafile=config["ca"])
        with urllib.request.urlopen(request, timeout=20, context=context) as answer:
            status = {"token": json.load(answer)["status"]["token"]}
    if "expires_s" in config:
        end = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(
            seconds=config["expires_s"])
        status["expirationTimestamp"] = end.isoformat().replace("+00:00", "Z")
    json.dump({"kind": "ExecCredential", "apiVersion": info["apiVersion"], "status": status},
              sys.stdout)


if __name__ == "__main__":
    main()
