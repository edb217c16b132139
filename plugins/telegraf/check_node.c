/* Does each receiver of remote write take what we send, and which protocol? A request without any
 * series asks without leaving anything behind. */
#include "check.h"

#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "remote_write/endpoint.h"

/* Only a receiver of 2.0 says how much it has written (remote write 2.0, "Required Written Response
 * Headers"). */
static void note_written(void *context, const char *name, const char *value) {
    bool *has_written = context;
    (void)value;
    if (strncasecmp(name, "x-prometheus-remote-write-", 26) == 0)
        *has_written = true;
}

static const char *remedy_of(int status) {
    switch (status) {
    case 401:
    case 403:
        return "check User, PasswordFile, BearerTokenFile, or the tenant's header";
    case 404:
    case 405:
        return "check the path of URL; Prometheus needs --web.enable-remote-write-receiver, and "
               "its path is /api/v1/write";
    case 415:
        return "set Protocol \"1.0\"";
    default:
        return NULL;
    }
}

/* What snappy makes of an empty message: its length (github.com/google/snappy,
 * format_description.txt, 1). */
static const char nothing[] = {0};

/* False: there was no answer. */
static bool ask(struct sl_check *c, struct sl_endpoint *endpoint, enum sl_write_protocol protocol,
                struct sl_error *err, bool *ret_has_written) {
    struct sl_http_response response;
    struct sl_endpoint_request request = {
        .protocol = protocol,
        .body = nothing,
        .body_len = sizeof(nothing),
        .on_header = note_written,
        .on_header_context = ret_has_written,
    };
    sl_http_response_init(&response);
    int code = sl_endpoint_post(endpoint, &request, &response, NULL, err);
    if (code != SL_OK)
        sl_check_say(c, SL_CHECK_FAILED, "check URL, DNS, proxy, firewall and CACert", "%s",
                     err->text);
    else if (sl_http_check_status(&response, err) == SL_OK)
        err->http_status = response.status;
    bool is_answered = code == SL_OK;
    sl_http_response_release(&response);
    return is_answered;
}

static bool is_good(int status) {
    return status >= 200 && status < 300;
}

static void say_refused(struct sl_check *c, const struct sl_error *err) {
    /* Some refuse a request without series, and take others. */
    bool is_about_content = err->http_status == 400;
    sl_check_say(c, is_about_content ? SL_CHECK_WARNING : SL_CHECK_FAILED,
                 remedy_of(err->http_status), "%s%s", err->text,
                 is_about_content ? " (to a request without series: it answers, at least)" : "");
}

static void ask_both(struct sl_check *c, struct sl_endpoint *endpoint, int choice) {
    struct sl_error err = SL_ERROR_INIT;
    bool has_written = false;
    if (choice != SL_PROTOCOL_1_0) {
        if (!ask(c, endpoint, SL_WRITE_2_0, &err, &has_written))
            return;
        if (is_good(err.http_status) && has_written) {
            sl_check_say(c, SL_CHECK_OK, NULL, "takes remote write 2.0");
            return;
        }
        if (choice == SL_PROTOCOL_2_0) {
            sl_check_say(
                c, SL_CHECK_FAILED, "set Protocol \"auto\"", "does not take remote write 2.0: %s",
                is_good(err.http_status) ? "it says nothing of what it has written" : err.text);
            return;
        }
    }
    if (!ask(c, endpoint, SL_WRITE_1_0, &err, &has_written))
        return;
    if (is_good(err.http_status))
        sl_check_say(c, SL_CHECK_OK, NULL, "takes remote write 1.0");
    else
        say_refused(c, &err);
}

static void check_spool(struct sl_check *c, const struct sl_node_options *node) {
    struct stat st;
    if (!node->spool || node->spool_directory == NULL)
        return;
    if (stat(node->spool_directory, &st) != 0)
        sl_check_say(c, SL_CHECK_OK, NULL, "the spool %s will be made", node->spool_directory);
    else if (!S_ISDIR(st.st_mode))
        sl_check_say(c, SL_CHECK_FAILED, "name a folder", "SpoolDirectory %s is no folder",
                     node->spool_directory);
    else if ((st.st_mode & 022) != 0)
        sl_check_say(c, SL_CHECK_WARNING, "chmod 700 it", "others may write into the spool %s",
                     node->spool_directory);
    else
        sl_check_say(c, SL_CHECK_OK, NULL, "the spool %s is there", node->spool_directory);
}

void sl_check_nodes(struct sl_check *c) {
    struct sl_log log = sl_check_log(c);
    for (size_t i = 0; i < c->configuration->node_count; i++) {
        const struct sl_node_options *node = &c->configuration->nodes[i];
        struct sl_endpoint *endpoint = NULL;
        struct sl_error err = SL_ERROR_INIT;
        sl_check_area(c, "remote write \"%s\"", node->name);
        if (sl_endpoint_new(node, log, NULL, &endpoint, &err) != SL_OK)
            sl_check_say(c, SL_CHECK_FAILED, NULL, "%s", err.text);
        else
            ask_both(c, endpoint, node->protocol);
        check_spool(c, node);
        sl_endpoint_free(endpoint);
    }
}
