/* A conversation with one Spacelift account: the API key is exchanged for a token, the token is
 * kept until shortly before it expires, documents are asked for with it.
 *
 * Blocks on the network: for a thread of ours, never for a callback of the host. One thread at a
 * time. Sources: spacelift-io/spacectl client/session, spacelift-io/prometheus-exporter. */
#ifndef SL_SPACELIFT_SESSION_H
#define SL_SPACELIFT_SESSION_H

#include "base/error.h"
#include "base/log.h"
#include "net/http.h"
#include "spacelift/answer.h"
#include "spacelift/options.h"

struct sl_session;

/* Keeps account, transport and log, which must outlive it. Nothing is sent yet; options are checked
 * and the files they name are read once, so that a wrong one is found at start (SL_IO, SL_CONFIG).
 */
int sl_session_new(const struct sl_account *account, struct sl_transport transport,
                   const struct sl_log *log, struct sl_session **ret,
                   struct sl_error *err) SL_CHECKED;
void sl_session_free(struct sl_session *s);

/* Asks for one document. On success *ret is the caller's, to be released. Errors: those of
 * net/http, of answers, of credentials, and
 *   SL_AUTH       the key or the token is refused (the message names the option); asked again at
 *                 most after a pause that grows from 10 s to 5 min, or when the secret has changed
 *   SL_FORBIDDEN  the key is good but may not read this document
 * A token that is refused is exchanged once more and the document asked for once more. */
int sl_session_read(struct sl_session *s, enum sl_document document,
                    const struct sl_document_arguments *arguments,
                    const struct sl_answer_settings *settings, struct sl_answer *ret,
                    struct sl_error *err) SL_CHECKED;

/* How often a token was taken into use: grows when the conversation begins anew, which is when what
 * the server was found to lack is worth another question. */
uint64_t sl_session_logins(const struct sl_session *s);

/* When what the account is entered by ends: Unix time, by the files as they are now; 0 where that
 * is not known. *ret_credential, a literal, says what it is: "api_token", or "oidc_token" of an
 * OIDC key. The session's own token is none: it is renewed. */
int64_t sl_session_expiry(const struct sl_session *s, const char **ret_credential);

#endif
