/* The files that say who we are to a server. */
#include "net/identity.h"

#include "base/limits.h"
#include "os/clock.h"
#include "os/file.h"

enum { READ_AGAIN_MS = 60 * 1000 };

static int read_secret(const struct sl_identity_file *file, const struct sl_log *log,
                       struct sl_secret *ret, struct sl_error *err) {
    int code = file->path != NULL ? sl_file_read_secret(file->path, ret, log, err) : SL_OK;
    if (code != SL_OK && err != NULL)
        sl_error_prefix(err, "option %s", file->option);
    return code;
}

/* Replaces what has changed. */
static int read_all(struct sl_identity *c, struct sl_error *err) {
    c->read_ms = sl_clock_monotonic_ms();
    for (size_t i = 0; i < SL_IDENTITY_SECRETS; i++) {
        struct sl_secret fresh = SL_SECRET_INIT;
        int code = read_secret(&c->files[i], &c->log, &fresh, err);
        if (code != SL_OK)
            return code;
        if (c->files[i].path == NULL || sl_secret_equal(&fresh, &c->secrets[i])) {
            sl_secret_release(&fresh);
            continue;
        }
        sl_secret_release(&c->secrets[i]);
        c->secrets[i] = fresh;
        c->has_changed = true;
    }
    return SL_OK;
}

int sl_identity_init(struct sl_identity *c,
                     const struct sl_identity_file files[SL_IDENTITY_SECRETS], struct sl_log log,
                     struct sl_error *err) {
    *c = (struct sl_identity){.log = log};
    for (size_t i = 0; i < SL_IDENTITY_SECRETS; i++)
        c->files[i] = files[i];
    return read_all(c, err);
}

void sl_identity_release(struct sl_identity *c) {
    for (size_t i = 0; i < SL_IDENTITY_SECRETS; i++)
        sl_secret_release(&c->secrets[i]);
}

void sl_identity_refresh(struct sl_identity *c) {
    if (sl_clock_monotonic_ms() - c->read_ms >= READ_AGAIN_MS)
        (void)!read_all(c, NULL);
}

bool sl_identity_has_changed(struct sl_identity *c) {
    c->has_changed = false;
    (void)!read_all(c, NULL);
    return c->has_changed;
}

void sl_identity_sign(const struct sl_identity *c, const struct sl_http_options *o,
                      struct sl_http_request *request) {
    const struct sl_secret *token = &c->secrets[SL_IDENTITY_TOKEN];
    const struct sl_secret *file = &c->secrets[SL_IDENTITY_PASSWORD];
    const struct sl_secret *password = sl_secret_is_set(file) ? file : &o->password;
    request->bearer = sl_secret_is_set(token) ? token : NULL;
    request->user = o->user;
    request->password = sl_secret_is_set(password) ? password : NULL;
}

void sl_identity_warn(const struct sl_http_options *o, const struct sl_log *log, const char *kind,
                      const char *name) {
    if (!o->verify_peer || !o->verify_host)
        sl_log(log, SL_LOG_WARNING,
               "%s \"%s\": the server is not verified (%s false): anybody in between can read and "
               "change what is sent; name its CA with CACert instead",
               kind, name, !o->verify_peer ? "VerifyPeer" : "VerifyHost");
}

static int read_pem(const char *option, const char *path, struct sl_buffer *out,
                    struct sl_error *err) {
    int code = path != NULL ? sl_file_read(path, out, err) : SL_OK;
    if (code != SL_OK && err != NULL)
        sl_error_prefix(err, "option %s", option);
    return code;
}

int sl_identity_open(const struct sl_http_options *o, bool use_http2, const struct sl_log *log,
                     const struct sl_wakeup *stop, struct sl_http **ret, struct sl_error *err) {
    struct sl_buffer ca, cert;
    struct sl_secret key = SL_SECRET_INIT;
    struct sl_identity_file key_file = {"ClientKey", o->client_key};
    sl_buffer_init(&ca, SL_LIMIT_CA_FILE_BYTES);
    sl_buffer_init(&cert, SL_LIMIT_CA_FILE_BYTES);
    int code = read_pem("CACert", o->ca_cert, &ca, err);
    if (code == SL_OK)
        code = read_pem("ClientCert", o->client_cert, &cert, err);
    if (code == SL_OK)
        code = read_secret(&key_file, log, &key, err);
    if (code == SL_OK) {
        struct sl_http_settings settings = {
            .timeout_ms = o->timeout_ms,
            .insecure_peer = !o->verify_peer,
            .insecure_host = !o->verify_host,
            .ca_pem = o->ca_cert != NULL ? ca.data : NULL,
            .client_cert_pem = o->client_cert != NULL ? cert.data : NULL,
            .client_key_pem = o->client_key != NULL ? &key : NULL,
            .proxy = o->proxy,
            .use_http2 = use_http2,
        };
        code = sl_http_new(&settings, stop, ret, err);
        /* Where there is more than one file the message says which it means. */
        if (code == SL_CONFIG && err != NULL && o->ca_cert != NULL && o->client_cert == NULL)
            sl_error_prefix(err, "option CACert: %s", o->ca_cert);
    }
    sl_buffer_release(&ca);
    sl_buffer_release(&cert);
    sl_secret_release(&key);
    return code;
}
