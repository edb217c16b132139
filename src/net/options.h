/* The options that every client of an HTTP server takes alike: rows for an option table, the struct
 * they fill, and what goes together. Names are those of collectd's curl and write_http.
 *
 * A table takes the rows that it has a use for; what it leaves out stays unset. */
#ifndef SL_NET_OPTIONS_H
#define SL_NET_OPTIONS_H

#include "base/option.h"
#include "base/secret.h"

/* All of it belongs to the option table. NULL, unset, false where the table has no such row. */
struct sl_http_options {
    char *user;
    struct sl_secret password;
    char *password_file;
    char *bearer_token_file;
    char *proxy; /* NULL: from the environment */
    char *ca_cert;
    bool verify_peer;
    bool verify_host;
    char *client_cert;
    char *client_key;
    int64_t timeout_ms;
};

/* The rows. target: the struct that the table fills; member: the struct sl_http_options in it;
 * peer: what the server is called in the manual, file: how names of example files begin, what: what
 * is sent ("request"), all three in quotes. (clang-format takes rows in a macro for statements.) */
/* clang-format off */
#define SL_HTTP_LOGIN_ROWS(target, member, peer, file)                                             \
    {.name = "User",                                                                               \
     .type = SL_OPTION_STRING,                                                                     \
     .offset = offsetof(target, member.user),                                                      \
     .example = "collectd",                                                                        \
     .help = "User name for HTTP basic authentication."},                                          \
    {.name = "Password",                                                                           \
     .type = SL_OPTION_SECRET,                                                                     \
     .offset = offsetof(target, member.password),                                                  \
     .example = "secret",                                                                          \
     .help = "Password for HTTP basic authentication. PasswordFile keeps it out of the "           \
             "configuration."},                                                                    \
    {.name = "PasswordFile",                                                                       \
     .type = SL_OPTION_PATH,                                                                       \
     .offset = offsetof(target, member.password_file),                                             \
     .example = "/etc/collectd/" file ".password",                                                 \
     .help = "File that holds the password and nothing else."},                                    \
    {.name = "BearerTokenFile",                                                                    \
     .type = SL_OPTION_PATH,                                                                       \
     .offset = offsetof(target, member.bearer_token_file),                                         \
     .example = "/etc/collectd/" file ".token",                                                    \
     .help = "File that holds a token, sent as \"Authorization: Bearer TOKEN\". It is read "       \
             "again every minute and when the " peer " answers 401 or 403, as PasswordFile is."}

#define SL_HTTP_PROXY_ROW(target, member, what)                                                    \
    {.name = "Proxy",                                                                              \
     .type = SL_OPTION_URL,                                                                        \
     .offset = offsetof(target, member.proxy),                                                     \
     .example = "http://proxy.example:3128",                                                       \
     .help = "Proxy for " what "s. Left out: as the environment variables http_proxy, "            \
             "https_proxy and no_proxy say."}

#define SL_HTTP_TRUST_ROWS(target, member, peer)                                                   \
    {.name = "CACert",                                                                             \
     .type = SL_OPTION_PATH,                                                                       \
     .offset = offsetof(target, member.ca_cert),                                                   \
     .example = "/etc/ssl/private-ca.pem",                                                         \
     .help = "File with CA certificates in PEM form, trusted in addition to the system's."},       \
    {.name = "VerifyPeer",                                                                         \
     .type = SL_OPTION_BOOLEAN,                                                                    \
     .offset = offsetof(target, member.verify_peer),                                               \
     .fallback = "true",                                                                           \
     .help = "Whether the " peer "'s certificate is verified."},                                   \
    {.name = "VerifyHost",                                                                         \
     .type = SL_OPTION_BOOLEAN,                                                                    \
     .offset = offsetof(target, member.verify_host),                                               \
     .fallback = "true",                                                                           \
     .help = "Whether the " peer "'s name is compared with its certificate."}

#define SL_HTTP_CLIENT_CERT_ROWS(target, member, peer)                                             \
    {.name = "ClientCert",                                                                         \
     .type = SL_OPTION_PATH,                                                                       \
     .offset = offsetof(target, member.client_cert),                                               \
     .example = "/etc/collectd/client.pem",                                                        \
     .help = "File with the certificate to show to the " peer ", in PEM form. Needs ClientKey."},  \
    {.name = "ClientKey",                                                                          \
     .type = SL_OPTION_PATH,                                                                       \
     .offset = offsetof(target, member.client_key),                                                \
     .example = "/etc/collectd/client.key",                                                        \
     .help = "File with the key of ClientCert, in PEM form and without a passphrase."}

#define SL_HTTP_TIMEOUT_ROW(target, member, default_ms, what)                                      \
    {.name = "Timeout",                                                                            \
     .type = SL_OPTION_INTEGER,                                                                    \
     .offset = offsetof(target, member.timeout_ms),                                                \
     .fallback = default_ms,                                                                       \
     .min = 1,                                                                                     \
     .max = 600000,                                                                                \
     .unit = "ms",                                                                                 \
     .help = "Longest time one " what " may take, in milliseconds."}

/* clang-format on */

/* Options that contradict each other: SL_CONFIG names both and says what to do. */
int sl_http_options_check(const struct sl_http_options *o, struct sl_error *err) SL_CHECKED;

#endif
