/*
 * What the server says about coming back: at the end of a close reason (";retry=no",
 * ";retry=1000-5000;resume=no"), or as `retry` in the answer to a handshake that it refused: false,
 * or seconds { after, spread }. Both become { retry: false | [from, to] in ms, resume }.
 */
const SUFFIX = /^(.*);retry=(no|(\d{1,9})(?:-(\d{1,9}))?)(;resume=no)?$/s;
const MOST_MS = 2 * 86400e3;

/* [text, advice]. What is no advice in every byte is text, and the advice undefined. */
export function readReason(reason) {
    const [, text, word, from, to = from, fresh] = SUFFIX.exec(reason) ?? [];
    return !word || +to < +from || +to > MOST_MS ? [reason] :
        [text, { retry: from ? [+from, +to] : false, resume: !fresh }];
}

export const readRetry = (retry) => ({
    retry: retry && [retry.after * 1e3, (retry.after + retry.spread) * 1e3],
    resume: true,
});
