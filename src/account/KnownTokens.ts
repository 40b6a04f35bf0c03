/**
 * What tokens say whose signature was found good, so that it is not checked again: who comes back after the network was
 * gone, opens a second tab or asks something over HTTP brings the token of before. A check takes 50 µs, a seventh of a
 * connect. What is kept here gives no right by itself: whether a token has ended is asked every time.
 */

/** 2 MB as a rule, 16 MB where all are as long as a token may be. */
const most = 4_096

export class KnownTokens<A> {
  private readonly check: (token: string) => A | null
  /** The one used longest ago first. */
  private readonly known = new Map<string, A>()

  constructor(check: (token: string) => A | null) {
    this.check = check
  }

  /** Null for what is no token of ours: that is never kept. */
  read(token: string): A | null {
    const before = this.known.get(token)
    const said = before ?? this.check(token)
    if (said === null) return null
    if (before !== undefined) this.known.delete(token)
    this.known.set(token, said)
    for (const oldest of this.known.keys()) {
      if (this.known.size <= most) break
      this.known.delete(oldest)
    }
    return said
  }
}
