/** The REST API as a whole: what `/openapi.json` and `/docs` are made of, and what the handlers must fulfil. */
import * as HttpApi from "@effect/platform/HttpApi"
import * as OpenApi from "@effect/platform/OpenApi"
import { assistants } from "./api/assistants.ts"
import { build } from "./api/build.ts"
import { chat } from "./api/chat.ts"
import { events } from "./api/events.ts"
import { downloads, files } from "./api/files.ts"
import { flows } from "./api/flows.ts"
import { health } from "./api/health.ts"
import { imports } from "./api/imports.ts"
import { qa } from "./api/qa.ts"
import { reports } from "./api/reports.ts"
import { runs } from "./api/runs.ts"
import { users } from "./api/users.ts"
import { versions } from "./api/versions.ts"
import { described } from "./described.ts"
import { refusal, storageFailure } from "./Refused.ts"

export const apiPrefix = "/api/v1"

export class Api extends HttpApi.make("colloquy")
  .add(users)
  .add(chat)
  .add(runs)
  .add(events)
  .add(flows)
  .add(versions)
  .add(imports)
  .add(build)
  .add(assistants)
  .add(files)
  .add(downloads)
  .add(qa)
  .add(reports)
  .add(health)
  .addError(refusal(422, "a field is missing or wrong; the message names it"))
  .addError(storageFailure)
  .prefix(apiPrefix)
  .annotate(OpenApi.Title, "Colloquy")
  .annotate(OpenApi.Version, "1")
  .annotate(
    OpenApi.Description,
    "Chat sessions for LLM apps. Every answer is `{status_code, status_message, data}`; what went wrong by the rules of the application is told by `status_code` with HTTP 200, what HTTP has a status for by that status too. Questions and answers go over a WebSocket: see docs/protocol.md."
  )
  .annotate(OpenApi.Transform, described) {}
