/* Inside of the answer parser: a walker that follows a table of shapes, and the tables. */
#ifndef SL_SPACELIFT_ANSWER_INTERNAL_H
#define SL_SPACELIFT_ANSWER_INTERNAL_H

#include "base/json_parser.h"
#include "base/limits.h"
#include "spacelift/answer.h"
#include "spacelift/filter.h"

struct sl_shape;

enum sl_place_kind {
    SL_PLACE_COUNT,     /* int64_t: a whole number of 0 or more */
    SL_PLACE_NUMBER,    /* double */
    SL_PLACE_BOOL,      /* bool */
    SL_PLACE_TEXT,      /* char *, not empty, at most SL_LIMIT_NAME_BYTES */
    SL_PLACE_LONG_TEXT, /* char *, whatever it is */
    SL_PLACE_WORD,      /* char[SL_WORD_BYTES], cut */
    SL_PLACE_SECRET,    /* struct sl_secret */
    SL_PLACE_OBJECT,
    SL_PLACE_LIST,
};

enum { SL_WORD_BYTES = 64, SL_MESSAGE_BYTES = 256, SL_POOL_LABELS_MAX = 256 };

/* A field of an object, or what every element of a list is. */
struct sl_place {
    const char *name;
    size_t len;
    enum sl_place_kind kind;
    bool may_lack; /* may be null, or not there at all */
    size_t at;     /* offset in struct sl_answer_parser; of a LIST: a number for its hooks */
    const struct sl_shape *inside; /* of OBJECT and LIST */
};

struct sl_shape {
    const struct sl_place *places; /* of a list: one, the element */
    size_t count;
    uint32_t all;                                                     /* a bit for each place */
    int (*begin)(struct sl_answer_parser *p, struct sl_error *err);   /* may be NULL */
    int (*element)(struct sl_answer_parser *p, struct sl_error *err); /* after each scalar */
    int (*end)(struct sl_answer_parser *p, struct sl_error *err);
};

/* An object or a list that is open. */
struct sl_frame {
    const struct sl_shape *shape; /* NULL: nobody asked for it */
    const struct sl_place *place; /* the field that was named last; of a list the element */
    uint32_t bit;                 /* its bit in seen */
    size_t next;                  /* the place that is expected: answers keep the query's order */
    uint32_t seen;                /* bit per place */
    bool is_list;
    uint64_t elements; /* of a list, begun */
};

/* What is being read; folded into the answer when its object ends. */
struct sl_worker_record {
    bool busy;
    bool drained;
    int64_t created_at;
    char *metadata;
};

struct sl_run_record {
    char state[SL_WORD_BYTES];
    char type[SL_WORD_BYTES];
    int64_t created_at;
    bool drift_detection;
    bool is_prioritized;
    bool needs_approval;
    char *id; /* these two of BLOCKED */
    char *stack_id;
    int64_t ready_at;
    char past_state[SL_WORD_BYTES]; /* of an entry of its history */
    int64_t past_at;
};

struct sl_answer_parser {
    enum sl_document document;
    struct sl_answer_settings settings;
    struct sl_json_parser *json;
    struct sl_frame frames[SL_LIMIT_JSON_DEPTH + 1];
    struct sl_frame *top; /* the innermost one */

    struct sl_answer answer;
    size_t pool_cap;
    size_t point_cap;
    size_t held_cap;

    /* The pool, worker, run and so on that is being read. */
    struct sl_worker_pool pool;
    char *space;
    char *label;
    char *labels[SL_POOL_LABELS_MAX];
    size_t label_count;
    struct sl_worker_record worker;
    struct sl_run_record run;
    struct sl_point point;
    char word[SL_WORD_BYTES];
    char *cursor;
    bool has_next_page;
    int64_t counts[5];

    bool has_begun;
    bool has_root_field; /* it came, and not as null */
    bool has_errors;
    char message[SL_MESSAGE_BYTES]; /* of the first error */
    char path[SL_MESSAGE_BYTES];
};

/* What stands in the member data of an answer to the document. */
const struct sl_shape *sl_answer_shape(enum sl_document document);

/* Frees what the records hold. */
void sl_answer_drop_records(struct sl_answer_parser *p);

#endif
