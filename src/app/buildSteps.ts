/** A build as the editor sees it: step by step, ending with what the app takes, or with what is wrong. */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Mailbox from "effect/Mailbox"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import type { Flow } from "../storage/rows.ts"
import type { App } from "./App.ts"
import type { BuildCacheService, BuildTarget, Claim } from "./BuildCache.ts"
import type { BuilderService } from "./Builder.ts"

export type BuildStep =
  | { readonly _tag: "Building"; readonly node: NodeName }
  | { readonly _tag: "NodeBuilt"; readonly node: NodeName; readonly progress: number }
  | { readonly _tag: "Built"; readonly takes: Takes }
  | { readonly _tag: "Failed"; readonly reason: string }

interface NodeName {
  readonly id: string
  readonly type: string
}

/** What the app asks for: as Bisheng's editor reads it. */
export interface Takes {
  readonly input_keys: ReadonlyArray<Readonly<Record<string, string>>>
  readonly memory_keys: ReadonlyArray<string>
  readonly handle_keys: ReadonlyArray<string>
}

/** The graph that waits in the build cache. A client that leaves ends the build, which can begin anew at once. */
export const buildFromCache = (
  target: BuildTarget,
  flow: Flow,
  services: { readonly cache: BuildCacheService; readonly builder: BuilderService }
): Stream.Stream<BuildStep> =>
  Stream.unwrapScoped(
    services.cache.claim(target).pipe(
      Effect.map((claim) => building({ ...flow, data: claim.graph }, services.builder, claim)),
      Effect.catchTags({
        BuildBusy: () => Effect.succeed(failed("it is being built already; wait for that to end")),
        BuildMissing: () =>
          Effect.succeed(failed("there is nothing to build; send the graph to /build/init first")),
        RedisError: (error) =>
          Effect.as(
            Effect.logWarning("the build cache does not answer", error),
            failed("the build cache does not answer; try again")
          )
      })
    )
  )

/** What is stored, for a chat: the build cache is the editor's and stays as it is. */
export const buildStored = (flow: Flow, builder: BuilderService): Stream.Stream<BuildStep> =>
  building(flow, builder, null)

const failed = (reason: string): Stream.Stream<BuildStep> =>
  Stream.succeed<BuildStep>({ _tag: "Failed", reason })

const building = (flow: Flow, builder: BuilderService, claim: Claim | null): Stream.Stream<BuildStep> =>
  Stream.unwrapScoped(
    Effect.gen(function* () {
      const steps = yield* Mailbox.make<BuildStep>()
      const nodes = nodesOf(flow.data)
      const begun = new Map<string, NodeName>()
      let open: NodeName | null = null
      const close = () => {
        if (open === null) return Effect.void
        const node = open
        open = null
        const progress = Math.round((begun.size / Math.max(nodes.length, begun.size)) * 100) / 100
        return steps.offer({ _tag: "NodeBuilt", node, progress })
      }
      const onNode = (node: NodeName) =>
        Effect.suspend(() => {
          const before = close()
          begun.set(node.id, node)
          open = node
          return Effect.zipRight(before, steps.offer({ _tag: "Building", node }))
        })
      const work = Effect.gen(function* () {
        const built = yield* Effect.either(builder.build(flow, onNode))
        if (Either.isLeft(built)) {
          if (claim !== null) yield* claim.finish("failure")
          yield* steps.offer({ _tag: "Failed", reason: built.left.reason })
          return
        }
        // Kinds of app that are built as a whole.
        for (const node of nodes) if (!begun.has(node.id)) yield* onNode(node)
        yield* close()
        const isOurs = claim === null || (yield* claim.finish("success"))
        yield* steps.offer(
          isOurs
            ? { _tag: "Built", takes: takesOf(built.right, flow.data) }
            : { _tag: "Failed", reason: "the build took too long; build it again" }
        )
      })
      yield* work.pipe(
        Effect.catchAll((error) =>
          Effect.zipRight(
            Effect.logWarning("the build cache does not answer", error),
            steps.offer({ _tag: "Failed", reason: "the build cache does not answer; try again" })
          )
        ),
        Effect.catchAllDefect((defect) =>
          Effect.gen(function* () {
            yield* Effect.logError("a build failed", defect)
            if (claim !== null) yield* Effect.ignore(claim.finish("failure"))
            yield* steps.offer({ _tag: "Failed", reason: "something went wrong in the server" })
          })
        ),
        Effect.zipRight(steps.end),
        Effect.forkScoped
      )
      return Mailbox.toStream(steps)
    })
  )

const Named = Schema.Struct({
  nodes: Schema.Array(Schema.Struct({ id: Schema.String, data: Schema.Struct({ type: Schema.String }) }))
})

const decodeNamed = Schema.decodeUnknownOption(Named)

const nodesOf = (data: unknown): ReadonlyArray<NodeName> =>
  Option.match(decodeNamed(data), {
    onNone: () => [],
    onSome: ({ nodes }) => nodes.map(({ id, data }) => ({ id, type: data.type }))
  })

const Wired = Schema.Struct({
  nodes: Schema.Array(
    Schema.Struct({
      id: Schema.String,
      data: Schema.Struct({
        node: Schema.Struct({
          template: Schema.Struct({ memory_key: Schema.optional(Schema.Struct({ value: Schema.String })) })
        })
      })
    })
  ),
  edges: Schema.Array(Schema.Struct({ source: Schema.String }))
})

const decodeWired = Schema.decodeUnknownOption(Wired)

const takesOf = (app: App, data: unknown): Takes => {
  const graph = Option.getOrElse(decodeWired(data), (): typeof Wired.Type => ({ nodes: [], edges: [] }))
  const sources = new Set(graph.edges.map(({ source }) => source))
  const endId = graph.nodes.find(({ id }) => !sources.has(id))?.id ?? app.flowId
  const takesQuestion = app.form?.takesQuestion ?? true
  return {
    input_keys: [
      ...(app.report !== undefined ? [{ report_name: "", id: endId }] : []),
      ...(app.report === undefined && takesQuestion ? [{ [app.inputKey]: "", id: endId }] : []),
      ...(app.form?.files ?? []).map(({ nodeId }) => ({ file_path: "", type: "file", id: nodeId }))
    ],
    memory_keys: [
      ...new Set(
        graph.nodes.flatMap(({ data }) => {
          const key = data.node.template.memory_key?.value ?? ""
          return key === "" ? [] : [key]
        })
      )
    ],
    handle_keys: []
  }
}
