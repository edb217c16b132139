/* Keys and certificate signing requests; that openssl(1) reads them is shown by
 * tests/integration/test_command_setup.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "net/csr.h"

enum { SMALL_KEY_BITS = 1024 }; /* the least that OpenSSL signs SHA-256 with; quick */

static void test_key_and_request(void **unused) {
    (void)unused;
    struct sl_error err = SL_ERROR_INIT;
    struct sl_secret key = SL_SECRET_INIT;
    struct sl_buffer request;
    struct sl_csr_subject subject = {.common_name = "pool-\xc3\xa4", .country = "PL"};
    sl_buffer_init(&request, 16 * 1024);
    int code = sl_csr_make(SMALL_KEY_BITS, &subject, &key, &request, &err);
    if (code != SL_OK)
        fail_msg("%s", err.text);
    assert_int_equal(strncmp(key.text, "-----BEGIN PRIVATE KEY-----\n", 28), 0);
    assert_int_equal(strncmp(request.data, "-----BEGIN CERTIFICATE REQUEST-----\n", 36), 0);
    assert_non_null(strstr(request.data, "-----END CERTIFICATE REQUEST-----\n"));
    sl_secret_release(&key);
    sl_buffer_release(&request);
}

static void test_subject_that_x509_refuses(void **unused) {
    (void)unused;
    static const struct sl_csr_subject bad[] = {
        {.country = "Poland"},
        {.common_name = "12345678901234567890123456789012345678901234567890123456789012345"},
        {.organization = "not \xff UTF-8"},
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct sl_error err = SL_ERROR_INIT;
        struct sl_secret key = SL_SECRET_INIT;
        struct sl_buffer request;
        sl_buffer_init(&request, 16 * 1024);
        assert_int_equal(sl_csr_make(SMALL_KEY_BITS, &bad[i], &key, &request, &err), SL_CONFIG);
        assert_non_null(strstr(err.text, "the subject's "));
        assert_false(sl_secret_is_set(&key));
        sl_buffer_release(&request);
    }
}

int main(void) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_key_and_request),
        cmocka_unit_test(test_subject_that_x509_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
