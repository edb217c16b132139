/* WatchEvents, one a line. */
#include "kubernetes/change.h"

#include <string.h>

static bool find_kind(const char *type, enum sl_kube_change_kind *ret) {
    static const char *const names[] = {
        [SL_KUBE_ADDED] = "ADDED",     [SL_KUBE_MODIFIED] = "MODIFIED",
        [SL_KUBE_DELETED] = "DELETED", [SL_KUBE_BOOKMARK] = "BOOKMARK",
        [SL_KUBE_ERROR] = "ERROR",
    };
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (type != NULL && strcmp(type, names[i]) == 0) {
            *ret = (enum sl_kube_change_kind)i;
            return true;
        }
    }
    return false;
}

static int read_version(struct sl_kube_change *change, struct sl_error *err) {
    const struct sl_json *metadata = sl_json_get(change->object, "metadata");
    const char *version = sl_json_string(sl_json_get(metadata, "resourceVersion"));
    if (version == NULL || version[0] == '\0' || strlen(version) >= sizeof(change->version))
        return sl_fail(err, SL_PARSE, "a change without a usable resourceVersion");
    memcpy(change->version, version, strlen(version) + 1);
    return SL_OK;
}

int sl_kube_change_parse(const char *bytes, size_t len, struct sl_kube_change *ret,
                         struct sl_error *err) {
    struct sl_kube_change change = {.kind = SL_KUBE_ERROR};
    int code = sl_json_parse(bytes, len, &change.document, err);
    if (code != SL_OK)
        return code;
    change.object = sl_json_get(change.document, "object");
    if (!find_kind(sl_json_string(sl_json_get(change.document, "type")), &change.kind))
        code = sl_fail(err, SL_PARSE, "the answer to a watch is no WatchEvent");
    else if (change.kind == SL_KUBE_ERROR)
        code = sl_kube_status_read(change.object, &change.status, err);
    else
        code = read_version(&change, err);
    if (code != SL_OK)
        sl_kube_change_release(&change);
    else
        *ret = change;
    return code;
}

void sl_kube_change_release(struct sl_kube_change *change) {
    sl_json_free(change->document);
    change->document = NULL;
    change->object = NULL;
}

static bool is_number(const char *text) {
    return text[0] != '\0' && text[0] != '0' && text[strspn(text, "0123456789")] == '\0';
}

int sl_kube_version_compare(const char *a, const char *b) {
    size_t a_len = strlen(a), b_len = strlen(b);
    if (a_len == 0 || b_len == 0)
        return (a_len > 0) - (b_len > 0);
    if (!is_number(a) || !is_number(b))
        return strcmp(a, b) == 0 ? 0 : 1;
    if (a_len != b_len)
        return a_len < b_len ? -1 : 1;
    return strcmp(a, b);
}

static int end_line(struct sl_kube_lines *lines, const char *bytes, size_t len,
                    struct sl_error *err) {
    int code = SL_OK;
    if (lines->rest.len == 0)
        return len > 0 ? lines->take(lines->context, bytes, len, err) : SL_OK;
    sl_buffer_append(&lines->rest, bytes, len);
    code = sl_buffer_check(&lines->rest, "a change", err);
    if (code == SL_OK)
        code = lines->take(lines->context, lines->rest.data, lines->rest.len, err);
    /* Lines are rare: their memory is given back. */
    sl_buffer_release(&lines->rest);
    return code;
}

int sl_kube_lines_feed(struct sl_kube_lines *lines, const char *bytes, size_t len,
                       struct sl_error *err) {
    const char *end = NULL;
    int code = SL_OK;
    while (code == SL_OK && (end = memchr(bytes, '\n', len)) != NULL) {
        size_t line_len = (size_t)(end - bytes);
        code = end_line(lines, bytes, line_len, err);
        bytes = end + 1;
        len -= line_len + 1;
    }
    if (code != SL_OK)
        return code;
    sl_buffer_append(&lines->rest, bytes, len);
    return sl_buffer_check(&lines->rest, "a change", err);
}
