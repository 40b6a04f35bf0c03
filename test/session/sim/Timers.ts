/** Things to come, the next one first: a binary heap. Those of the same moment come in any order. */
interface Timer<A> {
  readonly at: number
  what: A | null
}

export class Timers<A> {
  private readonly heap: Array<Timer<A>> = []

  get nextAt(): number | null {
    this.dropCalledOff()
    return this.heap[0]?.at ?? null
  }

  /** Answers how to call it off. */
  add(at: number, what: A): () => void {
    const timer: Timer<A> = { at, what }
    const { heap } = this
    let place = heap.length
    heap.push(timer)
    while (place > 0) {
      const parent = (place - 1) >> 1
      const above = heap[parent]
      if (above === undefined || above.at <= at) break
      heap[place] = above
      place = parent
    }
    heap[place] = timer
    return () => {
      timer.what = null
    }
  }

  takeDue(now: number, use: (what: A) => void): void {
    for (let first = this.heap[0]; first !== undefined && first.at <= now; first = this.heap[0]) {
      this.removeFirst()
      if (first.what !== null) use(first.what)
    }
  }

  private dropCalledOff(): void {
    while (this.heap[0] !== undefined && this.heap[0].what === null) this.removeFirst()
  }

  private removeFirst(): void {
    const { heap } = this
    const last = heap.pop()
    if (last === undefined || heap.length === 0) return
    let place = 0
    for (;;) {
      const left = 2 * place + 1
      const a = heap[left]
      if (a === undefined) break
      const b = heap[left + 1]
      const [child, under] = b !== undefined && b.at < a.at ? [left + 1, b] : [left, a]
      if (under.at >= last.at) break
      heap[place] = under
      place = child
    }
    heap[place] = last
  }
}
