/*
 * Blocking work in libuv's pool. The job stays its owner's; only libuv's request for it is made
 * here.
 */
#include "core/io/offload.h"

#include "core/io/loop_uv.h"

struct errand {
    uv_work_t request;
    struct mw_loop *loop;
    struct mw_job *job;
};

static void run_job(uv_work_t *request)
{
    struct errand *errand = MW_OWNER(request, struct errand, request);
    errand->job->run(errand->job);
}

static void on_done(uv_work_t *request, int status)
{
    struct errand *errand = MW_OWNER(request, struct errand, request);
    struct mw_job *job = errand->job;
    (void)status; /* nobody cancels */
    mw_free(mw_loop_mem(errand->loop), errand, sizeof(*errand));
    job->done(job);
}

int mw_offload(struct mw_loop *loop, struct mw_job *job)
{
    struct errand *errand = mw_alloc(mw_loop_mem(loop), sizeof(*errand));
    if (!errand)
        return MW_ERR_NOMEM;
    errand->loop = loop;
    errand->job = job;
    int status = uv_queue_work(mw_loop_uv(loop), &errand->request, run_job, on_done);
    if (status < 0)
        mw_free(mw_loop_mem(loop), errand, sizeof(*errand));
    return mw_err_from_uv(status);
}
