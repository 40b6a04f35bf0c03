/** A browser and real servers for tests of the page. Screenshots go to test/screenshots, which git ignores. */
import { accessSync, constants, mkdirSync } from "node:fs"
import { delimiter, join } from "node:path"
import { fileURLToPath } from "node:url"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { type Browser, type BrowserContext, chromium, type Locator, type Page } from "playwright-core"
import { type ServerProcess, startProcess, tempDir } from "../support/process.ts"
import { type PacedUpstream, pacedUpstream } from "../support/upstream.ts"

const screenshots = fileURLToPath(new URL("../screenshots", import.meta.url))

const onPath = (names: ReadonlyArray<string>): string => {
  for (const folder of (process.env["PATH"] ?? "").split(delimiter)) {
    for (const name of names) {
      const path = join(folder, name)
      try {
        accessSync(path, constants.X_OK)
        return path
      } catch {
        // Not here: the next folder may have it.
      }
    }
  }
  throw new Error(`no browser: none of ${names.join(", ")} is on PATH (Debian: apt-get install chromium)`)
}

const launch = Effect.acquireRelease(
  Effect.promise(() =>
    chromium.launch({
      executablePath: onPath(["chromium", "chromium-headless-shell", "google-chrome", "chrome"]),
      args: [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync"
      ]
    })
  ),
  (browser) => Effect.promise(() => browser.close())
)

export class Browsing extends Context.Tag("test/Browsing")<Browsing, { readonly browser: Browser }>() {
  static readonly Live = Layer.scoped(
    Browsing,
    Effect.suspend(() => {
      mkdirSync(screenshots, { recursive: true })
      return Effect.map(launch, (browser) => ({ browser }))
    }).pipe(Effect.orDie)
  )
}

export class Playground extends Context.Tag("test/Playground")<
  Playground,
  {
    /** Answers with words of its own, as the question says: test/support/paced-upstream.mjs. */
    readonly upstream: PacedUpstream
    /** A server on that model. */
    readonly paced: ServerProcess
    /** A server on the built-in model. */
    readonly offline: ServerProcess
  }
>() {
  static readonly Live = Layer.scoped(
    Playground,
    Effect.gen(function* () {
      const upstream = yield* pacedUpstream({ tokens: 12, delay: 10 })
      const start = (more: Readonly<Record<string, string>>) =>
        Effect.flatMap(tempDir, (dir) => startProcess({ DATA_DIR: dir, ...more }))
      const [paced, offline] = yield* Effect.all(
        [start({ OPENAI_BASE_URL: upstream.url, OPENAI_MODEL: "paced" }), start({})],
        { concurrency: "unbounded" }
      )
      return { upstream, paced, offline }
    }).pipe(Effect.orDie)
  )
}

export interface VisitOptions {
  readonly dark?: boolean
  readonly phone?: boolean
}

/** A person with a browser profile of their own, looking at the page. */
export const visit = (server: { readonly url: string }, { dark = false, phone = false }: VisitOptions = {}) =>
  Effect.gen(function* () {
    const { browser } = yield* Browsing
    const context = yield* Effect.acquireRelease(
      Effect.promise(() =>
        browser.newContext({
          baseURL: server.url,
          colorScheme: dark ? "dark" : "light",
          viewport: phone ? { width: 390, height: 780 } : { width: 1280, height: 800 },
          hasTouch: phone,
          isMobile: phone,
          permissions: ["clipboard-read", "clipboard-write"]
        })
      ),
      (context) => Effect.promise(() => context.close())
    )
    return yield* Effect.promise(() => openTab(context))
  })

/** A tab on the address, of the same person. */
export const openTab = async (context: BrowserContext, address = "/"): Promise<Visitor> => {
  const page = await context.newPage()
  const visitor = new Visitor(page)
  await page.goto(address)
  return visitor
}

/** What a person does and sees. Every wait is for something to be seen. */
export class Visitor {
  readonly page: Page
  /** Errors of the page itself. */
  readonly errors: Array<string> = []
  readonly asked: Array<string> = []

  constructor(page: Page) {
    this.page = page
    page.on("pageerror", (error) => this.errors.push(error.message))
    page.on("request", (request) => this.asked.push(request.url()))
  }

  get input(): Locator {
    return this.page.getByRole("textbox", { name: "Your question" })
  }

  get questions(): Locator {
    return this.page.locator("[data-role=question]")
  }

  get answers(): Locator {
    return this.page.locator("[data-role=answer]")
  }

  /** The answer at this place, once it is `status`. */
  async answer(
    place: number,
    status: "running" | "waiting" | "done" | "stopped" | "failed"
  ): Promise<Locator> {
    const answer = this.answers.nth(place)
    await answer.and(this.page.locator(`[data-status=${status}]`)).waitFor()
    return answer
  }

  async pick(app: string): Promise<void> {
    await this.page.getByRole("main").getByRole("link", { name: app }).click()
    await this.page.getByText("Connected", { exact: true }).waitFor()
  }

  async ask(text: string): Promise<void> {
    await this.input.fill(text)
    await this.input.press("Enter")
  }

  async sees(text: string | RegExp): Promise<void> {
    await this.page.getByText(text).first().waitFor()
  }

  async shot(name: string): Promise<void> {
    await this.page.screenshot({ path: join(screenshots, `${name}.png`) })
  }
}

/** The words of the paced model, `from` to `to`. */
export const words = (from: number, to: number): string =>
  Array.from({ length: to - from }, (_, i) => `w${from + i}`).join(" ")
