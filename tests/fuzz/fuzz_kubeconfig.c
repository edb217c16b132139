/* Kubeconfigs, one or two merged at a line of three dashes: refused, or read and told to a program.
 */
#include <string.h>

#include "kubernetes/exec_credential.h"
#include "kubernetes/kubeconfig.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const char mark[] = "\n---\n";
    const char *text = (const char *)data;
    const char *cut = memmem(data, size, mark, sizeof(mark) - 1);
    struct sl_kubeconfig_file files[2] = {{"/a/config", text, size}, {"/b/config", "", 0}};
    struct sl_kubeconfig k;
    struct sl_error err = SL_ERROR_INIT;

    if (cut != NULL) {
        files[0].len = (size_t)(cut - text);
        files[1].yaml = cut + sizeof(mark) - 1;
        files[1].len = size - files[0].len - (sizeof(mark) - 1);
    }
    if (sl_kubeconfig_parse(files, cut != NULL ? 2 : 1, NULL, &k, &err) != SL_OK) {
        return 0;
    }
    if (k.exec.argv != NULL) {
        struct sl_buffer info;

        sl_buffer_init(&info, 1024 * 1024);
        sl_exec_credential_ask(&k, k.ca_pem, &info);
        sl_buffer_release(&info);
    }
    sl_kubeconfig_release(&k);
    return 0;
}
