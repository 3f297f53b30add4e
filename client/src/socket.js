/*
 * A WebSocket that comes back. To the page it looks like the one of the browser; under it stands
 * one real WebSocket after another, and between them backoff.js says when.
 *
 * Beside the page's messages it speaks with a Moonwire server in texts that begin with the mark of
 * address.js: the server's hello (MARK{...}), our question whether it is there (MARK?), its answer
 * (MARK!), and where it has dropped messages of the script's, how many (MARK-3).
 *
 * With `resume` the real ones stand under a session, which looks like one of them (resume.js).
 */
import { mark, resolve } from './address.js';
import { readReason, readRetry } from './advice.js';
import { backoff } from './backoff.js';
import { report } from './console.js';
import { followLife, isOnline } from './life.js';
import { watch } from './liveness.js';
import { rowOf } from './policy.js';

/* Of the attempts of a series that fail before they open, the 1st, 9th, 17th ... are asked about. */
const ASK_EACH = 8;

export class Socket extends EventTarget {
    binaryType = 'blob'; /* goes to the real one as it opens, and with each message */
    #url;
    #options;
    /* state: idle, connecting, open, waiting, offline or closed; set by #turn alone. */
    #missed = 0; /* attempts since the last one that opened */
    #failures = 0; /* returns in a row of which none stood */
    #resume; /* the session may be asked for */
    #told; /* advice of the last refusal, which holds for those that are not asked about */
    #queue = [];
    #line = { over: 1, ws: {} }; /* the last attempt, and the connection that came of it */
    #over; /* closed by the page, and so until open() */
    #timer; /* of the next attempt */
    #at; /* when that is due; undefined: there is none */
    #least; /* before it nothing hurries that attempt */
    #unfollow;

    constructor(url, options = {}) {
        super();
        for (const type of ['gap', 'close', 'error', 'message', 'state', 'drop', 'open'])
            this.addEventListener(type, (event) => this['on' + type]?.(event));
        /* As for a WebSocket, what comes second may be the subprotocols. */
        this.#options = options.at ? { protocols: options } : options;
        this.#url = url;
        if (!url.call) resolve(url); /* throws where it is none */
        this.open();
    }

    get readyState() { return { open: this.#line.ws.readyState, closed: 3 }[this.state] ?? 0; }
    get url() { return this.#line.url; }
    get id() { return this.#line.id; }
    get protocol() { return this.#line.ws.protocol ?? ''; }
    get extensions() { return this.#line.ws.extensions ?? ''; }
    get bufferedAmount() { return (this.#line.ws.bufferedAmount ?? 0) + new Blob(this.#queue).size; }

    /* Sent, or kept for the connection that comes; where none will, there is a `drop` event. */
    send(data) {
        this.#pass(this.#options.json ? JSON.stringify(data) : data);
    }

    /* Ends it, for good: it does not come back by itself. */
    close(...why) {
        const { ws, over } = this.#line;
        const isLive = !over && ws.readyState < 3;
        if (isLive) ws.close(...why);
        this.#over = true;
        if (!over && !isLive) this.#end(this.#line); /* it was asking why, or for its URL */
        else if (over && this.state != 'closed') this.#turn('closed');
    }

    /* Now, where it waits or has closed. */
    open() {
        this.#over = false;
        this.#unfollow ??= followLife((...how) => this.#rest(...how));
        if (this.#line.over) this.#dial();
    }

    /* ---- one connection after another ---- */

    async #dial() {
        /* Node 18 has no crypto for all, and so no mark. */
        const { connectTimeout = 8e3, sideband = globalThis.crypto } = this.#options;
        const line = this.#line = { url: '', id: null, ws: {} };
        line.timer = setTimeout(() => this.#end(line, { explain: 'No answer' }), connectTimeout);
        this.#turn('connecting');
        try {
            let Kind = this.#options.WebSocket ?? WebSocket;
            if (this.#options.resume) Kind = (await import('./resume.js')).sessionOf(this, Kind);
            const address = resolve(this.#url.call ? await this.#url() : this.#url);
            if (line.over) return;
            line.url = address.href;
            if (sideband) line.mark = mark(address);
            line.ws = new Kind(address, this.#options.protocols);
            this.#attach(line, line.ws);
        } catch (error) {
            this.#end(line, { explain: '' + error });
        }
    }

    #attach(line, ws) {
        ws.onmessage = ({ data }) => this.#hear(line, data);
        ws.onerror = () => {}; /* the end tells; npm ws wants it heard */
        ws.onopen = ({ fields }) => {
            clearTimeout(line.timer);
            line.openedAt = line.heardAt = performance.now();
            this.#turn('open');
            this.#fire('open', fields);
            ws.binaryType = this.binaryType;
            this.#queue.splice(0).forEach((data) => this.#pass(data));
        };
        ws.onclose = async (end) => {
            /* To a page all that fails is 1006; the server keeps what it said for a minute. */
            if (line.mark && !line.openedAt && !line.over && !this.#over &&
                this.#missed++ % ASK_EACH == 0) try {
                const answer = await fetch(
                    new URL('/_moonwire/why/' + line.mark, line.url.replace('ws', 'http')));
                const said = answer.ok && await answer.json();
                if (readRetry(said)) line.refused = said;
            } catch {}
            this.#end(line, end);
        };
    }

    #hear(line, data) {
        if (line.over) return;
        line.heardAt = performance.now();
        line.ws.binaryType = this.binaryType;
        const isAside = line.mark && data.startsWith?.(line.mark);
        if (isAside) data = data.slice(line.mark.length);
        /* What is no JSON is given as the text that it is. */
        try {
            if (isAside || this.#options.json) data = JSON.parse(data);
        } catch {}
        if (!isAside) this.#fire('message', { data });
        if (isAside && data < 0) this.#fire('gap', { missed: -data });
        if (isAside && data?.id) {
            const { ping, pong } = data;
            line.id = data.id;
            if (!line.doubt && ping * pong > 0) line.doubt = watch(line, ping * 1e3, pong * 1e3,
                () => line.ws.send(line.mark + '?'),
                () => this.#end(line, { code: 4000, explain: `Was silent for ${ping + pong} s` }));
        }
    }

    /* Into the connection, or the queue. */
    #pass(data) {
        const { queue = 64 } = this.#options;
        if (this.readyState == 1) this.#line.ws.send(data);
        else if (!this.#over && this.state != 'closed' && this.#queue.length < queue) {
            this.#queue.push(data);
        } else this.#fire('drop', { data });
    }

    /* ---- an end, and what follows ---- */

    #end(line, { code = 1006, reason = '', wasClean = false, explain } = {}) {
        if (line.over) return;
        line.over = 1;
        clearTimeout(line.timer);
        line.ws.leave?.(code) ?? line.ws.close?.(); /* of a session: to close would be its end */
        const { minUptime = 5e3, reconnect = true, dev = true } = this.#options;
        const { refused } = line;
        const now = performance.now();
        const lasted = now - line.openedAt;
        const opened = lasted >= 0;
        const row = rowOf(code);
        let [text, advice] = readReason(reason);
        if (refused) this.#told = readRetry(refused);
        if (opened) this.#told = this.#missed = 0;
        advice ??= this.#told || null;
        if (lasted >= minUptime) this.#failures = 0;
        const [retryIn, least] = this.#over || !reconnect ? [] :
            backoff(row, advice, this.#failures++, this.#options);
        if (opened) this.#resume = row[5];
        if (retryIn == null || (advice && !advice.resume)) this.#resume = 0;
        const event = {
            code, reason: text, wasClean, advice, retryIn: retryIn ?? null, opened, lasted,
            refused, id: line.id,
            explain: explain ?? refused?.text ?? row[1], resume: !!this.#resume, silent: now - line.heardAt,
        };
        if (dev) report(event);
        /* A sum with what is undefined is no time, as `closed` wants it. */
        this.#turn(retryIn == null ? 'closed' : 'waiting', now + retryIn, now + least);
        if (!opened) this.#fire('error');
        this.#fire('close', event);
    }

    /*
     * `hurried`: there is reason to try now; but not before the moment that the server has named, or
     * the code.
     */
    #rest(state, hurried) {
        if (hurried && this.readyState == 1) this.#line.doubt?.();
        if (state == 'idle') this.#end(this.#line, { code: 1001 });
        if (this.#at) this.#turn(state, hurried ? this.#least : this.#at, this.#least);
    }

    #turn(state, at, least) {
        clearTimeout(this.#timer);
        if (state == 'waiting' && !isOnline()) state = 'offline';
        this.state = state;
        this.#at = at;
        this.#least = least;
        const retryIn = at ? Math.max(at - performance.now(), 0) : null;
        if (state == 'waiting') this.#timer = setTimeout(() => this.#dial(), retryIn);
        if (state == 'closed') { /* all is forgotten, before a handler may open() again */
            this.#failures = this.#told = this.#missed = 0;
            this.#unfollow = this.#unfollow?.abort();
            this.#queue.splice(0).forEach((data) => this.#fire('drop', { data }));
        }
        this.#fire('state', { state, retryIn });
    }

    #fire(type, fields) {
        this.dispatchEvent(Object.assign(new Event(type), fields));
    }
}

Object.assign(Socket.prototype,
    Object.assign(Socket, { CONNECTING: 0, OPEN: 1, CLOSING: 2, CLOSED: 3 }));
