/*
 * What the server says about coming back: at the end of a close reason (";retry=no",
 * ";retry=1000-5000;resume=no"), or as `retry` in the answer to a handshake that it refused: false,
 * or seconds { after, spread }. Both become { retry: false | [from, to] in ms, resume }; what is
 * neither, or no time that anybody can mean, is no advice: null.
 */
const SUFFIX = /^(.*);retry=(no|(\d{1,9})(?:-(\d{1,9}))?)(;resume=no)?$/s;
const MOST_MS = 2 * 86400e3;

const advise = (never, from, to, resume) =>
    never || (from >= 0 && to >= from && to <= MOST_MS) ?
        { retry: !never && [from, to], resume } : null;

/* [text, advice]. What is no advice in every byte is text. */
export function readReason(reason) {
    const [, text, word, from, to = from, fresh] = SUFFIX.exec(reason) ?? [];
    const advice = advise(word == 'no', +from, +to, !fresh);
    return [advice ? text : reason, advice];
}

/* `answer`: any JSON, since gateways answer 200 to everything. */
export const readRetry = ({ error, retry }) => error &&
    advise(retry === false, retry.after * 1e3, (retry.after + retry.spread) * 1e3, true);
