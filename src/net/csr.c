/* Keys and requests by OpenSSL, through what 1.1.1 and 3 share. */
#include "net/csr.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

enum { KEY_PEM_BYTES = 16 * 1024 };

static int fail(enum sl_code code, const char *what, struct sl_error *err) {
    const char *reason = ERR_reason_error_string(ERR_peek_last_error());
    ERR_clear_error();
    return sl_fail(err, code, "%s: %s", what, reason != NULL ? reason : "no reason given");
}

static int make_key(int rsa_bits, EVP_PKEY **ret, struct sl_error *err) {
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_id(EVP_PKEY_RSA, NULL);
    bool ok = context != NULL && EVP_PKEY_keygen_init(context) == 1 &&
              EVP_PKEY_CTX_set_rsa_keygen_bits(context, rsa_bits) == 1 &&
              EVP_PKEY_keygen(context, ret) == 1;
    EVP_PKEY_CTX_free(context);
    return ok ? SL_OK : fail(SL_IO, "OpenSSL makes no RSA key", err);
}

static int name_subject(X509_NAME *name, const struct sl_csr_subject *subject,
                        struct sl_error *err) {
    const struct {
        const char *field;
        const char *text;
    } parts[] = {
        {"C", subject->country},
        {"O", subject->organization},
        {"CN", subject->common_name},
    };
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        char what[64];
        if (parts[i].text == NULL)
            continue;
        if (X509_NAME_add_entry_by_txt(name, parts[i].field, MBSTRING_UTF8,
                                       (const unsigned char *)parts[i].text, -1, -1, 0) == 1)
            continue;
        (void)snprintf(what, sizeof(what), "the subject's %s is not allowed", parts[i].field);
        return fail(SL_CONFIG, what, err);
    }
    return SL_OK;
}

static int make_request(EVP_PKEY *key, const struct sl_csr_subject *subject, X509_REQ *request,
                        struct sl_error *err) {
    if (request == NULL || X509_REQ_set_version(request, 0) != 1 ||
        X509_REQ_set_pubkey(request, key) != 1)
        return fail(SL_NOMEM, "OpenSSL makes no request", err);
    int code = name_subject(X509_REQ_get_subject_name(request), subject, err);
    if (code == SL_OK && X509_REQ_sign(request, key, EVP_sha256()) <= 0)
        code = fail(SL_IO, "OpenSSL does not sign the request", err);
    return code;
}

static int print_key(EVP_PKEY *key, struct sl_secret *ret, struct sl_error *err) {
    /* From the secure heap where there is one; wiped when freed in any case. */
    BIO *out = BIO_new(BIO_s_secmem());
    char *text = NULL;
    int code = SL_OK;
    if (out == NULL || PEM_write_bio_PKCS8PrivateKey(out, key, NULL, NULL, 0, NULL, NULL) != 1)
        code = fail(SL_NOMEM, "OpenSSL does not print the key", err);
    long len = code == SL_OK ? BIO_get_mem_data(out, &text) : 0;
    if (code == SL_OK && (len <= 0 || len > KEY_PEM_BYTES))
        code = sl_fail(err, SL_TOOBIG, "the key is longer than %d bytes", (int)KEY_PEM_BYTES);
    if (code == SL_OK)
        code = sl_secret_set(ret, text, (size_t)len, err);
    BIO_free(out);
    return code;
}

static int print_request(X509_REQ *request, struct sl_buffer *ret, struct sl_error *err) {
    BIO *out = BIO_new(BIO_s_mem());
    char *text = NULL;
    int code = SL_OK;
    if (out == NULL || PEM_write_bio_X509_REQ(out, request) != 1)
        code = fail(SL_NOMEM, "OpenSSL does not print the request", err);
    long len = code == SL_OK ? BIO_get_mem_data(out, &text) : 0;
    sl_buffer_append(ret, text, len > 0 ? (size_t)len : 0);
    BIO_free(out);
    return code != SL_OK ? code : sl_buffer_check(ret, "a certificate signing request", err);
}

int sl_csr_make(int rsa_bits, const struct sl_csr_subject *subject, struct sl_secret *ret_key_pem,
                struct sl_buffer *ret_request_pem, struct sl_error *err) {
    EVP_PKEY *key = NULL;
    X509_REQ *request = X509_REQ_new();
    struct sl_secret key_pem = SL_SECRET_INIT;
    ERR_clear_error();
    int code = make_key(rsa_bits, &key, err);
    if (code == SL_OK)
        code = make_request(key, subject, request, err);
    if (code == SL_OK)
        code = print_key(key, &key_pem, err);
    if (code == SL_OK)
        code = print_request(request, ret_request_pem, err);
    if (code == SL_OK) {
        sl_secret_release(ret_key_pem);
        *ret_key_pem = key_pem;
    } else {
        sl_secret_release(&key_pem);
    }
    X509_REQ_free(request);
    EVP_PKEY_free(key);
    return code;
}
