/** Something a peer needs cannot be had on this machine. The peer is left out, and the message says why. */
export class Unavailable extends Error {}
