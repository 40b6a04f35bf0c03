/** Why a file is not taken. `reason` tells its user what is wrong and what to do. */
import * as Schema from "effect/Schema"

export class UploadTooLarge extends Schema.TaggedError<UploadTooLarge>()("UploadTooLarge", {
  limitBytes: Schema.Int
}) {}

export class UnsupportedFile extends Schema.TaggedError<UnsupportedFile>()("UnsupportedFile", {
  name: Schema.String,
  reason: Schema.String
}) {}

/** `files`: too many of them. `bytes`: too large together. `uploads`: too many at the same moment. */
export class QuotaExceeded extends Schema.TaggedError<QuotaExceeded>()("QuotaExceeded", {
  what: Schema.Literal("files", "bytes", "uploads"),
  reason: Schema.String
}) {}
