/*
 * Prints what a script or a server has said so that it stays text. Ends of lines and tabs are part
 * of it. Called by the verbs.
 */
#include "core/cli/say.h"

#include "core/base/hidden.h"

void mw_cli_say(FILE *out, struct mw_view text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        size_t hidden = c == '\n' || c == '\t' ? 0 : mw_hidden_at(text, i, 0);
        if (!hidden)
            fputc(c, out);
        for (size_t k = 0; k < hidden; k++)
            fprintf(out, "\\x%02x", (unsigned char)text.data[i + k]);
        i += hidden ? hidden - 1 : 0;
    }
}
