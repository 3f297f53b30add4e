/** Advice of the server about coming back, from a close reason or a refused handshake. */
export interface Advice {
    /** false: stay away; else come back between so many ms from now. */
    readonly retry: false | readonly [from: number, to: number];
    /** Whether the session may be asked for again. */
    readonly resume: boolean;
}

/** What the server answered to a handshake that it refused; pages cannot read it by themselves. */
export interface Refusal {
    readonly status: number;
    readonly error: string;
    readonly cause: string | null;
    readonly text: string;
    readonly retry?: false | { readonly after: number; readonly spread: number };
}

/**
 * idle: the page sleeps (back/forward cache, frozen). waiting: for the next attempt. offline: as
 * waiting, until there is a network. closed: for good, until open().
 */
export type State = 'idle' | 'connecting' | 'open' | 'waiting' | 'offline' | 'closed';

/** With `resume`: whether it is the session of before, and how many messages of it are lost. */
export interface OpenEvent extends Event {
    readonly type: 'open';
    readonly resumed?: boolean;
    readonly missed?: number;
}

/** Here so many messages of the server are missing: it dropped them, or kept them no longer. */
export interface GapEvent extends Event { readonly type: 'gap'; readonly missed: number }

export interface MessageEvent<In> extends Event { readonly type: 'message'; readonly data: In }

export interface ErrorEvent extends Event { readonly type: 'error' }

/** An end of a connection, or of an attempt that came to nothing. */
export interface CloseEvent extends Event {
    readonly type: 'close';
    readonly code: number;
    /** Without the advice that stood behind it. */
    readonly reason: string;
    readonly wasClean: boolean;
    /** What it means, in one line of English. */
    readonly explain: string;
    readonly advice: Advice | null;
    /** In so many ms it comes back; null: it stays away. */
    readonly retryIn: number | null;
    /** Whether the code lets a next connection ask for the session of this one. */
    readonly resume: boolean;
    /** Whether it was open at all. */
    readonly opened: boolean;
    /** For how many ms it was open; NaN: it was not. */
    readonly lasted: number;
    /** For how many ms nothing was heard before the end; NaN: it was never open. */
    readonly silent: number;
    /** The server's id of the connection, for `moonwire why ID`; null: not a Moonwire server. */
    readonly id: string | null;
    /** Why the handshake was refused, where the server told. */
    readonly refused?: Refusal;
}

export interface StateEvent extends Event {
    readonly type: 'state';
    readonly state: State;
    /** Where it waits: for so many ms. */
    readonly retryIn: number | null;
}

/**
 * A message that will not be sent: the queue is full, or the socket is closed. With `resume` also:
 * 'session lost', it was on its way when its session ended, and perhaps it did arrive;
 * 'not acknowledged', 1024 are on their way.
 */
export interface DropEvent extends Event {
    readonly type: 'drop';
    readonly data: Payload;
    readonly reason?: 'session lost' | 'not acknowledged';
}

export type Payload = string | ArrayBufferLike | ArrayBufferView | Blob;

export interface SocketEventMap<In = any> {
    open: OpenEvent;
    message: MessageEvent<In>;
    error: ErrorEvent;
    close: CloseEvent;
    state: StateEvent;
    drop: DropEvent;
    gap: GapEvent;
}

/** What is needed of a WebSocket: the browser's, Node's, or that of npm `ws`. */
export type WebSocketConstructor = new (url: any, protocols?: any) => any;

export interface Options {
    /** Subprotocols. */
    protocols?: string | string[];
    /** send() writes JSON, messages are parsed. A text that is no JSON is given as it is. */
    json?: boolean;
    /** Messages that wait for a connection; one more is dropped. 64. */
    queue?: number;
    /** ms for an attempt. 8000. */
    connectTimeout?: number;
    /** ms after which a connection counts as a success, and delays begin anew. 5000. */
    minUptime?: number;
    /** ms that every return waits at least, whatever the server advises. 0. */
    floor?: number;
    /** ms beyond which delays do not grow. That of the close code, 30 to 300 s. */
    cap?: number;
    /** Whether it comes back at all. true. */
    reconnect?: boolean;
    /** One line per close in the console. true. */
    dev?: boolean;
    /** Whether a cut connection goes on where it was, with a server that has sessions. false. */
    resume?: boolean;
    /** Whether attempts carry the parameter `moonwire` in their query. true. */
    sideband?: boolean;
    /** From 0 to 1, for delays. Math.random. */
    random?: () => number;
    /** Where there is no global one (Node 18 and 20): that of npm `ws`. */
    WebSocket?: WebSocketConstructor;
}

type Address = string | URL;

/** A WebSocket that comes back. In: what it gives with `json`; Out: what it takes. */
export class Socket<In = any, Out = Payload> extends EventTarget {
    /** `url`: relative or whole, http or ws; a function is called for each attempt. */
    constructor(url: Address | (() => Address | Promise<Address>),
        options?: Options | string | string[]);

    static readonly CONNECTING: 0;
    static readonly OPEN: 1;
    static readonly CLOSING: 2;
    static readonly CLOSED: 3;
    readonly CONNECTING: 0;
    readonly OPEN: 1;
    readonly CLOSING: 2;
    readonly CLOSED: 3;

    readonly state: State;
    readonly readyState: 0 | 1 | 2 | 3;
    readonly url: string;
    readonly protocol: string;
    readonly extensions: string;
    /** Bytes that are not on their way yet, those of waiting messages included. */
    readonly bufferedAmount: number;
    /** The server's id of the connection that is open, as soon as it is known. */
    readonly id: string | null;
    /** With `resume`: whether the connection took up the session of the one before. */
    readonly resumed?: boolean;
    binaryType: BinaryType;

    onopen?: ((this: this, event: OpenEvent) => unknown) | null;
    onmessage?: ((this: this, event: MessageEvent<In>) => unknown) | null;
    onerror?: ((this: this, event: ErrorEvent) => unknown) | null;
    onclose?: ((this: this, event: CloseEvent) => unknown) | null;
    onstate?: ((this: this, event: StateEvent) => unknown) | null;
    ondrop?: ((this: this, event: DropEvent) => unknown) | null;
    ongap?: ((this: this, event: GapEvent) => unknown) | null;

    /** Sends, or keeps for the connection that comes. */
    send(data: Out): void;
    /** Ends it for good. */
    close(code?: number, reason?: string): void;
    /** Tries now, where it waits or has closed. */
    open(): void;

    addEventListener<K extends keyof SocketEventMap>(type: K,
        listener: (this: this, event: SocketEventMap<In>[K]) => unknown,
        options?: boolean | AddEventListenerOptions): void;
    addEventListener(type: string, listener: EventListenerOrEventListenerObject | null,
        options?: boolean | AddEventListenerOptions): void;
    removeEventListener<K extends keyof SocketEventMap>(type: K,
        listener: (this: this, event: SocketEventMap<In>[K]) => unknown,
        options?: boolean | EventListenerOptions): void;
    removeEventListener(type: string, listener: EventListenerOrEventListenerObject | null,
        options?: boolean | EventListenerOptions): void;
}
