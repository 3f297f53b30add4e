/* libwebsockets' client, in a program that is built where the library is. */
import { peer, skip } from './conversation.mjs';

const program = process.env.PEER_LIBWEBSOCKETS;
if (!program) skip('built without libwebsockets; Debian: apt-get install libwebsockets-dev');
peer("libwebsockets' client", [program]);
