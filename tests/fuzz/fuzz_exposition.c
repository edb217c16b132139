/* Exposition text: whatever comes in, what is handed over is whole, and a second reading of the
 * same text says the same. The first byte chooses the form. */
#include <stdlib.h>
#include <string.h>

#include "format/exposition.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int visit(void *context, const struct sl_exposition_sample *sample, struct sl_error *err) {
    (void)err;
    *(size_t *)context += 1;
    if (sample->name[0] == '\0' || sample->label_count > SL_EXPOSITION_LABELS_MAX)
        abort();
    for (size_t i = 0; i < sample->label_count; i++)
        if (sample->labels[i].name[0] == '\0' || sample->labels[i].value[0] == '\0')
            abort();
    if (strlen(sample->type) + strlen(sample->help) + strlen(sample->unit) > (1 << 20))
        abort();
    return SL_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0)
        return 0;
    enum sl_exposition_form form = data[0] == 'O' ? SL_EXPOSITION_OPENMETRICS : SL_EXPOSITION_TEXT;
    size_t count = 0, again = 0;
    const char *text = (const char *)data + 1;
    int code = sl_exposition_read(text, size - 1, form, visit, &count, NULL);
    if (sl_exposition_read(text, size - 1, form, NULL, NULL, NULL) != code)
        abort();
    if (sl_exposition_read(text, size - 1, form, visit, &again, NULL) != code || again != count)
        abort();
    return 0;
}
