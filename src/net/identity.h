/* The files that say who we are to a server, and an HTTP client that is set up by them.
 *
 * Certificates and keys are read once. Secrets are read again every minute, and when the server
 * says no, so that one that was replaced costs nothing. A file that cannot be read leaves its
 * secret as it was. No secret stands in a log or an error.
 *
 * One thread at a time. */
#ifndef SL_NET_IDENTITY_H
#define SL_NET_IDENTITY_H

#include "base/log.h"
#include "net/http.h"
#include "net/options.h"

enum sl_identity_secret { SL_IDENTITY_PASSWORD, SL_IDENTITY_TOKEN, SL_IDENTITY_SESSION };

enum { SL_IDENTITY_SECRETS = 3 };

/* A file, and the option that names it for messages. path NULL: none. */
struct sl_identity_file {
    const char *option;
    const char *path;
};

struct sl_identity {
    struct sl_secret secrets[SL_IDENTITY_SECRETS]; /* for requests; unset where there is none */

    struct sl_identity_file files[SL_IDENTITY_SECRETS];
    struct sl_log log;
    int64_t read_ms;
    bool has_changed;
};

/* Paths must stay. Reads the files now, so that mistakes show at start: SL_CONFIG, SL_IO, with the
 * option's name. Release it even if this fails. */
int sl_identity_init(struct sl_identity *c,
                     const struct sl_identity_file files[SL_IDENTITY_SECRETS], struct sl_log log,
                     struct sl_error *err) SL_CHECKED;
void sl_identity_release(struct sl_identity *c);

/* Before a request: reads again what was read a minute ago. */
void sl_identity_refresh(struct sl_identity *c);

/* After 401 or 403: reads again; true if something has changed, so that it is worth another try. */
bool sl_identity_has_changed(struct sl_identity *c);

/* Puts user, password and token into a request: those of the files, or else of the options. They
 * stay valid until one of the two above is called. */
void sl_identity_sign(const struct sl_identity *c, const struct sl_http_options *options,
                      struct sl_http_request *request);

/* Says once, at a start, that VerifyPeer or VerifyHost is off. kind and name: "node", "prometheus".
 */
void sl_identity_warn(const struct sl_http_options *options, const struct sl_log *log,
                      const char *kind, const char *name);

/* sl_http_new() as the options say; reads the PEM files they name. log, for a key that others can
 * read, may be NULL where the table has no ClientKey. stop: see sl_http_new(). */
int sl_identity_open(const struct sl_http_options *options, bool use_http2,
                     const struct sl_log *log, const struct sl_wakeup *stop, struct sl_http **ret,
                     struct sl_error *err) SL_CHECKED;

#endif
