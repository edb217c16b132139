/* Every limit of the project, in one place. A limit that is met says so by name in its message. */
#ifndef SL_BASE_LIMITS_H
#define SL_BASE_LIMITS_H

/* Answers of servers. A pool of 10,000 workers is about 1 MB of JSON; the cap stops a confused
 * proxy, not an account. */
#define SL_LIMIT_HTTP_BODY_BYTES   (32u * 1024 * 1024)
#define SL_LIMIT_HTTP_HEADER_BYTES (64u * 1024)
#define SL_LIMIT_ERROR_BODY_BYTES  (16u * 1024)
#define SL_LIMIT_JSON_DEPTH        32u
#define SL_LIMIT_JSON_STRING_BYTES (272u * 1024) /* Kubernetes: 256 KiB of annotations */
#define SL_LIMIT_JSON_NODES        20000u /* of a document that is held in memory */

/* Files. */
#define SL_LIMIT_SECRET_FILE_BYTES (64u * 1024)
#define SL_LIMIT_CONFIG_FILE_BYTES (1024u * 1024)
#define SL_LIMIT_CA_FILE_BYTES     (4u * 1024 * 1024)

/* What one account may hold, and one daemon. */
#define SL_LIMIT_POOLS_PER_ACCOUNT 10000u
#define SL_LIMIT_NAME_BYTES        512u    /* of a pool's name as Spacelift sends it */
#define SL_LIMIT_QUEUE_PAGES       50u     /* of 100 runs, of one pool's queue */
#define SL_LIMIT_BLOCKED_STACKS    50u     /* asked for one pool's blocked runs */
#define SL_LIMIT_WORKER_GROUPS     100u    /* different values of a metadata key in one pool */
#define SL_LIMIT_POINTS            10000u  /* of Spacelift's own statistics */
#define SL_LIMIT_WORKERS           1000000 /* largest MaxWorkers */

/* Remote write. */
#define SL_LIMIT_SERIES            1000000u /* distinct series one sender keeps */
#define SL_LIMIT_LABEL_VALUE_BYTES (16u * 1024)

#endif
