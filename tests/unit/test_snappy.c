/* Our encoder of snappy's block format, read by the reference implementation. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <snappy-c.h>

#include "remote_write/snappy.h"

static uint64_t random_state = 88172645463325252u;

static uint32_t random_below(uint32_t limit) {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)(random_state >> 32) % limit;
}

/* Compresses len bytes, in memory that ends where it must not be left, and has them read back.
 * Returns the length. */
static size_t check(const char *bytes, size_t len, const struct sl_snappy_advice *advice) {
    char *in = malloc(len + 1) /* not 0 */, *plain = malloc(len + 1);
    size_t bound = sl_snappy_bound(len), plain_len = len;
    char *out = malloc(bound);
    char *exact = in + 1; /* nothing is aligned */
    memcpy(exact, bytes, len);
    size_t out_len = sl_snappy_compress(exact, len, advice, out);
    assert_true(out_len <= bound);
    assert_int_equal(snappy_uncompress(out, out_len, plain, &plain_len), SNAPPY_OK);
    assert_int_equal(plain_len, len);
    assert_memory_equal(plain, bytes, len);
    free(out);
    free(plain);
    free(in);
    return out_len;
}

enum { INPUT_MAX = 1 << 20 };

static char *make_input(void) {
    char *input = calloc(1, INPUT_MAX);
    assert_non_null(input);
    return input;
}

static void fill(char *to, size_t len, uint32_t letters) {
    for (size_t i = 0; i < len; i++)
        to[i] = (char)random_below(letters);
}

static void test_short_ones(void **unused) {
    (void)unused;
    char *input = make_input();
    for (size_t len = 0; len <= 300; len++) {
        memset(input, 0, len);
        check(input, len, NULL);
        fill(input, len, 2);
        check(input, len, NULL);
        fill(input, len, 256);
        check(input, len, NULL);
    }
    free(input);
}

/* To the byte, as format_description.txt has it. */
static void test_elements(void **unused) {
    (void)unused;
    char out[100];
    assert_int_equal(sl_snappy_compress("", 0, NULL, out), 1);
    assert_memory_equal(out, "\0", 1);
    assert_int_equal(sl_snappy_compress("abc", 3, NULL, out), 5);
    assert_memory_equal(out,
                        "\x03\x08"
                        "abc",
                        5);
    /* "Wikipedia" and 31 bytes more of it, which reach into the copy's own; and the end. */
    char text[64];
    for (size_t i = 0; i < sizeof(text); i++)
        text[i] = "Wikipedia"[i % 9];
    assert_int_equal(sl_snappy_compress(text, sizeof(text), NULL, out), 1 + 10 + 3);
    assert_memory_equal(out,
                        "\x40\x20"
                        "Wikipedia"
                        "\xda\x09\x00",
                        14);
}

static void test_what_repeats(void **unused) {
    (void)unused;
    char *input = make_input();
    for (size_t period = 1; period < 100; period++) {
        fill(input, period, 256);
        for (size_t i = period; i < 1000; i++)
            input[i] = input[i - period];
        assert_true(check(input, 1000, NULL) < period + 100);
    }
    /* Every length of a copy around its limits, at distances around theirs. */
    static const size_t distances[] = {4, 11, 2047, 2048, 2049, 65534, 65535, 65536, 100000};
    for (size_t d = 0; d < sizeof(distances) / sizeof(distances[0]); d++) {
        for (size_t len = 3; len < 140; len += len < 14 || len > 58 ? 1 : 11) {
            size_t at = distances[d];
            fill(input, at + len + 40, 256);
            memmove(input + at, input, len);
            check(input, at + len + 40, NULL);
        }
    }
    free(input);
}

/* Literals of every form, and what costs most: pieces that have to be copied, but hardly. */
static void test_what_does_not(void **unused) {
    (void)unused;
    static const size_t lengths[] = {60, 61, 62, 255, 256, 257, 65535, 65536, 65537, INPUT_MAX};
    char *input = make_input();
    fill(input, INPUT_MAX, 256);
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++)
        assert_true(check(input, lengths[i], NULL) <= lengths[i] + 9);
    for (size_t gap = 1; gap < 400; gap += gap < 70 ? 1 : 31) {
        fill(input, 50000, 256);
        for (size_t at = 40 + gap; at < 50000; at += gap + 4)
            memcpy(input + at, input + random_below((uint32_t)at - 4), 4);
        check(input, 50000, NULL);
    }
    free(input);
}

/* What is said of the records advises, and no more. */
static void test_absurd_advice(void **unused) {
    (void)unused;
    char *input = make_input();
    struct sl_snappy_record records[50];
    for (int round = 0; round < 3000; round++) {
        size_t len = random_below(round % 10 == 0 ? 100000 : 400);
        uint32_t limit = round % 2 == 0 ? (uint32_t)len + 100 : UINT32_MAX;
        fill(input, len, 2 + (uint32_t)round % 5);
        for (size_t i = 0; i < 50; i++)
            records[i] = (struct sl_snappy_record){random_below(limit), random_below(limit),
                                                   random_below(3)};
        struct sl_snappy_advice advice = {random_below(50), records, random_below(50)};
        check(input, len, &advice);
    }
    free(input);
}

/* ---- a message of many hosts ---- */

enum { HOSTS = 60, LISTS = 100, RECORDS = HOSTS * LISTS, RECORD_BYTES = 34 };

static size_t make_records(char *input, struct sl_snappy_record *records) {
    char *to = input;
    for (uint32_t i = 0; i < RECORDS; i++) {
        unsigned char host = (unsigned char)(i % HOSTS), list = (unsigned char)(i / HOSTS);
        unsigned char record[RECORD_BYTES] = {
            0x2a, 32, 0x0a, 8, 1, 2,    5,    list, 3,    host, 6,    7,    0x12, 18,   0x09, 0, 0,
            0,    0,  0,    0, 0, 0x41, 0x10, 0,    0x80, 0xb8, 0x8e, 0xa1, 0x34, 0x2a, 2,    8, 1,
        };
        uint32_t value = random_below(1u << 30), time = host * 50u + list + random_below(3);
        memcpy(record + 18, &value, sizeof(value));
        record[24] = (unsigned char)(0x80 | time);
        record[25] = (unsigned char)(0x80 | time >> 7);
        records[i] =
            (struct sl_snappy_record){(uint32_t)(to - input), (uint32_t)(to - input) + 15, host};
        memcpy(to, record, RECORD_BYTES);
        to += RECORD_BYTES;
    }
    return (size_t)(to - input);
}

static void test_fewer_bytes_than_the_library_makes(void **unused) {
    (void)unused;
    char *input = make_input();
    struct sl_snappy_record *records = calloc(RECORDS, sizeof(*records));
    size_t len = make_records(input, records);
    struct sl_snappy_advice advice = {.records = records, .count = RECORDS};
    size_t theirs = snappy_max_compressed_length(len);
    char *out = malloc(theirs);
    assert_int_equal(snappy_compress(input, len, out, &theirs), SNAPPY_OK);
    size_t ours = check(input, len, &advice);
    assert_true(ours < theirs - theirs / 50);
    assert_true(check(input, len, NULL) < theirs + theirs / 50); /* knowing nothing */
    free(out);
    free(records);
    free(input);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_short_ones),
        cmocka_unit_test(test_elements),
        cmocka_unit_test(test_what_repeats),
        cmocka_unit_test(test_what_does_not),
        cmocka_unit_test(test_absurd_advice),
        cmocka_unit_test(test_fewer_bytes_than_the_library_makes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
