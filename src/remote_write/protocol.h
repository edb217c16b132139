/* The two protocols; prometheus.io/docs/specs/prw. */
#ifndef SL_REMOTE_WRITE_PROTOCOL_H
#define SL_REMOTE_WRITE_PROTOCOL_H

enum sl_write_protocol {
    SL_WRITE_1_0, /* prometheus.WriteRequest */
    SL_WRITE_2_0, /* io.prometheus.write.v2.Request */
};

#endif
