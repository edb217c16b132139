/* Reads kubeconfigs, token files and the pod's files, and runs exec programs. */
#include "kubernetes/credentials.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/token.h"
#include "kubernetes/exec_credential.h"
#include "kubernetes/kubeconfig.h"
#include "net/tls.h"
#include "os/child.h"
#include "os/clock.h"
#include "os/file.h"

#define POD_FOLDER "/var/run/secrets/kubernetes.io/serviceaccount"

enum {
    TOKEN_READ_AGAIN_MS = 60 * 1000,
    RENEW_PAUSE_MS =
        3000, /* a server that keeps saying 401 does not make us run programs all day */
    MAX_FILES = 32,
};

/* Everything that a login is made of, read. */
struct material {
    struct sl_kubeconfig config;
    struct sl_secret token; /* of the token file */
    struct sl_exec_credential printed;
    bool has_printed;
};

struct sl_kube_credentials {
    pthread_mutex_t lock;
    struct sl_kube_settings settings;
    const struct sl_wakeup *stop;
    const struct sl_log *log;
    struct material now;
    char *kube_namespace;
    uint64_t serial;
    uint64_t connection;
    int64_t token_read_ms;
    int64_t renewed_ms; /* 0: never */
    struct sl_complaint complaint;
    struct sl_error exec_failure; /* of exec_failed_ms */
    int64_t exec_failed_ms;       /* 0: it works */
};

static int out_of_memory(struct sl_error *err) {
    return sl_fail(err, SL_NOMEM, "out of memory for a Kubernetes client");
}

/* ---- kubeconfig files ---- */

static void release_material(struct material *m) {
    sl_kubeconfig_release(&m->config);
    sl_secret_release(&m->token);
    sl_exec_credential_release(&m->printed);
    m->has_printed = false;
}

struct files {
    struct sl_kubeconfig_file list[MAX_FILES];
    struct sl_buffer texts[MAX_FILES];
    size_t count;
};

/* Of several files those that do not exist are passed over, as kubectl does. */
static int read_files(char *paths, struct files *f, struct sl_error *err) {
    bool are_several = strchr(paths, ':') != NULL;
    char *rest = NULL;
    for (char *path = strtok_r(paths, ":", &rest); path != NULL;
         path = strtok_r(NULL, ":", &rest)) {
        struct sl_buffer *text = &f->texts[f->count];
        if (are_several && access(path, F_OK) != 0 && errno == ENOENT)
            continue;
        if (f->count == MAX_FILES)
            return sl_fail(err, SL_CONFIG, "more than %d kubeconfig files", (int)MAX_FILES);
        sl_buffer_init(text, SL_LIMIT_CONFIG_FILE_BYTES);
        f->count++;
        int code = sl_file_read(path, text, err);
        if (code != SL_OK)
            return code;
        f->list[f->count - 1] =
            (struct sl_kubeconfig_file){.path = path, .yaml = text->data, .len = text->len};
    }
    if (f->count == 0)
        return sl_fail(err, SL_CONFIG, "none of the kubeconfig files exists");
    return SL_OK;
}

static int read_kubeconfig(const char *list, const char *context, struct sl_kubeconfig *ret,
                           struct sl_error *err) {
    struct files *f = calloc(1, sizeof(*f));
    char *paths = strdup(list);
    int code = f != NULL && paths != NULL ? SL_OK : out_of_memory(err);
    if (code == SL_OK)
        code = read_files(paths, f, err);
    if (code == SL_OK)
        code = sl_kubeconfig_parse(f->list, f->count, context, ret, err);
    for (size_t i = 0; f != NULL && i < f->count; i++)
        sl_buffer_wipe(&f->texts[i]);
    free(paths);
    free(f);
    return code;
}

/* ---- the pod ---- */

static int copy(const char *text, char **ret, struct sl_error *err) {
    *ret = strdup(text);
    return *ret != NULL ? SL_OK : out_of_memory(err);
}

static int find_pod_namespace(struct sl_kubeconfig *k, struct sl_error *err) {
    const char *from_environment = getenv("POD_NAMESPACE");
    if (from_environment != NULL && from_environment[0] != '\0')
        return copy(from_environment, &k->kube_namespace, err);
    struct sl_buffer text;
    sl_buffer_init(&text, 256);
    if (sl_file_read(POD_FOLDER "/namespace", &text, NULL) == SL_OK && text.len > 0)
        k->kube_namespace = strndup(text.data, strcspn(text.data, " \t\r\n"));
    sl_buffer_release(&text);
    return SL_OK;
}

static int use_pod(struct sl_kubeconfig *k, struct sl_error *err) {
    const char *host = getenv("KUBERNETES_SERVICE_HOST");
    const char *port = getenv("KUBERNETES_SERVICE_PORT");
    if (host == NULL || port == NULL || host[0] == '\0' || port[0] == '\0')
        return sl_fail(err, SL_CONFIG,
                       "no KubeConfig is given, and this is not a pod of a cluster: set KubeConfig "
                       "in <Cluster>");
    bool is_ipv6 = strchr(host, ':') != NULL;
    size_t size = strlen(host) + strlen(port) + sizeof("https://[]:");
    k->server = malloc(size);
    if (k->server == NULL)
        return out_of_memory(err);
    (void)snprintf(k->server, size, "https://%s%s%s:%s", is_ipv6 ? "[" : "", host,
                   is_ipv6 ? "]" : "", port);
    int code = copy(POD_FOLDER "/token", &k->token_path, err);
    if (code == SL_OK)
        code = copy(POD_FOLDER "/ca.crt", &k->ca_path, err);
    return code == SL_OK ? find_pod_namespace(k, err) : code;
}

/* ---- all of it ---- */

static int read_text(const char *path, const char *what, char **ret, struct sl_error *err) {
    struct sl_buffer text;
    if (path == NULL || *ret != NULL)
        return SL_OK;
    sl_buffer_init(&text, SL_LIMIT_CA_FILE_BYTES);
    int code = sl_file_read(path, &text, err);
    if (code == SL_OK)
        *ret = sl_buffer_steal(&text);
    else if (err != NULL)
        sl_error_prefix(err, "%s", what);
    sl_buffer_release(&text);
    return code;
}

static int read_secret(const char *path, const char *what, struct sl_secret *ret,
                       const struct sl_log *log, struct sl_error *err) {
    if (path == NULL || sl_secret_is_set(ret))
        return SL_OK;
    int code = sl_file_read_secret(path, ret, log, err);
    if (code != SL_OK && err != NULL)
        sl_error_prefix(err, "%s", what);
    return code;
}

static int read_material(const struct sl_kube_credentials *c, const struct sl_log *log,
                         struct material *ret, struct sl_error *err) {
    const struct sl_kube_settings *s = &c->settings;
    struct material m = {.printed = {.expires_ms = INT64_MAX}};
    struct sl_kubeconfig *k = &m.config;
    int code = s->kubeconfig_path != NULL ? read_kubeconfig(s->kubeconfig_path, s->context, k, err)
                                          : use_pod(k, err);
    if (code == SL_OK)
        code = read_text(k->ca_path, "certificate-authority", &k->ca_pem, err);
    if (code == SL_OK)
        code = read_text(k->client_cert_path, "client-certificate", &k->client_cert_pem, err);
    if (code == SL_OK)
        code = read_secret(k->client_key_path, "client-key", &k->client_key_pem, log, err);
    if (code == SL_OK)
        code = read_secret(k->token_path, "tokenFile", &m.token, log, err);
    if (code == SL_OK)
        *ret = m;
    else
        release_material(&m);
    return code;
}

static bool is_same_text(const char *a, const char *b) {
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static bool is_same_secret(const struct sl_secret *a, const struct sl_secret *b) {
    return sl_secret_is_set(a) == sl_secret_is_set(b) &&
           (!sl_secret_is_set(a) || sl_secret_equal(a, b));
}

static bool is_same_connection(const struct material *a, const struct material *b) {
    const struct sl_kubeconfig *x = &a->config;
    const struct sl_kubeconfig *y = &b->config;
    return is_same_text(x->server, y->server) && is_same_text(x->ca_pem, y->ca_pem) &&
           is_same_text(x->client_cert_pem, y->client_cert_pem) &&
           is_same_secret(&x->client_key_pem, &y->client_key_pem) &&
           is_same_text(x->tls_server_name, y->tls_server_name) &&
           is_same_text(x->proxy_url, y->proxy_url) && x->is_insecure == y->is_insecure &&
           is_same_text(a->printed.cert_pem, b->printed.cert_pem) &&
           is_same_secret(&a->printed.key_pem, &b->printed.key_pem);
}

static const struct sl_secret *token_of(const struct material *m) {
    if (m->has_printed)
        return &m->printed.token;
    return sl_secret_is_set(&m->token) ? &m->token : &m->config.token;
}

/* Takes m, whatever it holds. True if it is not what was there. */
static bool replace(struct sl_kube_credentials *c, struct material *m) {
    bool is_same_way = is_same_connection(&c->now, m);
    bool is_same = is_same_way && is_same_secret(token_of(&c->now), token_of(m));
    release_material(&c->now);
    c->now = *m;
    c->connection += !is_same_way;
    c->serial += !is_same;
    return !is_same;
}

/* ---- exec ---- */

static int run_program(struct sl_kube_credentials *c, struct material *m, struct sl_error *err) {
    const struct sl_kube_exec *exec = &m->config.exec;
    struct sl_buffer info;
    struct sl_buffer out;
    char said[SL_CHILD_SAID_BYTES] = "";
    char **environment = NULL;
    size_t count = 0;
    while (exec->environment[count] != NULL)
        count++;
    environment = calloc(count + 2, sizeof(*environment));
    if (environment == NULL)
        return out_of_memory(err);
    sl_buffer_init(&info, SL_LIMIT_CONFIG_FILE_BYTES);
    sl_buffer_init(&out, 2 * (size_t)SL_LIMIT_SECRET_FILE_BYTES);
    sl_buffer_reserve(&out, 2 * (size_t)SL_LIMIT_SECRET_FILE_BYTES);
    sl_exec_credential_ask(&m->config, m->config.ca_pem, &info);
    for (size_t i = 0; i < count; i++)
        environment[i] = exec->environment[i];
    environment[count] = info.data;
    struct sl_child_settings child = {
        .argv = exec->argv,
        .environment = environment,
        .hidden_prefix = "SPACELIFT_",
        .timeout_ms = c->settings.exec_timeout_ms,
    };
    int code = sl_buffer_check(&info, "KUBERNETES_EXEC_INFO", err);
    if (code == SL_OK)
        code = sl_child_run(&child, c->stop, &out, said, err);
    if (code == SL_OK) {
        sl_exec_credential_release(&m->printed);
        code = sl_exec_credential_parse(out.data, out.len, exec->api_version, &m->printed, err);
        m->has_printed = code == SL_OK;
        if (code != SL_OK && err != NULL)
            sl_fail(err, (enum sl_code)code, "%s printed %s%s%s", exec->argv[0], err->text,
                    said[0] != '\0' ? " and said: " : "", said);
    }
    free(environment);
    sl_buffer_wipe(&out);
    sl_buffer_release(&info);
    return code;
}

/* A failure of the program is a failure to log in: the cluster is left alone for a while. */
static int log_in_by_program(struct sl_kube_credentials *c, struct material *m,
                             struct sl_error *err) {
    struct sl_error why = SL_ERROR_INIT;
    int64_t now_ms = sl_clock_monotonic_ms();
    if (c->exec_failed_ms != 0 && now_ms - c->exec_failed_ms < RENEW_PAUSE_MS) {
        if (err != NULL)
            *err = c->exec_failure;
        return c->exec_failure.code;
    }
    int code = run_program(c, m, &why);
    if (code == SL_OK) {
        c->exec_failed_ms = 0;
        return SL_OK;
    }
    if (code == SL_NOTFOUND && m->config.exec.install_hint != NULL)
        sl_fail(&why, SL_AUTH, "cannot log in: %s; %s", why.text, m->config.exec.install_hint);
    else if (code != SL_CANCELED)
        sl_fail(&why, SL_AUTH, "cannot log in: %s", why.text);
    if (code != SL_CANCELED) {
        c->exec_failure = why;
        c->exec_failed_ms = sl_clock_monotonic_ms();
    }
    if (err != NULL)
        *err = why;
    return why.code;
}

/* ---- life ---- */

static const char *non_empty(const char *text) {
    return text != NULL && text[0] != '\0' ? text : NULL;
}

int sl_kube_credentials_new(const struct sl_kube_settings *settings, const struct sl_wakeup *stop,
                            const struct sl_log *log, struct sl_kube_credentials **ret,
                            struct sl_error *err) {
    struct sl_kube_credentials *c = calloc(1, sizeof(*c));
    if (c == NULL)
        return out_of_memory(err);
    c->settings = *settings;
    c->stop = stop;
    c->log = log;
    c->serial = 1;
    c->connection = 1;
    c->now.printed.expires_ms = INT64_MAX;
    if (settings->kubeconfig_path == NULL)
        c->settings.kubeconfig_path = non_empty(getenv("KUBECONFIG"));
    if (pthread_mutex_init(&c->lock, NULL) != 0) {
        free(c);
        return out_of_memory(err);
    }
    int code = read_material(c, log, &c->now, err);
    if (code == SL_OK) {
        const char *name = c->now.config.kube_namespace;
        code = copy(name != NULL ? name : "default", &c->kube_namespace, err);
    }
    c->token_read_ms = sl_clock_monotonic_ms();
    if (code != SL_OK)
        sl_kube_credentials_free(c);
    else
        *ret = c;
    return code;
}

void sl_kube_credentials_free(struct sl_kube_credentials *c) {
    if (c == NULL)
        return;
    release_material(&c->now);
    free(c->kube_namespace);
    (void)pthread_mutex_destroy(&c->lock);
    free(c);
}

const char *sl_kube_credentials_namespace(const struct sl_kube_credentials *c) {
    return c->kube_namespace;
}

/* ---- up to date ---- */

/* Keeps the old token where the new one cannot be read: a projected volume is replaced in place. */
static void read_token_again(struct sl_kube_credentials *c) {
    struct sl_error err = SL_ERROR_INIT;
    struct sl_secret fresh = SL_SECRET_INIT;
    int64_t now_ms = sl_clock_monotonic_ms();
    c->token_read_ms = now_ms;
    if (sl_file_read_secret(c->now.config.token_path, &fresh, NULL, &err) == SL_OK) {
        c->serial += !is_same_secret(&fresh, &c->now.token);
        sl_secret_release(&c->now.token);
        c->now.token = fresh;
        (void)sl_complaint_succeeded(&c->complaint, now_ms, NULL, NULL);
    } else if (sl_complaint_failed(&c->complaint, err.text, now_ms)) {
        sl_log(c->log, SL_LOG_WARNING, "%s; the token read before is used", err.text);
    }
}

static int run_if_needed(struct sl_kube_credentials *c, struct sl_error *err) {
    struct material *m = &c->now;
    if (m->config.exec.argv == NULL ||
        (m->has_printed && sl_clock_realtime_ms() < m->printed.expires_ms))
        return SL_OK;
    struct material before = *m;
    m->printed = (struct sl_exec_credential){.expires_ms = INT64_MAX};
    m->has_printed = false;
    int code = log_in_by_program(c, m, err);
    if (code == SL_OK) {
        c->connection += !is_same_text(before.printed.cert_pem, m->printed.cert_pem) ||
                         !is_same_secret(&before.printed.key_pem, &m->printed.key_pem);
        c->serial++;
    }
    sl_exec_credential_release(&before.printed);
    return code;
}

static int connect_anew(const struct sl_kube_credentials *c, const struct sl_wakeup *stop,
                        struct sl_kube_login *login, struct sl_error *err) {
    const struct sl_kubeconfig *k = &c->now.config;
    bool is_printed = c->now.has_printed && c->now.printed.cert_pem != NULL;
    const struct sl_secret *key = is_printed ? &c->now.printed.key_pem : &k->client_key_pem;
    struct sl_http_settings settings = {
        .timeout_ms = c->settings.timeout_ms,
        .insecure_peer = k->is_insecure,
        .insecure_host = k->is_insecure,
        .ca_mode = SL_HTTP_CA_REPLACE,
        .ca_pem = k->ca_pem,
        .client_cert_pem = is_printed ? c->now.printed.cert_pem : k->client_cert_pem,
        .client_key_pem = sl_secret_is_set(key) ? key : NULL,
        .tls_server_name = k->tls_server_name,
        .proxy = k->proxy_url,
    };
    struct sl_http *http = NULL;
    char *server = strdup(k->server);
    int code = server != NULL ? sl_http_new(&settings, stop, &http, err) : out_of_memory(err);
    if (code != SL_OK) {
        free(server);
        return code;
    }
    sl_http_free(login->http);
    free(login->server);
    login->http = http;
    login->server = server;
    login->connection = c->connection;
    return SL_OK;
}

static int fill(const struct sl_kube_credentials *c, const struct sl_wakeup *stop,
                struct sl_kube_login *login, struct sl_error *err) {
    const struct sl_secret *token = token_of(&c->now);
    int code = SL_OK;
    if (login->serial == c->serial)
        return SL_OK;
    if (login->connection != c->connection)
        code = connect_anew(c, stop, login, err);
    if (code == SL_OK && sl_secret_is_set(token))
        code = sl_secret_set(&login->token, token->text, token->len, err);
    else if (code == SL_OK)
        sl_secret_release(&login->token);
    if (code == SL_OK)
        login->serial = c->serial;
    return code;
}

int sl_kube_credentials_log_in(struct sl_kube_credentials *c, const struct sl_wakeup *stop,
                               struct sl_kube_login *login, struct sl_error *err) {
    (void)pthread_mutex_lock(&c->lock);
    if (c->now.config.token_path != NULL &&
        sl_clock_monotonic_ms() - c->token_read_ms >= TOKEN_READ_AGAIN_MS)
        read_token_again(c);
    int code = run_if_needed(c, err);
    if (code == SL_OK)
        code = fill(c, stop, login, err);
    (void)pthread_mutex_unlock(&c->lock);
    return code;
}

static bool read_all_again(struct sl_kube_credentials *c) {
    struct sl_error err = SL_ERROR_INIT;
    struct material m = {.has_printed = false};
    int64_t now_ms = sl_clock_monotonic_ms();
    c->renewed_ms = now_ms;
    int code = read_material(c, NULL, &m, &err);
    if (code == SL_OK && m.config.exec.argv != NULL) {
        code = log_in_by_program(c, &m, &err);
        if (code != SL_OK)
            release_material(&m);
    }
    if (code == SL_OK) {
        (void)sl_complaint_succeeded(&c->complaint, now_ms, NULL, NULL);
        return replace(c, &m);
    }
    if (code != SL_CANCELED && sl_complaint_failed(&c->complaint, err.text, now_ms))
        sl_log(c->log, SL_LOG_WARNING, "%s; what was read before is used", err.text);
    return false;
}

bool sl_kube_credentials_renew(struct sl_kube_credentials *c, const struct sl_kube_login *login) {
    (void)pthread_mutex_lock(&c->lock);
    bool is_new = login->serial != c->serial; /* another thread has been here */
    if (!is_new &&
        (c->renewed_ms == 0 || sl_clock_monotonic_ms() - c->renewed_ms >= RENEW_PAUSE_MS))
        is_new = read_all_again(c);
    (void)pthread_mutex_unlock(&c->lock);
    return is_new;
}

struct sl_kube_expiry sl_kube_credentials_expiry(const struct sl_kube_credentials *c) {
    struct sl_kube_expiry expiry = {.token_s = 0};
    struct material m;
    if (read_material(c, NULL, &m, NULL) != SL_OK)
        return expiry;
    if (m.config.client_cert_pem != NULL)
        expiry.client_certificate_s = sl_tls_expiry(m.config.client_cert_pem);
    expiry.token_s = sl_token_expiry(token_of(&m));
    release_material(&m);
    return expiry;
}

void sl_kube_login_release(struct sl_kube_login *login) {
    sl_http_free(login->http);
    free(login->server);
    sl_secret_release(&login->token);
    *login = (struct sl_kube_login){.serial = 0};
}
