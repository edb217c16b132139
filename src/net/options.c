/* Which of a client's options go together. */
#include "net/options.h"

int sl_http_options_check(const struct sl_http_options *o, struct sl_error *err) {
    const char *password = o->password_file != NULL         ? "PasswordFile"
                           : sl_secret_is_set(&o->password) ? "Password"
                                                            : NULL;
    if (sl_secret_is_set(&o->password) && o->password_file != NULL)
        return sl_fail(err, SL_CONFIG, "Password and PasswordFile are both set: remove one");
    if (o->user != NULL && password == NULL)
        return sl_fail(err, SL_CONFIG, "User is set without PasswordFile: set both or neither");
    if (o->user == NULL && password != NULL)
        return sl_fail(err, SL_CONFIG, "%s is set without User: set both or neither", password);
    if (o->user != NULL && o->bearer_token_file != NULL)
        return sl_fail(err, SL_CONFIG, "User and BearerTokenFile are both set: remove one");
    if ((o->client_cert != NULL) != (o->client_key != NULL))
        return sl_fail(err, SL_CONFIG, "%s is set without %s: set both or neither",
                       o->client_cert != NULL ? "ClientCert" : "ClientKey",
                       o->client_cert != NULL ? "ClientKey" : "ClientCert");
    return SL_OK;
}
