/* Looks up one context of kubeconfig files. */
#include "kubernetes/kubeconfig.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/base64.h"
#include "base/limits.h"
#include "kubernetes/yaml.h"

#define EXEC_GROUP "client.authentication.k8s.io/"

enum { MAX_FILES = 32 };

struct document {
    struct sl_yaml *yaml;
    const char *path;
};

struct reader {
    struct document *documents;
    size_t count;
    struct document *at; /* the one that is read: members and paths are its */
    struct sl_error *err;
};

/* ---- nodes ---- */

static const struct sl_yaml_node *member(struct reader *r, const struct sl_yaml_node *map,
                                         const char *key) {
    return sl_yaml_get(r->at->yaml, map, key);
}

static const struct sl_yaml_node *element(struct reader *r, const struct sl_yaml_node *list,
                                          size_t i) {
    return sl_yaml_at(r->at->yaml, list, i);
}

static const struct sl_yaml_node *root_of(struct reader *r) {
    return sl_yaml_root(r->at->yaml);
}

static const struct sl_yaml_node *named(struct reader *r, const struct sl_yaml_node *list,
                                        const char *name, const char *inner) {
    for (size_t i = 0; i < sl_yaml_size(list); i++) {
        const struct sl_yaml_node *one = element(r, list, i);
        const char *its_name = sl_yaml_text(member(r, one, "name"));
        if (its_name != NULL && strcmp(its_name, name) == 0)
            return member(r, one, inner);
    }
    return NULL;
}

/* The "inner" of the element of the list "kind" with this name, of the first file that has it;
 * that file is read from now on. */
static const struct sl_yaml_node *entry(struct reader *r, const char *kind, const char *name,
                                        const char *inner) {
    struct document *before = r->at;
    for (size_t i = 0; i < r->count; i++) {
        r->at = &r->documents[i];
        const struct sl_yaml_node *found = named(r, member(r, root_of(r), kind), name, inner);
        if (found != NULL)
            return found;
    }
    r->at = before;
    return NULL;
}

static void list_contexts(struct reader *r, struct sl_buffer *out) {
    for (size_t i = 0; i < r->count; i++) {
        r->at = &r->documents[i];
        const struct sl_yaml_node *list = member(r, root_of(r), "contexts");
        for (size_t n = 0; n < sl_yaml_size(list); n++) {
            const char *name = sl_yaml_text(member(r, element(r, list, n), "name"));
            if (name != NULL)
                sl_buffer_printf(out, "%s\"%s\"", out->len > 0 ? ", " : "", name);
        }
    }
}

static const char *given(struct reader *r, const struct sl_yaml_node *map, const char *key) {
    const char *text = sl_yaml_text(member(r, map, key));
    return text != NULL && text[0] != '\0' ? text : NULL;
}

static bool is_true(struct reader *r, const struct sl_yaml_node *map, const char *key) {
    const char *text = given(r, map, key);
    return text != NULL && strcasecmp(text, "true") == 0;
}

/* ---- texts ---- */

static int copy_text(struct reader *r, const char *text, char **ret) {
    *ret = strdup(text);
    return *ret != NULL ? SL_OK : sl_fail(r->err, SL_NOMEM, "out of memory for a kubeconfig");
}

static int copy(struct reader *r, const struct sl_yaml_node *map, const char *key, char **ret) {
    const char *text = given(r, map, key);
    return text == NULL ? SL_OK : copy_text(r, text, ret);
}

static int absolute(struct reader *r, const char *text, const char *what, char **ret) {
    const char *slash = strrchr(r->at->path, '/');
    struct sl_buffer path;
    sl_buffer_init(&path, 4096);
    if (text[0] != '/' && slash != NULL)
        sl_buffer_append(&path, r->at->path, (size_t)(slash - r->at->path) + 1);
    sl_buffer_puts(&path, text);
    int code = sl_buffer_check(&path, what, r->err);
    if (code == SL_OK)
        *ret = sl_buffer_steal(&path);
    sl_buffer_release(&path);
    return code;
}

static int copy_path(struct reader *r, const struct sl_yaml_node *map, const char *key,
                     char **ret) {
    const char *text = given(r, map, key);
    return text == NULL ? SL_OK : absolute(r, text, key, ret);
}

static int copy_secret(struct reader *r, const struct sl_yaml_node *map, const char *key,
                       struct sl_secret *ret) {
    const char *text = given(r, map, key);
    return text == NULL ? SL_OK : sl_secret_set_trimmed(ret, text, strlen(text), r->err);
}

static int decode(struct reader *r, const struct sl_yaml_node *map, const char *key,
                  char **ret_text, struct sl_secret *ret_secret) {
    const char *text = given(r, map, key);
    if (text == NULL)
        return SL_OK;
    struct sl_buffer bytes;
    sl_buffer_init(&bytes, SL_LIMIT_CA_FILE_BYTES);
    int code = sl_base64_decode(text, strlen(text), &bytes, r->err);
    if (code == SL_OK && ret_secret != NULL)
        code = sl_secret_set(ret_secret, bytes.data, bytes.len, r->err);
    else if (code == SL_OK)
        *ret_text = sl_buffer_steal(&bytes);
    sl_buffer_wipe(&bytes);
    if (code == SL_PARSE)
        return sl_fail(r->err, SL_CONFIG, "%s is not base64", key);
    return code;
}

/* ---- the cluster ---- */

static bool has_scheme(const char *url, const char *const *schemes) {
    for (size_t i = 0; schemes[i] != NULL; i++)
        if (strncmp(url, schemes[i], strlen(schemes[i])) == 0)
            return true;
    return false;
}

static int check_cluster(struct reader *r, const struct sl_kubeconfig *k) {
    static const char *const servers[] = {"https://", "http://", NULL};
    static const char *const proxies[] = {"https://", "http://", "socks5://", NULL};
    if (k->server == NULL || !has_scheme(k->server, servers))
        return sl_fail(r->err, SL_CONFIG, "its cluster has no server: \"https://...\"");
    if (k->proxy_url != NULL && !has_scheme(k->proxy_url, proxies))
        return sl_fail(r->err, SL_CONFIG,
                       "proxy-url begins neither with http:// nor https:// nor socks5://");
    if (k->is_insecure && (k->ca_pem != NULL || k->ca_path != NULL))
        return sl_fail(
            r->err, SL_CONFIG,
            "insecure-skip-tls-verify together with a certificate authority: remove one");
    return SL_OK;
}

static int read_cluster_config(struct reader *r, const struct sl_yaml_node *map,
                               struct sl_kubeconfig *k) {
    const struct sl_yaml_node *extension =
        named(r, member(r, map, "extensions"), EXEC_GROUP "exec", "extension");
    struct sl_buffer json;
    if (extension == NULL)
        return SL_OK;
    sl_buffer_init(&json, SL_LIMIT_JSON_STRING_BYTES);
    int code = sl_yaml_node_to_json(r->at->yaml, extension, &json, r->err);
    if (code == SL_OK)
        k->exec.cluster_config = sl_buffer_steal(&json);
    sl_buffer_release(&json);
    return code;
}

static int read_cluster(struct reader *r, const struct sl_yaml_node *map, struct sl_kubeconfig *k) {
    int code = copy(r, map, "server", &k->server);
    if (code == SL_OK)
        code = copy_path(r, map, "certificate-authority", &k->ca_path);
    if (code == SL_OK)
        code = decode(r, map, "certificate-authority-data", &k->ca_pem, NULL);
    if (code == SL_OK)
        code = copy(r, map, "tls-server-name", &k->tls_server_name);
    if (code == SL_OK)
        code = copy(r, map, "proxy-url", &k->proxy_url);
    if (code == SL_OK)
        code = read_cluster_config(r, map, k);
    if (code != SL_OK)
        return code;
    k->is_insecure = is_true(r, map, "insecure-skip-tls-verify");
    code = check_cluster(r, k);
    for (size_t len = code == SL_OK ? strlen(k->server) : 0; len > 0 && k->server[len - 1] == '/';
         len--)
        k->server[len - 1] = '\0';
    return code;
}

/* ---- the user ---- */

static int read_arguments(struct reader *r, const struct sl_yaml_node *map,
                          struct sl_kube_exec *exec) {
    const struct sl_yaml_node *list = member(r, map, "args");
    const char *command = given(r, map, "command");
    int code = SL_OK;
    exec->argv = calloc(sl_yaml_size(list) + 2, sizeof(*exec->argv));
    if (exec->argv == NULL)
        return sl_fail(r->err, SL_NOMEM, "out of memory for a kubeconfig");
    if (command == NULL)
        return sl_fail(r->err, SL_CONFIG, "its user's exec has no command");
    code = strchr(command, '/') != NULL ? absolute(r, command, "command", &exec->argv[0])
                                        : copy_text(r, command, &exec->argv[0]);
    for (size_t i = 0; code == SL_OK && i < sl_yaml_size(list); i++) {
        const char *text = sl_yaml_text(element(r, list, i));
        code = copy_text(r, text != NULL ? text : "", &exec->argv[i + 1]);
    }
    return code;
}

static int read_environment(struct reader *r, const struct sl_yaml_node *map,
                            struct sl_kube_exec *exec) {
    const struct sl_yaml_node *list = member(r, map, "env");
    int code = SL_OK;
    exec->environment = calloc(sl_yaml_size(list) + 1, sizeof(*exec->environment));
    if (exec->environment == NULL)
        return sl_fail(r->err, SL_NOMEM, "out of memory for a kubeconfig");
    for (size_t i = 0; code == SL_OK && i < sl_yaml_size(list); i++) {
        const char *name = given(r, element(r, list, i), "name");
        const char *value = sl_yaml_text(member(r, element(r, list, i), "value"));
        struct sl_buffer pair;
        if (name == NULL || strchr(name, '=') != NULL)
            return sl_fail(r->err, SL_CONFIG, "an env of its user's exec has no usable name");
        sl_buffer_init(&pair, SL_LIMIT_JSON_STRING_BYTES);
        sl_buffer_printf(&pair, "%s=%s", name, value != NULL ? value : "");
        code = sl_buffer_check(&pair, "an env of exec", r->err);
        if (code == SL_OK)
            exec->environment[i] = sl_buffer_steal(&pair);
        sl_buffer_release(&pair);
    }
    return code;
}

static int check_exec(struct reader *r, const struct sl_yaml_node *map,
                      const struct sl_kube_exec *exec) {
    const char *mode = given(r, map, "interactiveMode");
    bool is_v1 = exec->api_version != NULL && strcmp(exec->api_version, EXEC_GROUP "v1") == 0;
    if (exec->api_version == NULL ||
        (!is_v1 && strcmp(exec->api_version, EXEC_GROUP "v1beta1") != 0))
        return sl_fail(r->err, SL_CONFIG,
                       "its user's exec has apiVersion \"%s\"; understood are " EXEC_GROUP
                       "v1 and v1beta1",
                       exec->api_version != NULL ? exec->api_version : "");
    if (mode == NULL && is_v1)
        return sl_fail(r->err, SL_CONFIG,
                       "its user's exec has no interactiveMode: set it to Never or IfAvailable");
    if (mode != NULL && strcmp(mode, "Never") != 0 && strcmp(mode, "IfAvailable") != 0)
        return sl_fail(r->err, SL_CONFIG,
                       "its user's exec has interactiveMode \"%s\", and a daemon has nobody to "
                       "ask: use a program that works with Never",
                       mode);
    return SL_OK;
}

static int read_exec(struct reader *r, const struct sl_yaml_node *user, struct sl_kube_exec *exec) {
    const struct sl_yaml_node *map = member(r, user, "exec");
    if (!sl_yaml_is_mapping(map))
        return SL_OK;
    int code = read_arguments(r, map, exec);
    if (code == SL_OK)
        code = read_environment(r, map, exec);
    if (code == SL_OK)
        code = copy(r, map, "apiVersion", &exec->api_version);
    if (code == SL_OK)
        code = copy(r, map, "installHint", &exec->install_hint);
    exec->is_told_cluster = is_true(r, map, "provideClusterInfo");
    return code == SL_OK ? check_exec(r, map, exec) : code;
}

static int refuse_unsupported(struct reader *r, const struct sl_yaml_node *map) {
    static const struct {
        const char *key;
        const char *words;
    } unsupported[] = {
        {"username", "a user name and password, which API servers no longer take"},
        {"password", "a user name and password, which API servers no longer take"},
        {"auth-provider", "\"auth-provider\", which Kubernetes removed in favour of \"exec\""},
        {"as", "\"as\" (impersonation), which is not supported"},
    };
    for (size_t i = 0; i < sizeof(unsupported) / sizeof(unsupported[0]); i++)
        if (member(r, map, unsupported[i].key) != NULL)
            return sl_fail(r->err, SL_CONFIG,
                           "its user logs in with %s: use a token, a tokenFile, a client "
                           "certificate or an exec program",
                           unsupported[i].words);
    return SL_OK;
}

static void free_list(char **list) {
    for (size_t i = 0; list != NULL && list[i] != NULL; i++) {
        sl_wipe(list[i], strlen(list[i]));
        free(list[i]);
    }
    free(list);
}

static void release_exec(struct sl_kube_exec *exec) {
    free_list(exec->argv);
    free_list(exec->environment);
    free(exec->api_version);
    free(exec->install_hint);
    free(exec->cluster_config);
    *exec = (struct sl_kube_exec){.argv = NULL};
}

static int check_user(struct reader *r, struct sl_kubeconfig *k) {
    bool has_cert = k->client_cert_path != NULL || k->client_cert_pem != NULL;
    bool has_key = k->client_key_path != NULL || sl_secret_is_set(&k->client_key_pem);
    if (has_cert != has_key)
        return sl_fail(r->err, SL_CONFIG, "its user has a %s without a %s",
                       has_cert ? "client-certificate" : "client-key",
                       has_cert ? "client-key" : "client-certificate");
    if (has_cert || k->token_path != NULL || sl_secret_is_set(&k->token))
        release_exec(&k->exec);
    return SL_OK;
}

static int read_user(struct reader *r, const struct sl_yaml_node *map, struct sl_kubeconfig *k) {
    int code = refuse_unsupported(r, map);
    if (code == SL_OK)
        code = copy_path(r, map, "client-certificate", &k->client_cert_path);
    if (code == SL_OK)
        code = decode(r, map, "client-certificate-data", &k->client_cert_pem, NULL);
    if (code == SL_OK)
        code = copy_path(r, map, "client-key", &k->client_key_path);
    if (code == SL_OK)
        code = decode(r, map, "client-key-data", NULL, &k->client_key_pem);
    if (code == SL_OK)
        code = copy_secret(r, map, "token", &k->token);
    if (code == SL_OK)
        code = copy_path(r, map, "tokenFile", &k->token_path);
    if (code == SL_OK)
        code = read_exec(r, map, &k->exec);
    return code == SL_OK ? check_user(r, k) : code;
}

/* ---- the context ---- */

static int no_such_context(struct reader *r, const char *context) {
    struct sl_buffer names;
    sl_buffer_init(&names, 256);
    list_contexts(r, &names);
    int code = sl_fail(r->err, SL_CONFIG, "there is no context \"%s\"; there is: %s", context,
                       names.len > 0 ? names.data : "none at all");
    sl_buffer_release(&names);
    return code;
}

static const char *current_context(struct reader *r) {
    for (size_t i = 0; i < r->count; i++) {
        r->at = &r->documents[i];
        const char *context = given(r, root_of(r), "current-context");
        if (context != NULL)
            return context;
    }
    return NULL;
}

static int read_context(struct reader *r, const char *context, struct sl_kubeconfig *k) {
    if (context == NULL)
        context = current_context(r);
    if (context == NULL)
        return sl_fail(r->err, SL_CONFIG, "it has no current-context: set the option Context");
    const struct sl_yaml_node *map = entry(r, "contexts", context, "context");
    if (map == NULL)
        return no_such_context(r, context);
    const char *cluster_name = given(r, map, "cluster");
    const char *user_name = given(r, map, "user");
    int code = copy(r, map, "namespace", &k->kube_namespace);
    if (code != SL_OK)
        return code;
    const struct sl_yaml_node *cluster =
        cluster_name != NULL ? entry(r, "clusters", cluster_name, "cluster") : NULL;
    if (cluster == NULL)
        return sl_fail(r->err, SL_CONFIG,
                       "context \"%s\" names the cluster \"%s\", which is not there", context,
                       cluster_name != NULL ? cluster_name : "");
    code = read_cluster(r, cluster, k);
    if (code != SL_OK || user_name == NULL)
        return code;
    const struct sl_yaml_node *user = entry(r, "users", user_name, "user");
    if (user == NULL)
        return sl_fail(r->err, SL_CONFIG, "context \"%s\" names the user \"%s\", who is not there",
                       context, user_name);
    return read_user(r, user, k);
}

static int load(struct reader *r, const struct sl_kubeconfig_file *file) {
    r->at = &r->documents[r->count];
    r->at->path = file->path;
    int code = sl_yaml_parse(file->yaml, file->len, &r->at->yaml, r->err);
    if (code == SL_PARSE)
        return sl_fail(r->err, SL_CONFIG, "%s", r->err->text);
    if (code != SL_OK)
        return code;
    r->count++;
    return sl_yaml_is_mapping(root_of(r))
               ? SL_OK
               : sl_fail(r->err, SL_CONFIG, "not a kubeconfig: no mapping at its top");
}

int sl_kubeconfig_parse(const struct sl_kubeconfig_file *files, size_t count, const char *context,
                        struct sl_kubeconfig *ret, struct sl_error *err) {
    struct document documents[MAX_FILES];
    struct sl_error why = SL_ERROR_INIT;
    struct reader r = {.documents = documents, .at = &documents[0], .err = &why};
    int code = SL_OK;
    *ret = (struct sl_kubeconfig){.server = NULL};
    documents[0].path = count > 0 ? files[0].path : "kubeconfig";
    if (count == 0 || count > MAX_FILES)
        code = sl_fail(&why, SL_CONFIG, "%zu kubeconfig files; it must be 1 to %d", count,
                       (int)MAX_FILES);
    for (size_t i = 0; code == SL_OK && i < count; i++)
        code = load(&r, &files[i]);
    if (code == SL_OK)
        code = read_context(&r, context, ret);
    if (code != SL_OK) {
        sl_error_prefix(&why, "%s", r.at->path);
        sl_kubeconfig_release(ret);
        if (err != NULL)
            *err = why;
    }
    for (size_t i = 0; i < r.count; i++)
        sl_yaml_free(documents[i].yaml);
    return code;
}

void sl_kubeconfig_release(struct sl_kubeconfig *k) {
    char **texts[] = {&k->server,          &k->ca_path,         &k->ca_pem,
                      &k->tls_server_name, &k->proxy_url,       &k->client_cert_path,
                      &k->client_cert_pem, &k->client_key_path, &k->token_path,
                      &k->kube_namespace};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        free(*texts[i]);
        *texts[i] = NULL;
    }
    sl_secret_release(&k->client_key_pem);
    sl_secret_release(&k->token);
    release_exec(&k->exec);
}
