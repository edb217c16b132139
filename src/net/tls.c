/* TLS material from memory, by OpenSSL. */
#include "net/tls.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include "base/civil.h"

struct sl_tls {
    STACK_OF(X509) * ca; /* NULL: the system's only */
    bool replace_system_ca;
    STACK_OF(X509) * client_chain; /* the certificate itself first; NULL: none */
    EVP_PKEY *client_key;
};

static const char *openssl_reason(void) {
    const char *reason = ERR_reason_error_string(ERR_peek_last_error());
    ERR_clear_error();
    return reason != NULL ? reason : "no reason given";
}

static BIO *open_text(const char *text, size_t len) {
    return len > INT_MAX ? NULL : BIO_new_mem_buf(text, (int)len);
}

static int read_certificates(const char *what, const char *pem, STACK_OF(X509) * *ret,
                             struct sl_error *err) {
    BIO *in = open_text(pem, strlen(pem));
    STACK_OF(X509) *list = sk_X509_new_null();
    int code = in == NULL || list == NULL ? sl_fail(err, SL_NOMEM, "out of memory for the %s", what)
                                          : SL_OK;
    ERR_clear_error();
    while (code == SL_OK) {
        X509 *certificate = PEM_read_bio_X509(in, NULL, NULL, NULL);
        if (certificate == NULL)
            break;
        if (sk_X509_push(list, certificate) == 0) {
            X509_free(certificate);
            code = sl_fail(err, SL_NOMEM, "out of memory for the %s", what);
        }
    }
    /* PEM_R_NO_START_LINE after at least one certificate is simply the end. */
    if (code == SL_OK && sk_X509_num(list) == 0)
        code = sl_fail(err, SL_CONFIG, "the %s holds no readable PEM certificate: %s", what,
                       openssl_reason());
    else if (code == SL_OK && ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
        code = sl_fail(err, SL_CONFIG, "the %s holds a broken PEM certificate: %s", what,
                       openssl_reason());
    ERR_clear_error();
    BIO_free(in);
    if (code != SL_OK)
        sk_X509_pop_free(list, X509_free);
    else
        *ret = list;
    return code;
}

static int no_passphrase(char *buffer, int size, int writing, void *context) {
    (void)buffer, (void)size, (void)writing, (void)context;
    return 0; /* or OpenSSL would ask on the daemon's terminal */
}

static int read_key(const struct sl_secret *pem, X509 *certificate, EVP_PKEY **ret,
                    struct sl_error *err) {
    BIO *in = open_text(pem->text, pem->len);
    if (in == NULL)
        return sl_fail(err, SL_NOMEM, "out of memory for the client key");
    EVP_PKEY *key = PEM_read_bio_PrivateKey(in, NULL, no_passphrase, NULL);
    BIO_free(in);
    if (key == NULL)
        return sl_fail(err, SL_CONFIG,
                       "the client key is not readable (PEM, without a passphrase): %s",
                       openssl_reason());
    if (X509_check_private_key(certificate, key) != 1) {
        EVP_PKEY_free(key);
        return sl_fail(err, SL_CONFIG, "the client key does not belong to the client certificate");
    }
    *ret = key;
    return SL_OK;
}

int sl_tls_new(const char *ca_pem, bool replace_system_ca, const char *client_cert_pem,
               const struct sl_secret *client_key_pem, struct sl_tls **ret, struct sl_error *err) {
    struct sl_tls *tls = calloc(1, sizeof(*tls));
    if (tls == NULL)
        return sl_fail(err, SL_NOMEM, "out of memory for TLS");
    tls->replace_system_ca = replace_system_ca && ca_pem != NULL;
    int code = SL_OK;
    bool has_key = client_key_pem != NULL && sl_secret_is_set(client_key_pem);
    if ((client_cert_pem != NULL) != has_key)
        code = sl_fail(err, SL_CONFIG,
                       "a client certificate and its key go together: the %s is missing",
                       has_key ? "certificate" : "key");
    if (code == SL_OK && ca_pem != NULL)
        code = read_certificates("CA file", ca_pem, &tls->ca, err);
    if (code == SL_OK && client_cert_pem != NULL)
        code = read_certificates("client certificate", client_cert_pem, &tls->client_chain, err);
    if (code == SL_OK && has_key)
        code = read_key(client_key_pem, sk_X509_value(tls->client_chain, 0), &tls->client_key, err);
    if (code != SL_OK)
        sl_tls_free(tls);
    else
        *ret = tls;
    return code;
}

void sl_tls_free(struct sl_tls *tls) {
    if (tls == NULL)
        return;
    sk_X509_pop_free(tls->ca, X509_free);
    sk_X509_pop_free(tls->client_chain, X509_free);
    EVP_PKEY_free(tls->client_key);
    free(tls);
}

int64_t sl_tls_expiry(const char *pem) {
    STACK_OF(X509) *chain = NULL;
    struct tm end;
    if (read_certificates("certificate", pem, &chain, NULL) != SL_OK)
        return 0;
    bool is_known = ASN1_TIME_to_tm(X509_get0_notAfter(sk_X509_value(chain, 0)), &end) == 1;
    sk_X509_pop_free(chain, X509_free);
    int64_t day_s = 24 * 60 * 60;
    return is_known ? sl_civil_days(end.tm_year + 1900, end.tm_mon + 1, end.tm_mday) * day_s +
                          end.tm_hour * 3600 + end.tm_min * 60 + end.tm_sec
                    : 0;
}

static bool apply_ca(const struct sl_tls *tls, SSL_CTX *ctx) {
    if (tls->ca == NULL)
        return true;
    if (tls->replace_system_ca) {
        X509_STORE *store = X509_STORE_new();
        if (store == NULL)
            return false;
        SSL_CTX_set_cert_store(ctx, store); /* frees the old one */
    }
    for (int i = 0; i < sk_X509_num(tls->ca); i++)
        if (X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), sk_X509_value(tls->ca, i)) != 1)
            return false;
    return true;
}

static bool apply_client(const struct sl_tls *tls, SSL_CTX *ctx) {
    if (tls->client_chain == NULL)
        return true;
    if (SSL_CTX_use_certificate(ctx, sk_X509_value(tls->client_chain, 0)) != 1 ||
        SSL_CTX_use_PrivateKey(ctx, tls->client_key) != 1)
        return false;
    for (int i = 1; i < sk_X509_num(tls->client_chain); i++)
        if (SSL_CTX_add1_chain_cert(ctx, sk_X509_value(tls->client_chain, i)) != 1)
            return false;
    return true;
}

bool sl_tls_apply(const struct sl_tls *tls, void *ssl_ctx) {
    return apply_ca(tls, ssl_ctx) && apply_client(tls, ssl_ctx);
}
