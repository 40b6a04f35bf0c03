import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import type { SettingsShape } from "../../src/config.ts"

/** The defaults, on any free port, with nothing taken from the environment. */
export const testSettings: SettingsShape = {
  host: "127.0.0.1",
  port: 0,
  dataDir: "./data",
  databaseUrl: Option.none(),
  redisUrl: Option.none(),
  nodeId: "node-1",
  leaseTime: Duration.seconds(8),
  authSecret: Option.none(),
  allowedOrigins: [],
  guestAccess: true,
  openAi: {
    baseUrl: Option.none(),
    apiKey: Option.none(),
    model: Option.none(),
    embeddingModel: Option.none()
  },
  maxFrameBytes: 1024 * 1024,
  maxConnections: 1000,
  maxRuns: 1000,
  maxQueuedRuns: 16,
  maxHeadStarts: 32,
  socketBufferBytes: 256 * 1024,
  maxUploadBytes: 1024 * 1024,
  runOrphanTimeout: Duration.minutes(10),
  drainTimeout: Duration.zero,
  maxDocumentPages: 500,
  documentTimeout: Duration.seconds(60),
  webHosts: [],
  fileLinkTtl: Duration.hours(1),
  inputWaitLimit: Duration.hours(24),
  buildCacheTtl: Duration.minutes(10),
  logLevel: "Info",
  logFormat: "pretty"
}
