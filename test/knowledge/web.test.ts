import * as Http from "node:http"
import { expect, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schedule from "effect/Schedule"
import { Documents } from "../../src/knowledge/Documents.ts"
import { entryFor, mayConnect } from "../../src/knowledge/web/allowed.ts"
import { shelf } from "./shelf.ts"

type Pages = Readonly<Record<string, Http.RequestListener>>

/** A site on 127.0.0.1, and what was asked of it. */
const site = (pages: Pages) =>
  Effect.gen(function* () {
    const asked: Array<string> = []
    let abandoned = 0
    const server = Http.createServer((request, response) => {
      asked.push(request.url ?? "")
      response.on("close", () => {
        if (!response.writableEnded) abandoned += 1
      })
      const page = pages[request.url ?? ""]
      if (page === undefined) response.writeHead(404).end("nothing here")
      else page(request, response)
    })
    const port = yield* Effect.acquireRelease(
      Effect.async<number>((resume) => {
        server.listen(0, "127.0.0.1", () => {
          const address = server.address()
          resume(Effect.succeed(address === null || typeof address === "string" ? 0 : address.port))
        })
      }),
      () =>
        Effect.async<void>((resume) => {
          server.close(() => resume(Effect.void))
          server.closeAllConnections()
        })
    )
    return { port, asked, abandoned: () => abandoned }
  })

const says =
  (body: string | Uint8Array, type = "text/html"): Http.RequestListener =>
  (_, response) =>
    response.writeHead(200, { "content-type": type }).end(body)

const leadsTo =
  (location: string): Http.RequestListener =>
  (_, response) =>
    response.writeHead(302, { location }).end()

const fetched = (url: string, webHosts: ReadonlyArray<string>, timeout = Duration.seconds(20)) =>
  Effect.flatMap(Documents, (documents) => documents.fetch(url)).pipe(
    Effect.provide(shelf({ webHosts, documentTimeout: timeout }))
  )

const refused = (url: string, webHosts: ReadonlyArray<string>, timeout?: Duration.Duration) =>
  fetched(url, webHosts, timeout).pipe(
    Effect.flip,
    Effect.map((error) => (error._tag === "DocumentFailed" ? error.reason : String(error)))
  )

it.scopedLive("a page of an allowed host is read by its headings", () =>
  Effect.gen(function* () {
    const { port } = yield* site({
      "/hours": says("<title>x</title><h1>Hours</h1><p>Open &amp; warm</p><h2>Sunday</h2><p>Closed</p>"),
      "/plain": says("just text", "text/plain; charset=utf-8"),
      "/gb": says(Buffer.from([0xbc, 0xdb, 0xb8, 0xf1]), "text/plain; charset=gb18030")
    })
    const origin = `http://127.0.0.1:${port}`
    const docs = yield* fetched(`http://me:secret@127.0.0.1:${port}/hours#top`, [`127.0.0.1:${port}`])
    expect(docs).toEqual([
      {
        text: "# Hours\n\nOpen & warm",
        heading: "Hours",
        fileId: "",
        fileName: `127.0.0.1:${port}/hours`,
        page: null,
        boxes: [],
        url: `${origin}/hours`
      },
      expect.objectContaining({ heading: "Hours › Sunday", text: "## Sunday\n\nClosed" })
    ])
    expect((yield* fetched(`${origin}/plain`, [`127.0.0.1:${port}`]))[0]?.text).toBe("just text")
    expect((yield* fetched(`${origin}/gb`, [`127.0.0.1:${port}`]))[0]?.text).toBe("价格")
  })
)

it.scopedLive("a host that is not in the list is never asked", () =>
  Effect.gen(function* () {
    const { asked, port } = yield* site({ "/": says("secret") })
    const url = `http://127.0.0.1:${port}/`
    for (const hosts of [
      [],
      ["127.0.0.1"],
      ["localhost"],
      [`127.0.0.1:${port + 1}`],
      ["example.org"],
      ["*"]
    ]) {
      expect(yield* refused(url, hosts)).toContain("not among WEB_HOSTS")
    }
    expect(yield* refused("file:///etc/passwd", ["127.0.0.1"])).toContain("no http(s) address")
    expect(yield* refused("not an address", ["127.0.0.1"])).toContain("no http(s) address")
    expect(asked).toEqual([])
  })
)

it.scopedLive(
  "a redirect is followed to an allowed host, and refused to any other, however it is written",
  () =>
    Effect.gen(function* () {
      const inner = yield* site({ "/": says("the metadata of the machine") })
      const elsewhere = [
        `http://127.0.0.1:${inner.port}/`,
        `http://127.1:${inner.port}/`,
        `http://0x7f000001:${inner.port}/`,
        `http://[::ffff:127.0.0.1]:${inner.port}/`,
        `http://0.0.0.0:${inner.port}/`,
        `//127.0.0.1:${inner.port}/`,
        "http://169.254.169.254/latest/meta-data"
      ]
      const { port } = yield* site({
        "/here": leadsTo("/there"),
        "/there": says("arrived"),
        "/loop": leadsTo("/loop"),
        "/file": leadsTo("file:///etc/passwd"),
        ...Object.fromEntries(elsewhere.map((url, at) => [`/away/${at}`, leadsTo(url)]))
      })
      const hosts = [`127.0.0.1:${port}`]
      const docs = yield* fetched(`http://127.0.0.1:${port}/here`, hosts)
      expect(docs[0]).toMatchObject({ text: "arrived", url: `http://127.0.0.1:${port}/there` })
      for (const at of elsewhere.keys()) {
        expect(yield* refused(`http://127.0.0.1:${port}/away/${at}`, hosts)).toContain("not among WEB_HOSTS")
      }
      expect(yield* refused(`http://127.0.0.1:${port}/loop`, hosts)).toContain("more than 3 times")
      expect(yield* refused(`http://127.0.0.1:${port}/file`, hosts)).toContain("no http(s) address")
      expect(inner.asked).toEqual([])
    })
)

it.scopedLive("a name that leads into this machine is refused, unless it is the very name for it", () =>
  Effect.gen(function* () {
    const { asked, port } = yield* site({ "/": says("inside") })
    // ".localhost" names lead to the loopback address, as any name may that its owner points there.
    const named = yield* refused(`http://inside.localhost:${port}/`, [`inside.localhost:${port}`])
    expect(named).toMatch(/private network|cannot be reached/)
    expect(asked).toEqual([])
    expect((yield* fetched(`http://localhost:${port}/`, [`localhost:${port}`]))[0]?.text).toBe("inside")
  })
)

it.scopedLive(
  "what is too large, too slow, no text or cut short is told in words, and its connection closed",
  () =>
    Effect.gen(function* () {
      const server = yield* site({
        "/large": says("x".repeat(5 * 1024 * 1024 + 1), "text/plain"),
        "/slow": (_, response) => {
          response.writeHead(200, { "content-type": "text/plain" })
          response.write("a beginning")
        },
        "/picture": says("GIF89a", "image/gif"),
        "/packed": (_, response) => {
          response.writeHead(200, { "content-type": "text/plain", "content-encoding": "gzip" }).end("x")
        },
        "/cut": (_, response) => {
          response.writeHead(200, { "content-type": "text/plain", "content-length": "100" })
          response.write("half", () => response.destroy())
        },
        "/empty": says("<p> </p>")
      })
      const reason = (path: string, timeout?: Duration.Duration) =>
        refused(`http://127.0.0.1:${server.port}${path}`, [`127.0.0.1:${server.port}`], timeout)
      expect(yield* reason("/large")).toContain("larger than 5 MiB")
      expect(yield* reason("/picture")).toContain('its type is "image/gif"')
      expect(yield* reason("/packed")).toContain("compressed")
      expect(yield* reason("/cut")).toContain("broke off")
      expect(yield* reason("/empty")).toContain("has no text in it")
      expect(yield* reason("/missing")).toContain("(404)")
      const before = server.abandoned()
      expect(yield* reason("/slow", Duration.millis(200))).toContain("did not arrive within 200ms")
      yield* Effect.sync(() => server.abandoned() > before).pipe(
        Effect.repeat({ until: (closed) => closed, schedule: Schedule.spaced("2 millis") })
      )
    })
)

it.scopedLive("who stops waiting for a page closes the connection", () =>
  Effect.gen(function* () {
    const server = yield* site({ "/": () => undefined })
    const waiting = yield* Effect.fork(
      fetched(`http://127.0.0.1:${server.port}/`, [`127.0.0.1:${server.port}`])
    )
    const until = (condition: () => boolean) =>
      Effect.sync(condition).pipe(Effect.repeat({ until: (it) => it, schedule: Schedule.spaced("2 millis") }))
    yield* until(() => server.asked.length === 1)
    yield* Fiber.interrupt(waiting)
    yield* until(() => server.abandoned() === 1)
  })
)

it("an entry stands for its host and the scheme's own port, with a dot for what is below it", () => {
  const allowed = (url: string, entry: string) => entryFor(new URL(url), [entry]) !== undefined
  expect(allowed("https://docs.example.org/a", "docs.example.org")).toBe(true)
  expect(allowed("http://Docs.Example.org./a", "DOCS.example.org")).toBe(true)
  expect(allowed("https://docs.example.org:8443/", "docs.example.org")).toBe(false)
  expect(allowed("https://docs.example.org:8443/", "docs.example.org:8443")).toBe(true)
  expect(allowed("https://docs.example.org/", ".example.org")).toBe(true)
  expect(allowed("https://example.org/", ".example.org")).toBe(false)
  expect(allowed("https://badexample.org/", ".example.org")).toBe(false)
  expect(allowed("https://example.org.evil.com/", "example.org")).toBe(false)
  expect(allowed("http://10.0.0.1/", ".0.0.1")).toBe(false)
})

it("names may lead to public addresses only; an address in the list is meant", () => {
  for (const address of [
    "127.0.0.1",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.0",
    "224.0.0.1",
    "::1",
    "::",
    "fe80::1",
    "fc00::1",
    "::ffff:10.0.0.1",
    "64:ff9b::a00:1",
    "2002:a00:1::",
    "nonsense"
  ]) {
    expect(mayConnect(address, "docs.example.org"), address).toBe(false)
  }
  expect(mayConnect("93.184.215.14", "docs.example.org")).toBe(true)
  expect(mayConnect("2606:2800:21f:cb07:6820:80da:af6b:8b2c", ".example.org")).toBe(true)
  expect(mayConnect("127.0.0.1", "localhost:8080")).toBe(true)
  expect(mayConnect("10.1.2.3", "10.1.2.3")).toBe(true)
  expect(mayConnect("::1", "[::1]:8080")).toBe(true)
})
