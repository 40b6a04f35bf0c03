/**
 * For whom something is done at this moment: what a search may look through and which files may be opened
 * depends on it. A reference, because all that lies between a run and a search has no use for it.
 */
import * as Context from "effect/Context"

export interface AskerShape {
  /** null: the server itself. */
  readonly userId: number | null
  /** Files given to this chat are searched beside those of the app; "" for none. */
  readonly chatId: string
}

export class Asker extends Context.Reference<Asker>()("colloquy/Asker", {
  defaultValue: (): AskerShape => ({ userId: null, chatId: "" })
}) {}
