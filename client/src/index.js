export { Socket } from './socket.js';
