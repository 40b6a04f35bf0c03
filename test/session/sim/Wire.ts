/** One process's way to a server: calls take their time, may be lost on the way there or back, or come late. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { Domain, World } from "./VirtualTime.ts"

/** How likely what goes wrong. */
export interface Weather {
  /** The call fails and was not carried out. */
  readonly lostBefore: number
  /** It was carried out, and fails. */
  readonly lostAfter: number
  /** It fails, and is carried out some time later. */
  readonly late: number
  /** A message on a channel is not heard. */
  readonly unheard: number
}

export const fair: Weather = { lostBefore: 0, lostAfter: 0, late: 0, unheard: 0 }

/**
 * What becomes of a call that has arrived: it is carried out and answered, at once or so many milliseconds later; it is
 * carried out later; it fails, and was not carried out, or was, or will be some time later.
 */
export type Fate = "answered" | number | { readonly carriedOutAfter: number } | "lost" | "unanswered" | "late"

/** Sees every call, and may say what becomes of it. */
export interface Watch {
  /** null: as the weather has it. */
  readonly arrives: (who: string, operation: string) => Fate | null
  readonly carriedOut: (who: string, operation: string) => void
}

export interface WireOptions {
  readonly world: World
  readonly domain: Domain
  /** Calls arrive in the order in which they were made. */
  readonly ordered: boolean
  /** Milliseconds after which a call that is not answered fails. */
  readonly patience: number
  /** Milliseconds that a slow leg takes at most; 0: none is slow. */
  readonly slowest: number
  readonly watch: Watch | null
}

export class Wire {
  readonly options: WireOptions
  weather: Weather = fair
  private cut = false
  private readonly onTheWay: Array<() => void> = []

  constructor(options: WireOptions) {
    this.options = options
  }

  get isCut(): boolean {
    return this.cut
  }

  setCut(cut: boolean): void {
    this.cut = cut
  }

  call<A, E>(operation: string, carryOut: () => Exit.Exit<A, E>, broken: () => E): Effect.Effect<A, E> {
    return Effect.async<A, E>((resume) => this.send(operation, carryOut, broken, resume))
  }

  /** `answer` is not called when the process has ended. */
  send<A, E>(
    operation: string,
    carryOut: () => Exit.Exit<A, E>,
    broken: () => E,
    answer: (exit: Exit.Exit<A, E>) => void
  ): void {
    const { world, domain, patience, watch } = this.options
    if (domain.isDead) return
    const fail = () => answer(Exit.fail(broken()))
    const carriedOut = (how: string) => {
      const exit = carryOut()
      world.note(domain.name, () => `${operation}${how} = ${shown(exit)}`)
      watch?.carriedOut(domain.name, operation)
      return exit
    }
    const lost = (fails: () => void) => {
      world.note(domain.name, () => `${operation}: lost on the way`)
      fails()
    }
    const arrive = () => {
      if (this.cut) {
        return lost(() => world.after(world.chance(0.5) ? world.between(0, 10) : patience, fail))
      }
      const fate = this.fateOf(operation)
      switch (fate) {
        case "lost":
          lost(() => this.soon(fail))
          break
        case "late":
          world.after(patience, fail)
          world.straying += 1
          world.after(world.between(0, 2 * patience), () => {
            world.straying -= 1
            carriedOut(" (late)")
          })
          break
        case "unanswered":
          carriedOut(" (answer lost)")
          this.soon(fail)
          break
        default: {
          if (typeof fate === "object") {
            world.after(fate.carriedOutAfter, () => answer(carriedOut("")))
            break
          }
          const exit = carriedOut("")
          if (fate === "answered") this.soon(() => answer(exit))
          else world.after(fate, () => answer(exit))
        }
      }
    }
    if (this.options.ordered) {
      this.onTheWay.push(arrive)
      this.soon(() => this.onTheWay.shift()?.())
    } else this.soon(arrive)
  }

  private fateOf(operation: string): Fate {
    const { world, domain, watch } = this.options
    const said = watch?.arrives(domain.name, operation) ?? null
    if (said !== null) return said
    const { lostBefore, lostAfter, late } = this.weather
    const luck = world.random()
    if (luck < lostBefore) return "lost"
    if (luck < lostBefore + late) return "late"
    return luck < lostBefore + late + lostAfter ? "unanswered" : "answered"
  }

  /** After a drawn delay: most often at once, sometimes a while, seldom long. */
  soon(run: () => void): void {
    const { world, slowest } = this.options
    const luck = world.random()
    if (slowest === 0 || luck < 0.6) world.post(run)
    else world.after(luck < 0.95 ? world.between(1, 8) : world.between(8, slowest), run)
  }
}

const shown = (exit: Exit.Exit<unknown, unknown>): string => {
  const text = JSON.stringify(Exit.isSuccess(exit) ? exit.value : exit.cause)
  return text === undefined ? "done" : text.length > 300 ? `${text.slice(0, 300)}…` : text
}
