/* Prints the objects one after the other. Names are checked, so nothing here needs quotes. */
#include "kubernetes/manifests.h"

#include <stdio.h>
#include <string.h>

#include "base/base64.h"

enum { LONGEST_NAME = 253, LONGEST_NAMESPACE = 63 };

const struct sl_kube_rule sl_kube_rules[] = {
    {.group = "workers.spacelift.io",
     .resource = "workerpools",
     .verbs = {"get"},
     .purpose = "to read the size of the pool and the annotations on it"},
    {.group = "workers.spacelift.io",
     .resource = "workerpools",
     .subresource = "scale",
     .verbs = {"patch"},
     .purpose = "to write the size of the pool"},
    {.group = "events.k8s.io",
     .resource = "events",
     .resource_name = "",
     .verbs = {"create", "patch"},
     .purpose = "to tell on the pool what was done (Events)",
     .is_optional = true},
    {.group = "coordination.k8s.io",
     .resource = "leases",
     .resource_name = "",
     .verbs = {"create"},
     .purpose = "to share the work with another host (LeaderElection)",
     .is_optional = true},
    {.group = "coordination.k8s.io",
     .resource = "leases",
     .resource_name = SL_MANIFESTS_LEASE,
     .verbs = {"get", "update"},
     .purpose = "likewise; named by LeaseName",
     .is_optional = true},
    {.resource = NULL},
};

const struct sl_kube_rule sl_kube_rule_list = {
    .group = "workers.spacelift.io",
    .resource = "workerpools",
    .resource_name = "",
    .verbs = {"list"},
    .purpose = "to look at all pools of the namespace with one request",
    .is_optional = true,
};

static bool is_lower_or_digit(char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool sl_kube_name_is_valid(const char *name) {
    size_t len = strlen(name);
    if (len == 0 || len > LONGEST_NAME)
        return false;
    for (size_t i = 0; i < len; i++) {
        bool is_edge = i == 0 || i + 1 == len || name[i - 1] == '.' || name[i + 1] == '.';
        bool is_inner = !is_edge && name[i] == '-';
        bool is_dot = name[i] == '.' && i > 0 && i + 1 < len && name[i - 1] != '.';
        if (!is_lower_or_digit(name[i]) && !is_inner && !is_dot)
            return false;
    }
    return true;
}

static int check_name(const char *what, const char *name, struct sl_error *err) {
    if (sl_kube_name_is_valid(name))
        return SL_OK;
    return sl_fail(err, SL_CONFIG,
                   "%s \"%s\" is no name for Kubernetes: lower-case letters, digits, '-' and '.', "
                   "at most %d characters, beginning and ending with a letter or digit",
                   what, name, (int)LONGEST_NAME);
}

static int check(const struct sl_manifests *m, struct sl_error *err) {
    int code = check_name("the namespace", m->kube_namespace, err);
    if (code == SL_OK &&
        (strlen(m->kube_namespace) > LONGEST_NAMESPACE || strchr(m->kube_namespace, '.') != NULL))
        code = sl_fail(err, SL_CONFIG,
                       "the namespace \"%s\" may have at most %d characters and no dot",
                       m->kube_namespace, (int)LONGEST_NAMESPACE);
    if (code == SL_OK)
        code = check_name("the worker pool", m->worker_pool, err);
    if (code == SL_OK)
        code = check_name("the service account", m->service_account, err);
    if (code == SL_OK && (m->private_key_pem != NULL) != (m->pool_token != NULL))
        code = sl_fail(err, SL_CONFIG,
                       "the private key and the worker pool's file go together: the %s is missing",
                       m->pool_token != NULL ? "private key" : "worker pool's file");
    return code;
}

static void begin(struct sl_buffer *out, const char *version, const char *kind, const char *name,
                  const char *kube_namespace) {
    sl_buffer_printf(out, "---\napiVersion: %s\nkind: %s\nmetadata:\n  name: %s\n", version, kind,
                     name);
    if (kube_namespace != NULL)
        sl_buffer_printf(out, "  namespace: %s\n", kube_namespace);
}

static void put_datum(struct sl_buffer *out, const char *key, const char *bytes, size_t len) {
    sl_buffer_printf(out, "  %s: ", key);
    sl_base64_encode(bytes, len, out);
    sl_buffer_putc(out, '\n');
}

/* The controller wants the key's PEM text in base64, and Kubernetes every datum once more. */
static int put_pool_credentials(const struct sl_manifests *m, struct sl_buffer *out,
                                struct sl_error *err) {
    struct sl_buffer key;
    if (m->pool_token == NULL)
        return SL_OK;
    sl_buffer_init(&key, out->max);
    sl_base64_encode(m->private_key_pem->text, m->private_key_pem->len, &key);
    int code = sl_buffer_check(&key, "the private key", err);
    if (code == SL_OK) {
        begin(out, "v1", "Secret", "spacelift-worker-pool-credentials", m->kube_namespace);
        sl_buffer_puts(out, "type: Opaque\ndata:\n");
        put_datum(out, "privateKey", key.data, key.len);
        put_datum(out, "token", m->pool_token->text, m->pool_token->len);
    }
    sl_buffer_wipe(&key);
    return code;
}

static void put_exporter_credentials(const struct sl_manifests *m, struct sl_buffer *out) {
    if (m->api_key_secret == NULL)
        return;
    begin(out, "v1", "Secret", "spacelift-prometheus-exporter-credentials", m->kube_namespace);
    sl_buffer_puts(out, "type: Opaque\ndata:\n");
    put_datum(out, "SPACELIFT_PROMEX_API_KEY_SECRET", m->api_key_secret->text,
              m->api_key_secret->len);
}

static void put_pool(const struct sl_manifests *m, struct sl_buffer *out) {
    begin(out, "workers.spacelift.io/v1beta1", "WorkerPool", m->worker_pool, m->kube_namespace);
    sl_buffer_printf(out, "spec:\n  poolSize: %lld\n", (long long)m->pool_size);
    static const char *const keys[] = {"token", "privateKey"};
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        sl_buffer_printf(out,
                         "  %s:\n    secretKeyRef:\n"
                         "      name: spacelift-worker-pool-credentials\n      key: %s\n",
                         keys[i], keys[i]);
}

static void put_rule(const struct sl_kube_rule *rule, const char *indent, const char *worker_pool,
                     struct sl_buffer *out) {
    const char *name = rule->resource_name != NULL ? rule->resource_name : worker_pool;
    sl_buffer_printf(out, "%s- apiGroups: [%s]    # %s\n%s  resources: [%s%s%s]\n", indent,
                     rule->group[0] != '\0' ? rule->group : "\"\"", rule->purpose, indent,
                     rule->resource, rule->subresource != NULL ? "/" : "",
                     rule->subresource != NULL ? rule->subresource : "");
    if (name[0] != '\0')
        sl_buffer_printf(out, "%s  resourceNames: [%s]\n", indent, name);
    sl_buffer_printf(out, "%s  verbs: [", indent);
    for (size_t i = 0; rule->verbs[i] != NULL; i++)
        sl_buffer_printf(out, "%s%s", i > 0 ? ", " : "", rule->verbs[i]);
    sl_buffer_puts(out, "]\n");
}

static void put_rights(const struct sl_manifests *m, struct sl_buffer *out) {
    const char *rbac = "rbac.authorization.k8s.io/v1";
    begin(out, "v1", "ServiceAccount", m->service_account, m->kube_namespace);
    begin(out, rbac, "Role", m->service_account, m->kube_namespace);
    sl_buffer_puts(out, "rules:\n");
    for (const struct sl_kube_rule *rule = sl_kube_rules; rule->resource != NULL; rule++)
        put_rule(rule, "  ", m->worker_pool, out);
    sl_buffer_puts(out, "  # Worth it where several pools are scaled; it shows all there are:\n");
    put_rule(&sl_kube_rule_list, "  # ", m->worker_pool, out);
    begin(out, rbac, "RoleBinding", m->service_account, m->kube_namespace);
    sl_buffer_printf(out,
                     "roleRef:\n  apiGroup: rbac.authorization.k8s.io\n  kind: Role\n  name: %s\n"
                     "subjects:\n  - kind: ServiceAccount\n    name: %s\n    namespace: %s\n",
                     m->service_account, m->service_account, m->kube_namespace);
}

/* A token that is bound to an object dies with it: deleting this Secret revokes the token at once.
 */
static void put_token_anchor(const struct sl_manifests *m, struct sl_buffer *out) {
    char name[LONGEST_NAME + sizeof("-token")];
    (void)snprintf(name, sizeof(name), "%s-token", m->service_account);
    sl_buffer_printf(
        out,
        "---\n# The token of the scaler is bound to this Secret, which holds nothing. Make one "
        "with\n#\n#   kubectl create token %s -n %s \\\n#       --bound-object-kind Secret "
        "--bound-object-name %s --duration 8760h\n#\n# and revoke it by deleting the Secret.\n",
        m->service_account, m->kube_namespace, name);
    sl_buffer_printf(out,
                     "apiVersion: v1\nkind: Secret\nmetadata:\n  name: %s\n  namespace: %s\n"
                     "type: Opaque\n",
                     name, m->kube_namespace);
}

int sl_manifests_print(const struct sl_manifests *m, struct sl_buffer *out, struct sl_error *err) {
    int code = check(m, err);
    if (code != SL_OK)
        return code;
    sl_buffer_puts(out, "# For kubectl apply -f -; made by spacelift-pool manifests.\n");
    begin(out, "v1", "Namespace", m->kube_namespace, NULL);
    code = put_pool_credentials(m, out, err);
    if (code != SL_OK)
        return code;
    put_exporter_credentials(m, out);
    put_pool(m, out);
    put_rights(m, out);
    put_token_anchor(m, out);
    return sl_buffer_check(out, "the manifests", err);
}
