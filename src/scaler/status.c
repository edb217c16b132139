/* The status file: one table of members for each kind of line, for writing and for reading. */
#include "scaler/status.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_document.h"
#include "base/utf8.h"

static const int64_t form = 1;

enum kind { NUMBER, FLAG, TEXT };

struct member {
    const char *name;
    enum kind kind;
    size_t offset;
    size_t size; /* of a text */
};

#define OF(type, kind, name, field)                                                                \
    { name, kind, offsetof(struct type, field), sizeof(((struct type *)NULL)->field) }

static const struct member cluster_members[] = {
    OF(sl_cluster_status, TEXT, "cluster", cluster),
    OF(sl_cluster_status, NUMBER, "written_ms", written_ms),
    OF(sl_cluster_status, NUMBER, "started_ms", started_ms),
    OF(sl_cluster_status, FLAG, "leader", is_leader),
    OF(sl_cluster_status, TEXT, "leader_identity", leader),
    OF(sl_cluster_status, TEXT, "error", error),
    OF(sl_cluster_status, NUMBER, "error_ms", error_ms),
    OF(sl_cluster_status, NUMBER, "retry_ms", retry_ms),
    OF(sl_cluster_status, NUMBER, "pools", pools),
    {0},
};

static const struct member pool_members[] = {
    OF(sl_pool_status, TEXT, "pool", pool),
    OF(sl_pool_status, TEXT, "namespace", kube_namespace),
    OF(sl_pool_status, TEXT, "worker_pool", worker_pool),
    OF(sl_pool_status, NUMBER, "size", size),
    OF(sl_pool_status, NUMBER, "actual", actual),
    OF(sl_pool_status, NUMBER, "desired", desired),
    OF(sl_pool_status, NUMBER, "wanted", wanted),
    OF(sl_pool_status, TEXT, "data", data),
    OF(sl_pool_status, NUMBER, "data_age_ms", data_age_ms),
    OF(sl_pool_status, NUMBER, "pending", pending),
    OF(sl_pool_status, NUMBER, "busy", busy),
    OF(sl_pool_status, NUMBER, "demand", demand),
    OF(sl_pool_status, NUMBER, "spare", spare),
    OF(sl_pool_status, NUMBER, "floor", floor),
    OF(sl_pool_status, NUMBER, "cap", cap),
    OF(sl_pool_status, NUMBER, "unmet", unmet),
    OF(sl_pool_status, TEXT, "rule", rule),
    OF(sl_pool_status, TEXT, "clamp", clamp),
    OF(sl_pool_status, TEXT, "why", why),
    OF(sl_pool_status, NUMBER, "next_change_ms", next_change_ms),
    OF(sl_pool_status, FLAG, "shadow", is_shadow),
    OF(sl_pool_status, FLAG, "paused", is_paused),
    OF(sl_pool_status, NUMBER, "change_ms", change_ms),
    OF(sl_pool_status, NUMBER, "change_from", change_from),
    OF(sl_pool_status, NUMBER, "change_to", change_to),
    OF(sl_pool_status, TEXT, "change_why", change_why),
    OF(sl_pool_status, NUMBER, "foreign_ms", foreign_ms),
    OF(sl_pool_status, NUMBER, "foreign_from", foreign_from),
    OF(sl_pool_status, NUMBER, "foreign_to", foreign_to),
    OF(sl_pool_status, TEXT, "alarm", alarm),
    OF(sl_pool_status, TEXT, "problem", problem),
    OF(sl_pool_status, TEXT, "error", error),
    OF(sl_pool_status, NUMBER, "error_ms", error_ms),
    OF(sl_pool_status, NUMBER, "retry_ms", retry_ms),
    OF(sl_pool_status, NUMBER, "budget_day_minutes", budget_day_minutes),
    OF(sl_pool_status, NUMBER, "budget_day_limit", budget_day_limit),
    OF(sl_pool_status, NUMBER, "budget_month_minutes", budget_month_minutes),
    OF(sl_pool_status, NUMBER, "budget_month_limit", budget_month_limit),
    {0},
};

/* ---- out ---- */

/* JSON is UTF-8; a text may have been cut in the middle of a character. */
static void put_text(struct sl_json_writer *w, const char *name, const char *text) {
    struct sl_buffer valid;

    sl_buffer_init(&valid, SL_STATUS_LINE_BYTES);
    sl_utf8_append(&valid, text, SL_STATUS_TEXT_BYTES - 1);
    sl_json_put_string(w, name, valid.data);
    sl_buffer_release(&valid);
}

/* An empty text is left out. */
static void put_member(struct sl_json_writer *w, const struct member *m, const void *from) {
    const char *at = (const char *)from + m->offset;
    int64_t number = 0;
    bool flag = false;

    switch (m->kind) {
    case NUMBER:
        memcpy(&number, at, sizeof number);
        sl_json_put_int64(w, m->name, number);
        break;
    case FLAG:
        memcpy(&flag, at, sizeof flag);
        sl_json_put_bool(w, m->name, flag);
        break;
    case TEXT:
        if (at[0] != '\0') {
            put_text(w, m->name, at);
        }
        break;
    }
}

static void put_members(const struct member *members, const void *from, struct sl_json_writer *w) {
    for (const struct member *m = members; m->name != NULL; m++) {
        put_member(w, m, from);
    }
}

static void put_line(const struct member *members, const void *from, bool has_form,
                     struct sl_buffer *out) {
    struct sl_json_writer w;
    struct sl_buffer line;

    sl_buffer_init(&line, SL_STATUS_LINE_BYTES);
    sl_json_writer_init(&w, &line);
    sl_json_object_begin(&w, NULL);
    if (has_form) {
        sl_json_put_int64(&w, "form", form);
    }
    put_members(members, from, &w);
    sl_json_object_end(&w);
    sl_buffer_putc(&line, '\n');
    if (line.failed == SL_OK) {
        sl_buffer_append(out, line.data, line.len);
    } else if (out->failed == SL_OK) {
        out->failed = line.failed;
    }
    sl_buffer_release(&line);
}

void sl_status_put_cluster(const struct sl_cluster_status *status, struct sl_buffer *out) {
    put_line(cluster_members, status, true, out);
}

void sl_status_put_pool(const struct sl_pool_status *status, struct sl_buffer *out) {
    put_line(pool_members, status, false, out);
}

void sl_status_write_cluster(const struct sl_cluster_status *status, struct sl_json_writer *w) {
    put_members(cluster_members, status, w);
}

void sl_status_write_pool(const struct sl_pool_status *status, struct sl_json_writer *w) {
    put_members(pool_members, status, w);
}

/* ---- in ---- */

static void get_member(const struct sl_json *object, const struct member *m, void *to) {
    const struct sl_json *value = sl_json_get(object, m->name);
    char *at = (char *)to + m->offset;
    const char *text = sl_json_string(value);
    int64_t number = 0;
    bool flag = false;

    if (m->kind == NUMBER && sl_json_int64(value, &number)) {
        memcpy(at, &number, sizeof number);
    } else if (m->kind == FLAG && sl_json_bool(value, &flag)) {
        memcpy(at, &flag, sizeof flag);
    } else if (m->kind == TEXT && text != NULL) {
        (void)snprintf(at, m->size, "%s", text);
    }
}

static int read_line(const char *line, size_t len, const struct member *members, bool has_form,
                     void *ret, struct sl_error *err) {
    struct sl_json *document = NULL;
    int64_t number = 0;
    int rc = sl_json_parse(line, len, &document, err);

    if (rc != SL_OK) {
        return rc;
    }
    if (!sl_json_is_object(document)) {
        rc = sl_fail(err, SL_PARSE, "not an object");
    } else if (has_form &&
               (!sl_json_int64(sl_json_get(document, "form"), &number) || number != form)) {
        rc = sl_fail(err, SL_PARSE, "not a status of form %d", (int)form);
    }
    for (const struct member *m = members; rc == SL_OK && m->name != NULL; m++) {
        get_member(document, m, ret);
    }
    sl_json_free(document);
    return rc;
}

static size_t count_lines(const char *bytes, size_t len) {
    size_t lines = 0;

    for (size_t i = 0; i < len; i++) {
        lines += bytes[i] == '\n' ? 1 : 0;
    }
    return lines + (len > 0 && bytes[len - 1] != '\n' ? 1 : 0);
}

/* The next line without its newline; what is left moves on. */
static size_t take_line(const char **bytes, size_t *left, const char **ret_line) {
    const char *end = memchr(*bytes, '\n', *left);
    size_t len = end != NULL ? (size_t)(end - *bytes) : *left;
    size_t step = end != NULL ? len + 1 : len;

    *ret_line = *bytes;
    *bytes += step;
    *left -= step;
    return len;
}

int sl_status_read(const char *bytes, size_t len, struct sl_cluster_status *ret,
                   struct sl_pool_status **ret_pools, size_t *ret_count, struct sl_error *err) {
    size_t lines = count_lines(bytes, len);
    struct sl_pool_status *pools = NULL;
    struct sl_error why = SL_ERROR_INIT;
    const char *line = NULL;
    int rc = SL_OK;

    *ret = (struct sl_cluster_status){0};
    if (lines == 0) {
        return sl_fail(err, SL_PARSE, "the status file is empty");
    }
    pools = calloc(lines, sizeof *pools);
    if (pools == NULL) {
        return sl_fail(err, SL_NOMEM, "out of memory for the status of %zu pools", lines - 1);
    }
    for (size_t i = 0; i < lines && rc == SL_OK; i++) {
        size_t line_len = take_line(&bytes, &len, &line);

        rc = i == 0 ? read_line(line, line_len, cluster_members, true, ret, &why)
                    : read_line(line, line_len, pool_members, false, &pools[i - 1], &why);
        if (rc != SL_OK) {
            rc = sl_fail(err, why.code, "status file, line %zu: %s", i + 1, why.text);
        }
    }
    if (rc != SL_OK || lines == 1) {
        free(pools);
        pools = NULL;
    }
    if (rc == SL_OK) {
        *ret_pools = pools;
        *ret_count = lines - 1;
    }
    return rc;
}
