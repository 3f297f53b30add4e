/*
 * A WebSocket that comes back. To the page it looks like the one of the browser; under it stands
 * one line (line.js) after another, and between them backoff.js says when.
 */
import { resolve } from './address.js';
import { readReason, readRetry } from './advice.js';
import { makeBackoff } from './backoff.js';
import { report } from './console.js';
import { followLife, isOnline } from './life.js';
import { dial } from './line.js';
import { rowOf } from './policy.js';

const STATES = { CONNECTING: 0, OPEN: 1, CLOSING: 2, CLOSED: 3 };

/* Of the attempts of a series that fail before they open, the 1st, 9th, 17th ... are asked about. */
const ASK_EACH = 8;

export class Socket extends EventTarget {
    #url;
    #options;
    #backoff;
    #state;
    #binaryType = 'blob';
    #attempt = 0; /* of those in a row that did not open */
    #queue = [];
    #line = { over: true }; /* the last attempt, or the connection that came of it */
    #over; /* closed by the page, and so until open() */
    #timer; /* of the next attempt */
    #at; /* when that is due; undefined: there is none */
    #least; /* before it nothing hurries that attempt */
    #unfollow;

    constructor(url, options = {}) {
        super();
        /* As for a WebSocket, what comes second may be the subprotocols. */
        this.#options = options.at ? { protocols: options } : options;
        this.#url = url;
        this.#backoff = makeBackoff(this.#options);
        if (!url.call) resolve(url); /* throws where it is none */
        for (const type of ['open', 'message', 'error', 'close', 'state', 'drop']) {
            this['on' + type] = null;
            this.addEventListener(type, (event) => this['on' + type]?.(event));
        }
        this.open();
    }

    get state() { return this.#state; }
    get readyState() {
        return this.#state == 'open' ? this.#line.ws.readyState : this.#state == 'closed' ? 3 : 0;
    }
    get url() { return this.#line.url; }
    get id() { return this.#line.id; }
    get protocol() { return this.#line.ws?.protocol ?? ''; }
    get extensions() { return this.#line.ws?.extensions ?? ''; }
    get bufferedAmount() { return (this.#line.ws?.bufferedAmount ?? 0) + new Blob(this.#queue).size; }
    get binaryType() { return this.#binaryType; }
    set binaryType(type) {
        this.#binaryType = type;
        if (this.#line.ws) this.#line.ws.binaryType = type;
    }

    /* Sent, or kept for the connection that comes; where none will, there is a `drop` event. */
    send(data) {
        const { json, queue = 64 } = this.#options;
        if (json) data = JSON.stringify(data);
        if (this.readyState == 1) this.#give(data);
        else if (!this.readyState && this.#queue.length < queue) this.#queue.push(data);
        else this.#fire('drop', { data });
    }

    /* Ends it, for good: it does not come back by itself. */
    close(...why) {
        const { ws, over, end } = this.#line;
        if (!over) ws?.close(...why);
        this.#over = true;
        if (over) this.#stay();
        else if (!(ws?.readyState < 3)) end();
    }

    /* Now, where it waits or has closed. */
    open() {
        this.#over = false;
        this.#unfollow ??= followLife(
            () => this.#wake(), () => this.#sleep(), () => this.#wait(this.#at, this.#least));
        if (this.#line.over) this.#dial();
    }

    #dial() {
        this.#turn('connecting');
        this.#line = dial(this.#url, this.#options, isOnline() && this.#attempt++ % ASK_EACH == 0,
            () => this.#opened(), (data) => this.#heard(data), (end) => this.#ended(end));
    }

    #give(data) {
        this.#line.at = performance.now();
        this.#line.ws.send(data);
    }

    #opened() {
        this.#attempt = 0;
        this.binaryType = this.#binaryType;
        this.#turn('open');
        this.#fire('open');
        this.#queue.splice(0).forEach((data) => this.#give(data));
    }

    /* What is no JSON is given as the text that it is. */
    #heard(data) {
        try {
            if (this.#options.json) data = JSON.parse(data);
        } catch {}
        this.#fire('message', { data });
    }

    #ended(end) {
        const { code, refused, sleeps } = end;
        let [reason, advice = null] = readReason(end.reason);
        if (refused) advice = readRetry(refused.retry);
        const [retryIn = null, least, resume] =
            this.#over || sleeps || this.#options.reconnect === false ? [] :
                this.#backoff(code, advice, end.lasted);
        const explain = refused?.text ?? rowOf(code)[1];
        const event = { explain, ...end, reason, advice, retryIn, resume };
        if (this.#options.dev !== false) report(event);
        const now = performance.now();
        if (retryIn != null) this.#wait(now + retryIn, now + least);
        else if (!sleeps) this.#stay();
        if (!end.opened) this.#fire('error');
        this.#fire('close', event);
    }

    #wait(at, least) {
        if (at) this.#turn(isOnline() ? 'waiting' : 'offline', at, least);
    }

    #stay() {
        this.#unfollow = this.#unfollow?.();
        this.#turn('closed');
        this.#queue.splice(0).forEach((data) => this.#fire('drop', { data }));
    }

    /* A reason for haste; but not before the moment that the server has named, or the code. */
    #wake() {
        this.#line.watch?.doubt();
        this.#wait(this.#least, this.#least);
        if (this.#state == 'idle') this.#dial();
    }

    #sleep() {
        this.#line.end({ code: 1001, explain: 'The page sleeps', sleeps: true });
        this.#turn('idle');
    }

    #turn(state, at, least) {
        clearTimeout(this.#timer);
        this.#state = state;
        this.#at = at;
        this.#least = least;
        const retryIn = at ? Math.max(0, at - performance.now()) : null;
        if (state == 'waiting') this.#timer = setTimeout(() => this.#dial(), retryIn);
        this.#fire('state', { state, retryIn });
    }

    #fire(type, fields) {
        this.dispatchEvent(Object.assign(new Event(type), fields));
    }
}

Object.assign(Socket, STATES);
Object.assign(Socket.prototype, STATES);
