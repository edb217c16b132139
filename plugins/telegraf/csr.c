/* spacelift-pool csr: the first step of a worker pool. */
#include <stddef.h>
#include <stdio.h>
#include <unistd.h>

#include "arguments.h"
#include "net/csr.h"
#include "os/file.h"
#include "print.h"

struct csr_settings {
    char *key_path;
    char *request_path;
    char *common_name;
    char *organization;
    char *country;
};

#define CSR(member) offsetof(struct csr_settings, member)

static const struct sl_option csr_options[] = {
    {.name = "Key",
     .type = SL_OPTION_PATH,
     .offset = CSR(key_path),
     .fallback = "spacelift.key",
     .help = "Where the private key goes: a new file that only its owner can read."},
    {.name = "CSR",
     .type = SL_OPTION_PATH,
     .offset = CSR(request_path),
     .fallback = "spacelift.csr",
     .help =
         "Where the certificate signing request goes: a new file, to be uploaded to Spacelift."},
    {.name = "CommonName",
     .type = SL_OPTION_STRING,
     .offset = CSR(common_name),
     .fallback = "spacelift-worker-pool",
     .help = "The subject's name. Spacelift does not look at it; it tells requests apart."},
    {.name = "Organization",
     .type = SL_OPTION_STRING,
     .offset = CSR(organization),
     .example = "Acme",
     .help = "The subject's organization. Spacelift does not look at it."},
    {.name = "Country",
     .type = SL_OPTION_STRING,
     .offset = CSR(country),
     .example = "PL",
     .help = "The subject's country, two letters. Spacelift does not look at it."},
    {.name = NULL},
};

static const struct sl_option_block csr_block = {.name = "csr", .options = csr_options};

/* Before the search for primes, so that nobody waits for nothing; making the file checks again. */
static int refuse_old_file(const char *path, const char *flag, struct sl_error *err) {
    if (access(path, F_OK) != 0)
        return SL_OK;
    return sl_fail(err, SL_CONFIG,
                   "%s is there already, and is not overwritten: move it away, or name another "
                   "file with %s",
                   path, flag);
}

static int make(const struct csr_settings *s, struct sl_error *err) {
    struct sl_csr_subject subject = {
        .common_name = s->common_name,
        .organization = s->organization,
        .country = s->country,
    };
    struct sl_secret key = SL_SECRET_INIT;
    struct sl_buffer request;
    sl_buffer_init(&request, 64 * 1024);
    int code = refuse_old_file(s->key_path, "--key", err);
    if (code == SL_OK)
        code = refuse_old_file(s->request_path, "--csr", err);
    if (code == SL_OK)
        code = sl_csr_make(SL_CSR_BITS, &subject, &key, &request, err);
    if (code == SL_OK)
        code = sl_file_create(s->key_path, 0600, key.text, key.len, err);
    if (code == SL_OK) {
        code = sl_file_create(s->request_path, 0644, request.data, request.len, err);
        if (code != SL_OK) /* made a moment ago, and of no use alone */
            (void)unlink(s->key_path);
    }
    sl_buffer_release(&request);
    sl_secret_release(&key);
    return code;
}

static void describe(const struct csr_settings *s, int form, struct sl_buffer *out) {
    if (form == SL_OUTPUT_JSON) {
        struct sl_json_writer w;
        sl_json_writer_init(&w, out);
        sl_json_object_begin(&w, NULL);
        sl_json_put_string(&w, "key", s->key_path);
        sl_json_put_string(&w, "csr", s->request_path);
        sl_json_put_int64(&w, "bits", SL_CSR_BITS);
        sl_json_object_end(&w);
        sl_buffer_putc(out, '\n');
        return;
    }
    sl_buffer_printf(
        out,
        "%s   the private key, RSA of %d bits, for its owner only. Keep it.\n"
        "%s   the request. In Spacelift: Worker pools, Create worker pool, upload it.\n"
        "\nThe file that Spacelift then downloads goes into the next step:\n\n"
        "  spacelift-pool manifests --worker-pool NAME --private-key %s \\\n"
        "      --pool-config worker-pool-ID.config | kubectl apply -f -\n",
        s->key_path, (int)SL_CSR_BITS, s->request_path, s->key_path);
}

static enum sl_exit run(const struct sl_arguments *arguments) {
    struct csr_settings settings = {.key_path = NULL};
    struct sl_output_settings output = {.form = 0};
    struct sl_error err = SL_ERROR_INIT;
    struct sl_buffer text;
    enum sl_exit status = SL_EXIT_OK;
    sl_buffer_init(&text, SL_PRINT_MAX_BYTES);
    int code = sl_arguments_read(arguments, csr_options, &settings, &err);
    if (code == SL_OK)
        code = sl_arguments_read(arguments, sl_output_block.options, &output, &err);
    if (code == SL_OK)
        code = make(&settings, &err);
    if (code != SL_OK) {
        status = sl_complain(arguments, &err);
    } else {
        describe(&settings, output.form, &text);
        status = sl_print(&text) ? SL_EXIT_OK : SL_EXIT_FAILED;
    }
    sl_buffer_release(&text);
    sl_option_release(csr_options, &settings);
    return status;
}

const struct sl_command sl_command_csr = {
    .name = "csr",
    .summary = "make the private key and the signing request of a worker pool",
    .help = "The first step of a worker pool: makes a private key (RSA, 4096 bits, readable by its "
            "owner only)\nand a certificate signing request for it. A file that is there already "
            "is never overwritten.",
    .groups =
        {
            {"The two files", &csr_block, NULL},
            {"Output", &sl_output_block, NULL},
        },
    .run = run,
};
