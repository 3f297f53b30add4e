/*
 * What an answer of admission is called, towards the client and in the log. Called by upgrade and,
 * at the end, by client and ws_driver.
 */
#include "core/server/admit.h"

#include "core/base/str.h"
#include "core/server/admission.h"
#include "core/server/http_driver.h"
#include "core/server/worker.h"

static void refuse(struct mw_client *client, unsigned status, const char *error, const char *text)
{
    mw_http_driver_refuse(client, status, error, mw_view_text(text), 0);
}

static void answer(struct mw_client *client, enum mw_admission_answer why,
                   const struct mw_advice *later)
{
    switch (why) {
    case MW_ADMISSION_IN:
        break;
    case MW_ADMISSION_FULL:
        refuse(client, 503, "too_many_connections", "the server has all the connections it may");
        break;
    case MW_ADMISSION_ADDRESS:
        refuse(client, 429, "too_many_from_address", "this address has all the connections it may");
        break;
    case MW_ADMISSION_RATE:
        mw_http_driver_refuse_until(client, 503, "accept_rate",
                                    mw_view_text("many come at once: this is your turn"), later);
        break;
    case MW_ADMISSION_MEMORY:
        refuse(client, 503, "memory_limit", "the server has no memory for one more");
        break;
    case MW_ADMISSION_OUT_OF_MEMORY:
        refuse(client, 503, "out_of_memory", "try again");
        break;
    }
}

bool mw_admit(struct mw_client *client)
{
    struct mw_worker *worker = client->worker;
    struct mw_advice later = { 0 };
    if (client->is_last) {
        refuse(client, 503, "out_of_descriptors", "the server has all the files open that it may");
        return false;
    }
    enum mw_admission_answer why = mw_admission_enter(
        worker->admission, &client->ip, mw_loop_now(worker->loop), &client->process_ip, &later);
    client->is_in = why == MW_ADMISSION_IN;
    if (!client->is_in)
        answer(client, why, &later);
    return client->is_in;
}

void mw_admit_leave(struct mw_client *client)
{
    if (client->is_in)
        mw_admission_leave(client->worker->admission, client->process_ip);
    client->is_in = false;
    client->process_ip = 0;
}
