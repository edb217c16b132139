/* Reads as much PromQL as the queries of this trade need: names, label matchers, ranges. What is
 * not understood stays unsaid; nothing here fails. */
#include "migrate/internal.h"

#include <string.h>

static bool is_name_char(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == ':';
}

static bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static const char *skip_blanks(const char *at) {
    while (is_blank(*at)) {
        at++;
    }
    return at;
}

static bool is_word(const char *at, size_t len, const char *word) {
    return strlen(word) == len && memcmp(at, word, len) == 0;
}

static bool is_aggregation(const char *at, size_t len) {
    static const char *const words[] = {"sum", "max", "min", "avg", "count", "scalar", NULL};

    for (size_t i = 0; words[i] != NULL; i++) {
        if (is_word(at, len, words[i])) {
            return true;
        }
    }
    return false;
}

static bool ends_with(const char *at, size_t len, const char *end) {
    return len > strlen(end) && memcmp(at + len - strlen(end), end, strlen(end)) == 0;
}

static void copy(char *to, size_t size, const char *from, size_t len) {
    size_t n = len < size - 1 ? len : size - 1;

    memcpy(to, from, n);
    to[n] = '\0';
}

int64_t sl_query_duration_ms(const char *text, size_t len) {
    static const struct {
        const char *unit;
        int64_t ms;
    } units[] = {{"ms", 1},       {"s", 1000},      {"m", 60000},      {"h", 3600000},
                 {"d", 86400000}, {"w", 604800000}, {"y", 31536000000}};
    int64_t sum_ms = 0;
    size_t i = 0;

    while (i < len) {
        int64_t number = 0;
        size_t digits = i;
        size_t unit = 0;
        size_t u = 0;

        while (i < len && text[i] >= '0' && text[i] <= '9' && number < 100000000) {
            number = number * 10 + (text[i++] - '0');
        }
        while (i + unit < len && text[i + unit] >= 'a' && text[i + unit] <= 'z') {
            unit++;
        }
        while (u < sizeof units / sizeof units[0] && !is_word(text + i, unit, units[u].unit)) {
            u++;
        }
        if (digits == i || u == sizeof units / sizeof units[0]) {
            return -1;
        }
        sum_ms += number * units[u].ms;
        i += unit;
    }
    return len > 0 ? sum_ms : -1;
}

/* The text in quotes at *at into ret, without its escapes; *at moves behind it. */
static void read_quoted(const char **at, char *ret, size_t size) {
    char quote = **at;
    size_t n = 0;
    const char *c = *at + 1;

    while (*c != '\0' && *c != quote) {
        if (*c == '\\' && quote != '`' && c[1] != '\0') {
            c++;
        }
        if (n + 1 < size) {
            ret[n++] = *c;
        }
        c++;
    }
    ret[n] = '\0';
    *at = *c == quote ? c + 1 : c;
}

static bool is_quote(char c) {
    return c == '"' || c == '\'' || c == '`';
}

/* After a name: is it the label of a matcher, with the pool's name or ID as its value? */
static const char *read_matcher(const char *name, size_t len, const char *at,
                                struct sl_query_facts *ret) {
    bool is_name = is_word(name, len, "worker_pool_name");
    bool is_id = is_word(name, len, "worker_pool_id");
    const char *value = skip_blanks(at);
    bool is_equal = *value == '=' && value[1] != '~';
    bool is_regex = *value == '=' && value[1] == '~';

    if ((!is_name && !is_id) || (!is_equal && !is_regex)) {
        return at;
    }
    value = skip_blanks(value + (is_regex ? 2 : 1));
    if (!is_quote(*value)) {
        return at;
    }
    if (is_regex) {
        char unused[2];
        ret->has_pool_regex = true;
        read_quoted(&value, unused, sizeof unused);
    } else if (is_name) {
        read_quoted(&value, ret->pool_name, sizeof ret->pool_name);
    } else {
        read_quoted(&value, ret->pool_id, sizeof ret->pool_id);
    }
    return value;
}

static const char *read_word(const char *at, bool is_first, struct sl_query_facts *ret) {
    const char *name = at;
    size_t len = 0;

    while (is_name_char(name[len])) {
        len++;
    }
    at = name + len;
    if (is_word(name, len, "spacelift_worker_pool_runs_pending")) {
        ret->has_pending = true;
    } else if (is_word(name, len, "spacelift_worker_pool_workers_busy")) {
        ret->has_busy = true;
    } else if (len > 30 && memcmp(name, "spacelift_public_worker_pool_", 29) == 0) {
        ret->has_public = true;
    } else if (ends_with(name, len, "_over_time")) {
        copy(ret->over_time, sizeof ret->over_time, name, len);
    } else if (is_first && is_aggregation(name, len)) {
        ret->is_aggregated = true;
    } else if (is_word(name, len, "vector")) {
        ret->has_vector_or = true;
    }
    return read_matcher(name, len, at, ret);
}

void sl_query_scan(const char *query, struct sl_query_facts *ret) {
    const char *at = query;
    bool is_first = true;

    *ret = (struct sl_query_facts){.range_ms = 0};
    while (*at != '\0') {
        if (is_name_char(*at)) {
            at = read_word(at, is_first, ret);
            is_first = false;
        } else if (*at == '[') {
            size_t len = strcspn(at + 1, "]:");
            int64_t ms = sl_query_duration_ms(at + 1, len);

            ret->range_ms = ms > ret->range_ms ? ms : ret->range_ms;
            at += 1 + len;
        } else if (is_quote(*at)) {
            char unused[2];

            read_quoted(&at, unused, sizeof unused);
        } else if (*at == '#') {
            at += strcspn(at, "\n");
        } else {
            at++;
        }
    }
}
