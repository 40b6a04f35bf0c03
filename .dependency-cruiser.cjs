/** The rooms of src/ and who may enter which: docs/architecture.md, "Rooms". */
const rooms = {
  gateway: ["session", "run", "app", "protocol", "account", "storage"],
  http: ["session", "app", "knowledge", "storage", "protocol", "account", "run", "redis"],
  session: ["run", "app", "protocol", "storage", "redis"],
  run: ["app", "knowledge", "protocol", "storage", "model"],
  app: ["model", "knowledge", "storage", "protocol", "redis"],
  knowledge: ["storage", "model", "protocol"],
  redis: [],
  account: ["storage"],
  model: [],
  storage: [],
  protocol: [],
  client: ["protocol"]
}

module.exports = {
  forbidden: [
    {
      name: "no-circular",
      severity: "error",
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ["type-only"] } }
    },
    {
      name: "no-orphans",
      severity: "error",
      from: { orphan: true, pathNot: ["^src/main\\.ts$", "\\.d\\.ts$", "^src/client/"] },
      to: {}
    },
    {
      name: "client-takes-types-only",
      severity: "error",
      from: { path: "^src/client/" },
      to: { path: "^src/protocol/", dependencyTypesNot: ["type-only"] }
    },
    {
      name: "client-has-no-dependencies",
      severity: "error",
      from: { path: "^src/client/" },
      to: { pathNot: ["^src/client/", "^src/protocol/"] }
    },
    ...Object.entries(rooms).map(([room, allowed]) => ({
      name: `${room}-imports-only-${allowed.length === 0 ? "itself" : allowed.join("-")}`,
      severity: "error",
      from: { path: `^src/${room}/` },
      to: {
        path: "^src/",
        pathNot: [
          `^src/${room}/`,
          "^src/(config|packageRoot|Pace)\\.ts$",
          ...allowed.map((name) => `^src/${name}/`)
        ]
      }
    })),
    {
      name: "no-barrels",
      comment: 'import "effect/Effect", not "effect": a barrel costs half a second of start-up',
      severity: "error",
      from: { path: "^src/" },
      to: {
        path: "node_modules/(effect|@effect/[a-z-]+)/dist/(esm|cjs)/index\\.js$",
        dependencyTypesNot: ["type-only"]
      }
    }
  ],
  options: {
    tsConfig: { fileName: "tsconfig.json" },
    tsPreCompilationDeps: true,
    doNotFollow: { path: "node_modules" },
    enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["import", "node", "default"] }
  }
}
