/* Looks up one context of a kubeconfig. libyaml's document is a flat array of nodes, so anchors
 * cannot make it grow, and nothing here recurses. */
#include "kubernetes/kubeconfig.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/base64.h"
#include "base/limits.h"

struct reader {
    yaml_document_t document;
    const char *folder;
    struct sl_error *err;
};

static const char *text_of(const yaml_node_t *node) {
    return node != NULL && node->type == YAML_SCALAR_NODE ? (const char *)node->data.scalar.value
                                                          : NULL;
}

static yaml_node_t *member(struct reader *r, const yaml_node_t *map, const char *key) {
    if (map == NULL || map->type != YAML_MAPPING_NODE)
        return NULL;
    for (yaml_node_pair_t *p = map->data.mapping.pairs.start; p < map->data.mapping.pairs.top;
         p++) {
        const char *name = text_of(yaml_document_get_node(&r->document, p->key));
        if (name != NULL && strcmp(name, key) == 0)
            return yaml_document_get_node(&r->document, p->value);
    }
    return NULL;
}

/* The "inner" of the element of the list "kind" with this name. */
static yaml_node_t *entry(struct reader *r, const char *kind, const char *name, const char *inner) {
    yaml_node_t *list = member(r, yaml_document_get_root_node(&r->document), kind);
    if (list == NULL || list->type != YAML_SEQUENCE_NODE)
        return NULL;
    for (yaml_node_item_t *i = list->data.sequence.items.start; i < list->data.sequence.items.top;
         i++) {
        yaml_node_t *element = yaml_document_get_node(&r->document, *i);
        const char *its_name = text_of(member(r, element, "name"));
        if (its_name != NULL && strcmp(its_name, name) == 0)
            return member(r, element, inner);
    }
    return NULL;
}

static void list_contexts(struct reader *r, struct sl_buffer *out) {
    yaml_node_t *list = member(r, yaml_document_get_root_node(&r->document), "contexts");
    if (list == NULL || list->type != YAML_SEQUENCE_NODE)
        return;
    for (yaml_node_item_t *i = list->data.sequence.items.start; i < list->data.sequence.items.top;
         i++) {
        const char *name = text_of(member(r, yaml_document_get_node(&r->document, *i), "name"));
        if (name != NULL)
            sl_buffer_printf(out, "%s\"%s\"", out->len > 0 ? ", " : "", name);
    }
}

/* YAML's ways to say nothing are nothing. */
static const char *given(struct reader *r, const yaml_node_t *map, const char *key) {
    const yaml_node_t *node = member(r, map, key);
    const char *text = text_of(node);
    if (text == NULL || text[0] == '\0')
        return NULL;
    if (node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
        (strcmp(text, "null") == 0 || strcmp(text, "~") == 0))
        return NULL;
    return text;
}

static int copy(struct reader *r, const yaml_node_t *map, const char *key, char **ret) {
    const char *text = given(r, map, key);
    if (text == NULL)
        return SL_OK;
    *ret = strdup(text);
    return *ret != NULL ? SL_OK : sl_fail(r->err, SL_NOMEM, "out of memory for a kubeconfig");
}

static int copy_path(struct reader *r, const yaml_node_t *map, const char *key, char **ret) {
    const char *text = given(r, map, key);
    if (text == NULL)
        return SL_OK;
    struct sl_buffer path;
    sl_buffer_init(&path, 4096);
    if (text[0] != '/' && r->folder != NULL)
        sl_buffer_printf(&path, "%s/", r->folder);
    sl_buffer_puts(&path, text);
    int code = sl_buffer_check(&path, key, r->err);
    if (code == SL_OK)
        *ret = sl_buffer_steal(&path);
    sl_buffer_release(&path);
    return code;
}

static int copy_secret(struct reader *r, const yaml_node_t *map, const char *key,
                       struct sl_secret *ret) {
    const char *text = given(r, map, key);
    return text == NULL ? SL_OK : sl_secret_set_trimmed(ret, text, strlen(text), r->err);
}

static int decode(struct reader *r, const yaml_node_t *map, const char *key, char **ret_text,
                  struct sl_secret *ret_secret) {
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

static int read_cluster(struct reader *r, const yaml_node_t *map, struct sl_kubeconfig *k) {
    int code = copy(r, map, "server", &k->server);
    if (code == SL_OK && (k->server == NULL || (strncmp(k->server, "https://", 8) != 0 &&
                                                strncmp(k->server, "http://", 7) != 0)))
        return sl_fail(r->err, SL_CONFIG, "its cluster has no server: \"https://...\"");
    if (code == SL_OK)
        code = copy_path(r, map, "certificate-authority", &k->ca_path);
    if (code == SL_OK)
        code = decode(r, map, "certificate-authority-data", &k->ca_pem, NULL);
    if (code == SL_OK)
        code = copy(r, map, "tls-server-name", &k->tls_server_name);
    if (code == SL_OK)
        code = copy(r, map, "proxy-url", &k->proxy_url);
    if (code != SL_OK)
        return code;
    for (size_t len = strlen(k->server); k->server[len - 1] == '/'; len--)
        k->server[len - 1] = '\0';
    const char *insecure = given(r, map, "insecure-skip-tls-verify");
    k->is_insecure = insecure != NULL && strcasecmp(insecure, "true") == 0;
    if (k->is_insecure && (k->ca_pem != NULL || k->ca_path != NULL))
        return sl_fail(
            r->err, SL_CONFIG,
            "insecure-skip-tls-verify together with a certificate authority: remove one");
    return SL_OK;
}

static int read_user(struct reader *r, const yaml_node_t *map, struct sl_kubeconfig *k) {
    static const char *const unsupported[] = {"exec", "auth-provider", "as"};
    for (size_t i = 0; i < sizeof(unsupported) / sizeof(unsupported[0]); i++)
        if (member(r, map, unsupported[i]) != NULL)
            return sl_fail(r->err, SL_CONFIG,
                           "its user logs in with \"%s\", which is not supported: use a token, a "
                           "token file or a client certificate, e.g. of a service account",
                           unsupported[i]);
    int code = copy_path(r, map, "client-certificate", &k->client_cert_path);
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
        code = copy(r, map, "username", &k->user);
    if (code == SL_OK)
        code = copy_secret(r, map, "password", &k->password);
    return code;
}

static int no_such_context(struct reader *r, const char *context) {
    struct sl_buffer names;
    sl_buffer_init(&names, 256);
    list_contexts(r, &names);
    int code = sl_fail(r->err, SL_CONFIG, "there is no context \"%s\"; there is: %s", context,
                       names.len > 0 ? names.data : "none at all");
    sl_buffer_release(&names);
    return code;
}

static int read_context(struct reader *r, const char *context, struct sl_kubeconfig *k) {
    const yaml_node_t *root = yaml_document_get_root_node(&r->document);
    if (root == NULL || root->type != YAML_MAPPING_NODE)
        return sl_fail(r->err, SL_CONFIG, "not a kubeconfig: no mapping at its top");
    if (context == NULL)
        context = given(r, root, "current-context");
    if (context == NULL)
        return sl_fail(r->err, SL_CONFIG, "it has no current-context: set the option Context");
    const yaml_node_t *map = entry(r, "contexts", context, "context");
    if (map == NULL)
        return no_such_context(r, context);
    const char *cluster_name = given(r, map, "cluster");
    const char *user_name = given(r, map, "user");
    const yaml_node_t *cluster =
        cluster_name != NULL ? entry(r, "clusters", cluster_name, "cluster") : NULL;
    const yaml_node_t *user = user_name != NULL ? entry(r, "users", user_name, "user") : NULL;
    if (cluster == NULL)
        return sl_fail(r->err, SL_CONFIG,
                       "context \"%s\" names the cluster \"%s\", which is not there", context,
                       cluster_name != NULL ? cluster_name : "");
    if (user_name != NULL && user == NULL)
        return sl_fail(r->err, SL_CONFIG, "context \"%s\" names the user \"%s\", who is not there",
                       context, user_name);
    int code = copy(r, map, "namespace", &k->kube_namespace);
    if (code == SL_OK)
        code = read_cluster(r, cluster, k);
    if (code == SL_OK)
        code = read_user(r, user, k);
    return code;
}

int sl_kubeconfig_parse(const char *yaml, size_t len, const char *context, const char *folder,
                        struct sl_kubeconfig *ret, struct sl_error *err) {
    struct reader r = {.folder = folder, .err = err};
    yaml_parser_t parser;
    int code = SL_OK;
    *ret = (struct sl_kubeconfig){.server = NULL};
    if (!yaml_parser_initialize(&parser))
        return sl_fail(err, SL_NOMEM, "out of memory for a kubeconfig");
    yaml_parser_set_input_string(&parser, (const unsigned char *)yaml, len);
    if (!yaml_parser_load(&parser, &r.document)) {
        code = sl_fail(err, SL_CONFIG, "not YAML at line %zu: %s", parser.problem_mark.line + 1,
                       parser.problem != NULL ? parser.problem : "it ends too early");
    } else {
        code = read_context(&r, context, ret);
        yaml_document_delete(&r.document);
    }
    yaml_parser_delete(&parser);
    if (code != SL_OK)
        sl_kubeconfig_release(ret);
    return code;
}

void sl_kubeconfig_release(struct sl_kubeconfig *k) {
    char **texts[] = {&k->server,          &k->ca_path,
                      &k->ca_pem,          &k->tls_server_name,
                      &k->proxy_url,       &k->client_cert_path,
                      &k->client_cert_pem, &k->client_key_path,
                      &k->token_path,      &k->user,
                      &k->kube_namespace};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        free(*texts[i]);
        *texts[i] = NULL;
    }
    sl_secret_release(&k->client_key_pem);
    sl_secret_release(&k->token);
    sl_secret_release(&k->password);
}
