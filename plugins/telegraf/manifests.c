/* spacelift-pool manifests: what the cluster needs, as YAML. */
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "arguments.h"
#include "base/base64.h"
#include "base/limits.h"
#include "kubernetes/manifests.h"
#include "print.h"
#include "spacelift/key_file.h"

struct manifests_settings {
    char *kube_namespace;
    char *worker_pool;
    int64_t pool_size;
    char *service_account;
    char *private_key_path;
    char *pool_config_path;
    char *api_key_path;
};

#define SETTING(member) offsetof(struct manifests_settings, member)

static const struct sl_option manifests_options[] = {
    {.name = "WorkerPool",
     .type = SL_OPTION_STRING,
     .offset = SETTING(worker_pool),
     .flags = SL_OPTION_REQUIRED,
     .example = "my-amazing-worker-pool",
     .help = "The name of the WorkerPool resource. Give it the pool's name in Spacelift where "
             "Kubernetes allows that name, and nothing else needs to be told which belongs to "
             "which."},
    {.name = "Namespace",
     .type = SL_OPTION_STRING,
     .offset = SETTING(kube_namespace),
     .fallback = SL_MANIFESTS_NAMESPACE,
     .help = "The namespace, which is made."},
    {.name = "PoolSize",
     .type = SL_OPTION_INTEGER,
     .offset = SETTING(pool_size),
     .fallback = "1",
     .min = 0,
     .max = SL_LIMIT_WORKERS,
     .unit = "workers",
     .help = "The size to begin with."},
    {.name = "PrivateKey",
     .type = SL_OPTION_PATH,
     .offset = SETTING(private_key_path),
     .example = "spacelift.key",
     .help = "The private key that spacelift-pool csr or openssl has made. Without it and "
             "PoolConfig the secret of the pool is left out."},
    {.name = "PoolConfig",
     .type = SL_OPTION_PATH,
     .offset = SETTING(pool_config_path),
     .example = "worker-pool-01HQZX9K7P2M3N4Q5R6S7T8U9V.config",
     .help = "The file that was downloaded when the worker pool was made."},
    {.name = "APIKeyConfig",
     .type = SL_OPTION_PATH,
     .offset = SETTING(api_key_path),
     .example = "api-key-01HQZX9K7P2M3N4Q5R6S7T8U9V.config",
     .help = "The file that was downloaded when the API key was made, of any layout; only "
             "needed for Spacelift's own exporter in the cluster."},
    {.name = "ServiceAccount",
     .type = SL_OPTION_STRING,
     .offset = SETTING(service_account),
     .fallback = SL_MANIFESTS_ACCOUNT,
     .help = "The service account that may resize the pool."},
    {.name = NULL},
};

static const struct sl_option_block manifests_block = {.name = "manifests",
                                                       .options = manifests_options};

struct secrets {
    struct sl_secret key;
    struct sl_secret token;
    struct sl_secret api;
};

static int read_text(const char *path, struct sl_buffer *text, struct sl_error *err) {
    sl_buffer_reserve(text, SL_LIMIT_SECRET_FILE_BYTES); /* once: growing leaves copies behind */
    return sl_read_input(path, text, err);
}

static int read_private_key(const char *path, struct sl_secret *ret, struct sl_error *err) {
    struct sl_buffer text;
    sl_buffer_init(&text, SL_LIMIT_SECRET_FILE_BYTES);
    int code = read_text(path, &text, err);
    if (code == SL_OK && strstr(text.data, "PRIVATE KEY-----") == NULL)
        code = sl_fail(err, SL_CONFIG,
                       "%s is no private key in PEM: it must begin with \"-----BEGIN PRIVATE "
                       "KEY-----\"%s",
                       path,
                       strstr(text.data, "CERTIFICATE REQUEST") != NULL
                           ? "; this is the signing request, the key is the other file"
                           : "");
    if (code == SL_OK)
        code = sl_secret_set(ret, text.data, text.len, err);
    sl_buffer_wipe(&text);
    return code;
}

/* One word of base64, without the line ends that an editor adds. */
static int read_pool_config(const char *path, struct sl_secret *ret, struct sl_error *err) {
    struct sl_buffer text, decoded;
    sl_buffer_init(&text, SL_LIMIT_SECRET_FILE_BYTES);
    sl_buffer_init(&decoded, SL_LIMIT_SECRET_FILE_BYTES);
    int code = read_text(path, &text, err);
    if (code == SL_OK)
        code = sl_secret_set_trimmed(ret, text.data, text.len, err);
    if (code == SL_OK &&
        (ret->len == 0 || sl_base64_decode(ret->text, ret->len, &decoded, NULL) != SL_OK))
        code = sl_fail(err, SL_CONFIG,
                       "%s is not the file of a worker pool, which holds one long word of base64. "
                       "It is the one that was downloaded when the pool was made, not that of the "
                       "API key",
                       path);
    sl_buffer_wipe(&decoded);
    sl_buffer_wipe(&text);
    return code;
}

static int read_api_key(const char *path, struct sl_secret *ret, struct sl_error *err) {
    struct sl_buffer text;
    sl_buffer_init(&text, SL_LIMIT_SECRET_FILE_BYTES);
    int code = read_text(path, &text, err);
    if (code == SL_OK) {
        code = sl_key_file_parse(text.data, text.len, ret, NULL, err);
        if (code != SL_OK)
            sl_error_prefix(err, "%s", path);
    }
    sl_buffer_wipe(&text);
    return code;
}

static int read_secrets(const struct manifests_settings *s, struct secrets *ret,
                        struct sl_error *err) {
    int code = SL_OK;
    if (s->private_key_path != NULL)
        code = read_private_key(s->private_key_path, &ret->key, err);
    if (code == SL_OK && s->pool_config_path != NULL)
        code = read_pool_config(s->pool_config_path, &ret->token, err);
    if (code == SL_OK && s->api_key_path != NULL)
        code = read_api_key(s->api_key_path, &ret->api, err);
    return code;
}

static const struct sl_secret *if_set(const struct sl_secret *secret) {
    return sl_secret_is_set(secret) ? secret : NULL;
}

static int print(const struct manifests_settings *s, const struct secrets *secrets,
                 struct sl_buffer *out, struct sl_error *err) {
    struct sl_manifests m = {
        .kube_namespace = s->kube_namespace,
        .worker_pool = s->worker_pool,
        .pool_size = s->pool_size,
        .service_account = s->service_account,
        .private_key_pem = if_set(&secrets->key),
        .pool_token = if_set(&secrets->token),
        .api_key_secret = if_set(&secrets->api),
    };
    return sl_manifests_print(&m, out, err);
}

static enum sl_exit run(const struct sl_arguments *arguments) {
    struct manifests_settings settings = {.kube_namespace = NULL};
    struct secrets secrets = {.key = SL_SECRET_INIT};
    struct sl_error err = SL_ERROR_INIT;
    struct sl_buffer text;
    enum sl_exit status = SL_EXIT_FAILED;
    sl_buffer_init(&text, SL_PRINT_MAX_BYTES);
    sl_buffer_reserve(&text, 1024 * 1024);
    int code = sl_arguments_read(arguments, manifests_options, &settings, &err);
    if (code == SL_OK)
        code = read_secrets(&settings, &secrets, &err);
    if (code == SL_OK)
        code = print(&settings, &secrets, &text, &err);
    if (code != SL_OK)
        status = sl_complain(arguments, &err);
    else if (sl_print(&text))
        status = SL_EXIT_OK;
    if (code == SL_OK && isatty(STDOUT_FILENO) &&
        (sl_secret_is_set(&secrets.token) || sl_secret_is_set(&secrets.api)))
        fputs("spacelift-pool manifests: there are secrets above: clear the screen, and pipe them "
              "into kubectl apply -f - next time\n",
              stderr);
    sl_buffer_wipe(&text);
    sl_secret_release(&secrets.key);
    sl_secret_release(&secrets.token);
    sl_secret_release(&secrets.api);
    sl_option_release(manifests_options, &settings);
    return status;
}

const struct sl_command sl_command_manifests = {
    .name = "manifests",
    .summary = "print what the cluster needs for a worker pool, for kubectl apply -f -",
    .help = "Prints steps 4 and 6 of Spacelift's tutorial as YAML: the namespace, the secrets made "
            "of the files\nthat were downloaded, the WorkerPool, and a service account that may "
            "read and write the size of\nthis pool and nothing else.\n\n"
            "  spacelift-pool manifests --worker-pool my-amazing-worker-pool --private-key "
            "spacelift.key \\\n      --pool-config worker-pool-ID.config | kubectl apply -f -\n\n"
            "The controller itself (step 5) is a Helm chart of Spacelift's: install it between the "
            "two, or apply\ntwice.",
    .groups =
        {
            {"What is made", &manifests_block, NULL},
        },
    .run = run,
};
